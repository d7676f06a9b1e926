"""What the calendar makes due: every period of an agreement that nobody has billed yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile

from billing.agreements import (
    Agreement,
    Expenses,
    Milestones,
    Occasion,
    Overage,
    PrepaidBlock,
    Recurring,
    Retainer,
    TimeAndMaterials,
    Timing,
    Trigger,
)
from billing.calendars import Calendar
from billing.change_orders import Instalment, approved, last_day
from billing.periods import BillingDay, Period, day_in_month, full_period, months_after, periods, without
from billing.taken import NOTHING, Taken

FEE, TIME, EXPENSES, OVERAGE = "fee", "time", "expenses", "overage"
"""The items of an agreement that are billed period after period."""


@dataclass(frozen=True)
class Due:
    """An occasion and the first day on which it may be billed, in the client's zone."""

    occasion: Occasion
    since: date


@dataclass(frozen=True)
class Item:
    """One thing an agreement bills by the period, and whether that is work, which is known only afterwards."""

    name: str
    work: bool
    every: str


def items_of(agreement: Agreement) -> list[Item]:
    """What an agreement bills by the period, by the calendar or by hand."""
    match agreement:
        case Retainer():
            fee = Item(FEE, False, agreement.every)
            return [fee, Item(OVERAGE, True, agreement.every)] if agreement.bills_overage else [fee]
        case TimeAndMaterials():
            return [Item(TIME, True, agreement.every)]
        case Expenses():
            return [Item(EXPENSES, True, agreement.every)]
        case PrepaidBlock() if agreement.overage is Overage.RATE:
            return [Item(OVERAGE, True, "month")]
    return []


def due(agreement: Agreement, today: date, calendar: Calendar, taken: Taken = NOTHING) -> Iterator[Due]:
    """What the calendar makes due by the end of `today` and nobody has billed or waived, oldest first an item.

    Of a period that is billed in part (an early invoice), what is left.
    """
    for item in _by_calendar(agreement):
        yield from takewhile(lambda each: each.since <= today, unbilled(agreement, item, calendar, taken))


def next_due(agreement: Agreement, calendar: Calendar, taken: Taken = NOTHING) -> Due | None:
    """What the calendar bills next, due already or to come; None if nothing ever will."""
    firsts = (next(unbilled(agreement, item, calendar, taken), None) for item in _by_calendar(agreement))
    return min((each for each in firsts if each), key=lambda each: each.since, default=None)


def unbilled(agreement: Agreement, item: Item, calendar: Calendar, taken: Taken) -> Iterator[Due]:
    """Every day of an item that nobody has billed or waived, by the period, for as long as the agreement lasts."""
    lasts = lifetime(agreement)
    for gap in without(lasts, taken.periods.get(item.name, ())) if lasts else ():
        for part in periods(gap.start, item.every, gap.end, gap.end, _anchor(agreement)):
            occasion = Occasion(agreement=agreement.id, item=item.name, period=part)
            if occasion.billing_key not in taken.keys:
                yield Due(occasion, _billed_from(agreement, item, part.start, calendar))


def lifetime(agreement: Agreement) -> Period | None:
    """From its first day to its last, which is that of the calendar itself if it goes on; None if it never began."""
    last = last_day(agreement) or date.max
    return Period(start=agreement.start, end=last) if agreement.start <= last else None


def period_of(agreement: Agreement, item: Item, day: date) -> Period:
    """The period that a day of the agreement falls into, cut at the agreement's first and last day."""
    whole = full_period(_anchor(agreement), item.every, day)
    last = last_day(agreement) or date.max
    return Period(start=max(whole.start, agreement.start), end=min(whole.end, last))


def _anchor(agreement: Agreement) -> date:
    return (agreement.anchor if isinstance(agreement, Recurring) else None) or agreement.start


def _by_calendar(agreement: Agreement) -> list[Item]:
    """The items that are billed without anybody asking; hours beyond prepaid ones are, whatever bills the blocks."""
    if isinstance(agreement, Recurring) and agreement.trigger is not Trigger.TIME:
        return []
    return items_of(agreement)


def _billed_from(agreement: Agreement, item: Item, day: date, calendar: Calendar) -> date:
    """The day from which the period that a day falls into is billed.

    In advance: the billing day of the month the period begins in, but not before the agreement does. In arrears:
    the first billing day after the period. A fee is known before, so that a billing day at the end of the month
    (the last business day, or the 29th to the 31st) is that of the month the period ends in.
    """
    period = period_of(agreement, item, day)
    after = period.end + timedelta(days=1)
    if not isinstance(agreement, Recurring):
        return after
    in_advance = agreement.timing is Timing.ADVANCE and not item.work
    if agreement.bill_on is None:
        return period.start if in_advance else after
    if in_advance:
        return max(day_in_month(agreement.bill_on, period.start, calendar), agreement.start)
    named = day_in_month(agreement.bill_on, period.end, calendar)
    if named >= after or (not item.work and _at_months_end(agreement.bill_on)):
        return named
    return day_in_month(agreement.bill_on, months_after(period.end.replace(day=1), 1), calendar)


def _at_months_end(day: BillingDay) -> bool:
    return day >= 29 if isinstance(day, int) else day == "last business day"


def all_milestones(agreement: Milestones) -> list[Instalment]:
    """The milestones of the agreement and those its approved change orders have added or will."""
    added = [each for order in approved(agreement) for each in order.milestones]
    return [*agreement.milestones, *added]
