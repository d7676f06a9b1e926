"""Billing periods of a recurring agreement, and the day on which each is billed."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from billing.calendars import Calendar
from billing.parties import Strict

_NAMED = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
_COUNTED = re.compile(r"([1-9][0-9]{0,2}) (day|week|month|year)s?")


@dataclass(frozen=True)
class Cadence:
    """How long a period is: so many calendar months, or so many days."""

    months: int = 0
    days: int = 0

    def begins(self, first: date, n: int) -> date:
        """The first day of the `n`th period after the one that begins on `first`."""
        return months_after(first, n * self.months) if self.months else first + timedelta(days=n * self.days)


def cadence(every: str) -> Cadence:
    """The cadence of `month`, `quarter`, `half-year`, `year`, `90 days`, `2 weeks`, `24 months`; ValueError else."""
    if every in _NAMED:
        return Cadence(months=_NAMED[every])
    if found := _COUNTED.fullmatch(every):
        count, unit = int(found[1]), found[2]
        if unit in ("day", "week"):
            return Cadence(days=count * (7 if unit == "week" else 1))
        return Cadence(months=count * (12 if unit == "year" else 1))
    raise ValueError(
        f"{every!r} is not how often something is billed; write month, quarter, half-year, year, "
        "or a count such as '90 days' or '24 months'"
    )


def _known_cadence(every: str) -> str:
    cadence(every)
    return every


Every = Annotated[str, AfterValidator(_known_cadence)]
"""How often a recurring agreement is billed: month, quarter, half-year, year, 90 days, 24 months …"""

BillingDay = Annotated[int, Field(ge=1, le=31)] | Literal["first business day", "last business day"]
"""A day of the month: 29, 30 and 31 mean its last day where the month is shorter; or its first or last business day."""


class Period(Strict):
    """A billing period; both days belong to it."""

    start: date
    end: date

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Period:
        if self.end < self.start:
            raise ValueError(f"a period cannot end on {self.end}, before it starts on {self.start}")
        return self

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def __str__(self) -> str:
        return f"{self.start.isoformat()} to {self.end.isoformat()}"


EVER = Period(start=date.min, end=date.max)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month if it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def full_period(anchor: date, every: str, day: date) -> Period:
    """The whole period that `day` falls into, where one begins on `anchor`; periods reach both ways from there."""
    length = cadence(every)
    if length.months:
        n = ((day.year - anchor.year) * 12 + day.month - anchor.month) // length.months
    else:
        n = (day - anchor).days // length.days
    if length.begins(anchor, n) > day:  # the month is reached, its day is not
        n -= 1
    return Period(start=length.begins(anchor, n), end=length.begins(anchor, n + 1) - timedelta(days=1))


def periods(
    start: date, every: str, until: date, end: date | None = None, anchor: date | None = None
) -> Iterator[Period]:
    """The periods that begin on or before `until`, the first one cut at `start` and the last one at `end`.

    Each is reckoned from the anchor (else from `start`), so that a period begun on the 31st finds its way back to
    the 31st, and the same days lie in the same period wherever one begins to ask.
    """
    begins = start
    while begins <= until and (end is None or begins <= end):
        last = full_period(anchor or start, every, begins).end
        yield Period(start=begins, end=last if end is None else min(last, end))
        begins = last + timedelta(days=1)


def day_in_month(day: BillingDay, month: date, calendar_: Calendar) -> date:
    """The billing day in the month that `month` falls into."""
    first, length = month.replace(day=1), calendar.monthrange(month.year, month.month)[1]
    if isinstance(day, int):
        return first.replace(day=min(day, length))
    days = [first + timedelta(days=n) for n in range(length)]
    business = [each for each in days if calendar_.is_business_day(each)] or days
    return business[0] if day == "first business day" else business[-1]


def without(period: Period, taken: Iterable[Period]) -> list[Period]:
    """What is left of a period when the taken ones are cut out, oldest first."""
    left, begins = [], period.start
    for other in sorted(taken, key=lambda each: each.start):
        if other.end < begins or other.start > period.end:
            continue
        if other.start > begins:
            left.append(Period(start=begins, end=other.start - timedelta(days=1)))
        begins = other.end + timedelta(days=1)
    if begins <= period.end:
        left.append(Period(start=begins, end=period.end))
    return left
