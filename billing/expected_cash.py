"""When money that is owed can be expected, and how fast money comes: pure reckoning over what is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

WEEKS = 13
"""A quarter ahead: further on, due dates say little."""


class Basis(StrEnum):
    """What the day is taken from; of the last three there is no day."""

    PROMISE = "promise"
    PLAN = "payment plan"
    HABIT = "habit"
    DUE = "due date"
    LATE = "late"
    DISPUTED = "disputed"
    HANDED_OVER = "handed over"


DATED = (Basis.PROMISE, Basis.PLAN, Basis.HABIT, Basis.DUE)
UNDATED = (Basis.LATE, Basis.DISPUTED, Basis.HANDED_OVER)


@dataclass(frozen=True)
class Owed:
    """An amount of one currency that a client owes, with all that says when it may come.

    `planned` is a part of a payment plan; `stopped` is DISPUTED or HANDED_OVER where no day can be told.
    """

    client: str
    amount: Decimal
    due: date
    promised: date | None = None
    planned: bool = False
    stopped: Basis | None = None


def expected_on(owed: Owed, days_late: int, today: date) -> tuple[date | None, Basis]:
    """The day money can be expected, and why that one; `days_late` is how late the client usually pays.

    A promise goes before a plan, a plan before the due date with the client's habit. What should have come before today
    by all of them has no day: it is late, and nothing says when it comes.
    """
    if owed.stopped is not None:
        return None, owed.stopped
    if owed.promised is not None and owed.promised >= today:
        return owed.promised, Basis.PROMISE
    if owed.planned:
        return (owed.due, Basis.PLAN) if owed.due >= today else (None, Basis.LATE)
    usual = owed.due + timedelta(days=max(days_late, 0))
    if usual < today:
        return None, Basis.LATE
    return usual, Basis.HABIT if days_late > 0 else Basis.DUE


@dataclass(frozen=True)
class Week:
    """What can be expected in the seven days from a Monday on, by basis."""

    begins: date
    amounts: Mapping[Basis, Decimal]

    @property
    def together(self) -> Decimal:
        return sum(self.amounts.values(), Decimal(0))


@dataclass(frozen=True)
class Expected:
    """Of one currency: the weeks from this one on, what comes later, and what has no day, by basis."""

    weeks: tuple[Week, ...] = ()
    later: Decimal = Decimal(0)
    undated: Mapping[Basis, Decimal] = field(default_factory=dict)


def expected(owed: Iterable[Owed], habits: Mapping[str, int], today: date) -> Expected:
    """Spreads what is owed over weeks; amounts are all of one currency. Nothing is lost: the parts sum to the whole."""
    first = today - timedelta(days=today.weekday())
    weeks: list[dict[Basis, Decimal]] = [{} for _ in range(WEEKS)]
    later = Decimal(0)
    undated: dict[Basis, Decimal] = {}
    for each in owed:
        day, basis = expected_on(each, habits.get(each.client, 0), today)
        if day is not None and day >= first + timedelta(weeks=WEEKS):
            later += each.amount
            continue
        into = undated if day is None else weeks[(day - first).days // 7]
        into[basis] = into.get(basis, Decimal(0)) + each.amount
    return Expected(
        weeks=tuple(Week(first + timedelta(weeks=number), found) for number, found in enumerate(weeks)),
        later=later,
        undated=undated,
    )


def days_sales_outstanding(open_now: Decimal, issued: Decimal, days: int) -> int | None:
    """DSO: in how many days as much is invoiced as is open now; None where nothing was issued in those days.

    The simple method: open receivables over gross sales of the last `days` days, times `days`.
    """
    return round(open_now / issued * days) if issued > 0 else None
