"""What a simulation begins with: the rules, the sources, and where the ledger stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from billing.approval_policy import ApprovalTier
from billing.calendars import Calendar
from billing.company import Client, Company
from billing.draft import Draft
from billing.dunning_policy import CollectionFacts, DunningPolicy
from billing.exceptions import Finding
from billing.money import Money
from billing.numbering import SeriesState
from billing.periods import Period
from billing.request import BillingRequest
from billing.sources import Sources, TimeEntry
from billing.taken import Taken

if TYPE_CHECKING:
    from billing.simulation.register import Register


class World(Protocol):
    """What lies outside the rules, as far as they need it."""

    def sources(self, request: BillingRequest, today: date, register: Register) -> Sources:
        """What the sources say now about a request, on a day that may be to come.

        What simulated invoices have billed, by the register, counts as billed. Raises `SourceUnavailable`.
        """

    def elsewhere(self, draft: Draft) -> Sequence[str]:
        """The items of the draft that stand on another invoice in the ledger."""

    def worked(self, project: str, period: Period) -> Sequence[TimeEntry]:
        """What was worked on a project, billed or not. Raises `SourceUnavailable`."""

    def check(self, draft: Draft, at: datetime) -> Sequence[Finding]:
        """What would make the document wrong."""

    def calendar(self, client: Client, policy: DunningPolicy, today: date) -> Calendar:
        """When the client may be written to."""

    def business_days(self, client: Client, today: date) -> Calendar:
        """The client's business days."""


@dataclass(frozen=True)
class Question:
    """A tier that is asked, and has not answered."""

    tier: ApprovalTier
    asked: tuple[str, ...]
    asked_at: datetime
    deadline: datetime
    reminded_at: datetime | None = None
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Requested:
    """An invoice that was asked for and is not assembled yet."""

    request: BillingRequest


@dataclass(frozen=True)
class HeldInvoice:
    """An invoice that waits for a person to decide its exceptions."""

    billing_key: str
    client: str
    agreement: str
    amount: Money | None
    owner: str
    why: str


@dataclass(frozen=True)
class DraftedInvoice:
    """A draft that waits for approval, or that everybody has agreed to."""

    draft: Draft
    company: Company
    trigger: str
    took_part: frozenset[str]
    agreed: frozenset[str] = frozenset()
    question: Question | None = None


@dataclass(frozen=True)
class OpenInvoice:
    """An issued invoice that is not settled; it is collected by the rules it was triggered under."""

    billing_key: str
    client: str
    agreement: str
    company: Company
    amount: Money
    facts: CollectionFacts
    contact: str
    delivered: bool = True


Standing = Requested | HeldInvoice | DraftedInvoice | OpenInvoice


@dataclass(frozen=True)
class Books:
    """Where the ledger stands when the simulation begins; empty where nothing was billed yet.

    `hours_to_go` are those of prepaid agreements, by id, until their next block is due.
    """

    taken: Mapping[str, Taken] = field(default_factory=dict)
    drafts: Sequence[Draft] = ()
    series: Mapping[str, SeriesState] = field(default_factory=dict)
    standing: Sequence[Standing] = ()
    hours_to_go: Mapping[str, Decimal] = field(default_factory=dict)


NOTHING_BILLED = Books()
