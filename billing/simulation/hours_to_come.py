"""Periods of work that are not over yet: their hours are not known, only what the last months were like."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from billing.agreements import Agreement
from billing.due import EXPENSES, OVERAGE, TIME
from billing.money import total
from billing.periods import Period, months_after
from billing.request import BillingRequest
from billing.sources import Sources, TimeEntry

MONTHS = 3
"""How many full months an estimate looks back, if the agreement is that old."""

_QUARTER_HOUR = Decimal("0.25")


def to_come(request: BillingRequest, today: date) -> bool:
    """Whether the request bills work of a period that is not over on that day."""
    occasion = request.occasion
    if occasion is None or occasion.period is None:
        return False
    return occasion.item in (TIME, EXPENSES, OVERAGE) and occasion.period.end >= today


def so_far(sources: Sources) -> str:
    """What is there of it already, in words."""
    hours = total(each.hours for each in sources.time_entries if each.billable)
    return f"hours to come; {hours.normalize():f} h so far" if hours else "hours to come"


def look_back(agreement: Agreement, today: date) -> Period | None:
    """The last full months before a day in which the agreement ran; None before there is one."""
    first = today.replace(day=1)
    start, end = max(agreement.start, months_after(first, -MONTHS)), first - timedelta(days=1)
    return Period(start=start, end=end) if start <= end else None


def expected(period: Period, window: Period, worked: Iterable[TimeEntry]) -> tuple[TimeEntry, ...]:
    """The hours of a period if each person worked on as in the window.

    Reckoned by calendar days and rounded to quarters of an hour; they count as approved.
    """
    groups: dict[tuple[str, str, str], list[TimeEntry]] = {}
    for entry in worked:
        if entry.billable and window.start <= entry.day <= window.end:
            groups.setdefault((entry.person, entry.role, entry.task), []).append(entry)
    return tuple(
        group[0].model_copy(
            update={
                "id": f"expected/{period.start}/{person}/{role}/{task}",
                "day": period.start,
                "hours": hours,
                "approved": True,
                "ticket": "",
                "note": "",
            }
        )
        for (person, role, task), group in groups.items()
        if (hours := _scaled(total(each.hours for each in group), period, window))
    )


def _scaled(hours: Decimal, period: Period, window: Period) -> Decimal:
    exact = hours * period.days / window.days
    return (exact / _QUARTER_HOUR).quantize(Decimal(1), rounding=ROUND_HALF_UP) * _QUARTER_HOUR
