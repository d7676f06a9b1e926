"""One simulated invoice, and what all of them share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from billing.company import Client, Company
from billing.exceptions import Finding
from billing.money import Money
from billing.parties import Person
from billing.simulation.facts import World
from billing.simulation.outcome import HELD, Assumptions, Simulated
from billing.simulation.register import Register

Life = Iterator[datetime]
"""The instants at which the next step is taken. Between two of them every step is taken that can be taken at once."""


@dataclass
class Stage:
    """What all simulated invoices share."""

    world: World
    assumptions: Assumptions
    register: Register
    start: datetime
    steps: list[Simulated] = field(default_factory=list)


@dataclass
class Invoice:
    """A simulated invoice; `company` holds the rules it lives by."""

    stage: Stage
    company: Company
    billing_key: str
    client_id: str
    agreement: str = ""
    amount: Money | None = None
    estimate: bool = False

    @cached_property
    def client(self) -> Client:
        """Its client; LookupError if the company has none of that name."""
        found = self.company.client(self.client_id)
        if found is None:
            raise LookupError(f"the company folder has no client {self.client_id!r}")
        return found

    @cached_property
    def people(self) -> Mapping[str, Person]:
        return self.company.people_by_id

    def today(self, at: datetime) -> date:
        """The day it is for the client."""
        return at.astimezone(ZoneInfo(self.client.zone)).date()

    def note(self, at: datetime, act: str, *, who: str = "", why: str = "") -> None:
        """Says what happens now."""
        self.stage.steps.append(
            Simulated(
                at=at.astimezone(ZoneInfo("UTC")),
                client=self.client_id,
                agreement=self.agreement,
                billing_key=self.billing_key,
                act=act,
                who=who,
                amount=self.amount,
                why=why,
                estimate=self.estimate,
            )
        )

    def hold(self, at: datetime, findings: Sequence[Finding]) -> None:
        """A person must decide: the owner of the first finding. Nobody knows when, so the life ends here."""
        owner = self.company.exceptions.owner(findings[0].code, self.client_id)
        self.note(at, HELD, who=owner, why="; ".join(f"{each.code}: {each.message}" for each in findings))
