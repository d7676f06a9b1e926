"""What a simulation says would happen, in order of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from billing.money import Money

BILLED, HELD, SKIPPED = "billed", "held", "skipped"
ASKED, REMINDED, ESCALATED = "approval asked", "approval reminded", "approval escalated"
APPROVED, ISSUED, SENT, PAID = "approved", "issued", "sent", "paid"
"""Acts, called as in the audit trail; acts of collection are called as everywhere: `reminder-2`, `hand-over` …"""


@dataclass(frozen=True)
class Assumptions:
    """What nobody can know, said beforehand.

    `approve_after` is the time from the question to the answer, None for no answer at all; `pay_after` the days from
    the due date to the money, None for no money at all; `expect` bills the hours of a period that is not over yet as
    an estimate from the last full months, instead of leaving their amount open.
    """

    approve_after: timedelta | None = timedelta(0)
    pay_after: int | None = 0
    expect: bool = False

    def __str__(self) -> str:
        return f"{self.approvals}; {self.payments}; {self.hours}"

    @property
    def approvals(self) -> str:
        if self.approve_after is None:
            return "nobody approves"
        hours = self.approve_after / timedelta(hours=1)
        return f"approved {hours:g} h after the question" if hours else "approved at once"

    @property
    def payments(self) -> str:
        if self.pay_after is None:
            return "nobody pays"
        days = f"{abs(self.pay_after)} day{'' if abs(self.pay_after) == 1 else 's'}"
        when = f"{days} {'after' if self.pay_after > 0 else 'before'}" if self.pay_after else "on"
        return f"paid {when} the due date, what is late already as promised or not at all"

    @property
    def hours(self) -> str:
        hours = "hours to come as in the last full months" if self.expect else "hours to come without amount"
        return f"{hours}; what is held stays held"


@dataclass(frozen=True)
class Simulated:
    """One thing that would happen: when (UTC), with which invoice, to whom, and why.

    The amount is what is due, tax included; None where it cannot be known yet. `estimate` marks amounts that rest on
    hours nobody has worked yet.
    """

    at: datetime
    client: str
    agreement: str
    billing_key: str
    act: str
    who: str = ""
    amount: Money | None = None
    why: str = ""
    estimate: bool = False


@dataclass(frozen=True)
class Waiting:
    """What an agreement will bill once something has happened that no calendar knows."""

    client: str
    agreement: str
    billing_key: str
    waits_for: str
    net: Money | None = None


@dataclass(frozen=True)
class Simulation:
    """All that would happen from one instant until another (both UTC), and what waits for an event."""

    start: datetime
    until: datetime
    assumptions: Assumptions
    steps: tuple[Simulated, ...]
    waiting: tuple[Waiting, ...]

    def of(self, *, client: str | None = None, agreement: str | None = None) -> Simulation:
        """Only what concerns the client, or the agreement."""

        def concerned(each: Simulated | Waiting) -> bool:
            return client in (None, each.client) and agreement in (None, each.agreement)

        return Simulation(
            self.start,
            self.until,
            self.assumptions,
            tuple(each for each in self.steps if concerned(each)),
            tuple(each for each in self.waiting if concerned(each)),
        )


def sums(steps: Sequence[Simulated], act: str) -> dict[str, Decimal]:
    """The amounts of an act by currency, in order of currency."""
    found: dict[str, Decimal] = {}
    for money in _amounts(steps, act):
        found[money.currency] = found.get(money.currency, Decimal(0)) + money.amount
    return dict(sorted(found.items()))


def _amounts(steps: Sequence[Simulated], act: str) -> Iterator[Money]:
    return (each.amount for each in steps if each.act == act and each.amount is not None)
