"""Work of days that are billed already: it came late, and stands on no invoice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from billing.agreements import Expenses, Leftovers, Retainer, TimeAndMaterials
from billing.change_orders import last_day
from billing.periods import Period, full_period

ByPeriod = Retainer | TimeAndMaterials | Expenses


def whole_period(agreement: ByPeriod, day: date) -> tuple[Period, Decimal]:
    """The agreement's own period that a day falls into, and what part of a full one it is.

    Of a day outside the agreement it is the full period, and no part of it.
    """
    full = full_period(agreement.anchor or agreement.start, agreement.every, day)
    first, last = max(full.start, agreement.start), min(full.end, last_day(agreement) or date.max)
    if first > last:
        return full, Decimal(0)
    own = Period(start=first, end=last)
    return own, Decimal(own.days) / full.days


def billed_along(agreement: ByPeriod, day: date, period: Period | None) -> bool:
    """Whether late work of a day belongs on the invoice of the period.

    Always if both are of one whole period, of which a part was billed early; else where the agreement bills
    leftovers. Without a period everything is billed that stands on no invoice.
    """
    if period is None or agreement.leftovers is Leftovers.BILL:
        return True
    return whole_period(agreement, period.start)[0].start <= day
