"""A leak: what should have been billed and was not, with the money at stake; and the facts it is looked for in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from billing.agreements import Agreement, Occasion
from billing.blocks import BoughtBlock
from billing.calendars import Calendar
from billing.company import Company
from billing.exceptions import Finding, ReasonCode
from billing.money import Money
from billing.sources import CrmDeal, Expense, Milestone, SignedContract, TimeEntry
from billing.taken import Taken

SUBJECT = "leak/"
"""How the subject of every leak begins."""


class Leak(BaseModel):
    """Something nobody billed. The subject names it: the same leak, found again, is the same exception."""

    model_config = ConfigDict(frozen=True)

    code: ReasonCode
    subject: str
    message: str = Field(description="what it is, and what to do")
    since: date = Field(description="the day from which it should have been on an invoice")
    client: str | None = Field(default=None, description="None if the company folder has no such client")
    agreement: str | None = None
    at_stake: Money | None = Field(default=None, description="net; None where nobody agreed on a price")
    measure: str = Field(default="", description="how much of it there is, such as '12.5 h'")

    @property
    def finding(self) -> Finding:
        """The same as a finding; who accepted it is asked again once there is more of it, or less."""
        left = " ".join(said for said in (self.measure, str(self.at_stake or "")) if said)
        return Finding(code=self.code, message=self.message, field="unbilled", left=left)


@dataclass(frozen=True)
class VoidedDraft:
    """A draft that was voided to be billed again, and whose billing key no living invoice bears."""

    billing_key: str
    client: str
    voided_on: date
    reason: str = ""
    net: Money | None = None
    occasion: Occasion | None = None


@dataclass(frozen=True)
class Crossing:
    """A line a meter has crossed, and the key of the invoice it asks for; None if it asks for none."""

    agreement: str
    line: str
    crossed_on: date
    billing_key: str | None


@dataclass(frozen=True)
class Retired:
    """An agreement that was billed and is not in the company folder any more, and the last day on which it was."""

    agreement: Agreement
    last_day: date


@dataclass(frozen=True)
class ProjectFacts:
    """What the PSA says about a project, and which of it stands on a living or waived invoice, by source and id."""

    id: str
    client: str = ""
    completed: date | None = None
    milestones: tuple[Milestone, ...] = ()
    time: tuple[TimeEntry, ...] = ()
    expenses: tuple[Expense, ...] = ()
    billed: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class LeakFacts:
    """Everything leaks are looked for in. Projects may come one at a time; those that cannot be read are left out.

    `taken` is what is billed or waived, by agreement; of it, `drafts` is what stands on a draft that is still open,
    and `waived` what was waived before anybody knew what is in it. `held` are agreements whose periods wait for a
    person already, `blocks` the prepaid ones with a living invoice, `retired` agreements that are not in the company
    any more.
    """

    company: Company
    taken: Mapping[str, Taken] = field(default_factory=dict)
    drafts: Mapping[str, Taken] = field(default_factory=dict)
    waived: Mapping[str, Taken] = field(default_factory=dict)
    voided: tuple[VoidedDraft, ...] = ()
    held: frozenset[str] = frozenset()
    crossings: tuple[Crossing, ...] = ()
    blocks: Mapping[str, tuple[BoughtBlock, ...]] = field(default_factory=dict)
    retired: tuple[Retired, ...] = ()
    deals: tuple[CrmDeal, ...] = ()
    contracts: tuple[SignedContract, ...] = ()
    projects: Iterable[ProjectFacts] = ()
    calendars: Mapping[str, Calendar] = field(default_factory=dict)


@dataclass(frozen=True)
class Waived:
    """What a person decided not to bill: a draft that was voided and whose key stays taken."""

    billing_key: str
    client: str
    net: Money | None
    waived_on: date
    by: str
    reason: str
