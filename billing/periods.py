"""Billing periods of a recurring agreement."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum

from billing.parties import Strict


class Every(StrEnum):
    """How often a recurring agreement is billed."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        return {"month": 1, "quarter": 3, "year": 12}[self.value]


class Period(Strict):
    """A billing period; both days belong to it."""

    start: date
    end: date

    def __str__(self) -> str:
        return f"{self.start.isoformat()} to {self.end.isoformat()}"


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month if it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def periods(start: date, every: Every, until: date, end: date | None = None) -> Iterator[Period]:
    """The periods from `start` that begin on or before `until`, the last one cut at `end`.

    Each is reckoned from `start`, so that a period begun on the 31st finds its way back to the 31st.
    """
    n = 0
    while (begins := months_after(start, n * every.months)) <= until and (end is None or begins <= end):
        n += 1
        last = months_after(start, n * every.months) - timedelta(days=1)
        yield Period(start=begins, end=last if end is None else min(last, end))
