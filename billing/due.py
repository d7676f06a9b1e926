"""Which occasions to bill are due, by the calendar or because somebody asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from billing.agreements import (
    Agreement,
    Expenses,
    FixedPrice,
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
from billing.change_orders import ChangeOrder, Instalment
from billing.errors import Refused
from billing.events import BillingEvent, EventType
from billing.periods import Period, day_in_month, full_period, months_after, periods, without
from billing.taken import NOTHING, Taken

FEE, TIME, EXPENSES, OVERAGE = "fee", "time", "expenses", "overage"
"""The items of an agreement that are billed period after period."""

PRICE, COMPLETION = "price", "completion"
"""The item of an agreement that is billed as a whole, and that of hours billed when their project is completed."""

_AHEAD = timedelta(days=62)
"""How long before its first day a period may be billed: a billing day lies in the month it begins in."""


@dataclass(frozen=True)
class Due:
    """An occasion and the first day on which it may be billed, in the client's zone."""

    occasion: Occasion
    since: date


@dataclass(frozen=True)
class _Item:
    """One thing a recurring agreement bills, and whether it bills work, which is known only afterwards."""

    name: str
    work: bool
    every: str


def end_of(agreement: Agreement, day: date) -> date | None:
    """The last day of the agreement as it is known on a day: the last change order in force may have moved it."""
    moved: list[ChangeOrder] = [each for each in agreement.change_orders if each.end and each.in_force(day)]
    return max(moved, key=lambda each: each.effective).end if moved else agreement.end


def schedule(agreement: Agreement, until: date, calendar: Calendar) -> Iterator[Due]:
    """Every period the calendar bills by the end of `until`, whether taken or not, oldest first an item."""
    end = end_of(agreement, until)
    anchor = agreement.anchor if isinstance(agreement, Recurring) else None
    for item in _items(agreement):
        for period in periods(agreement.start, item.every, until + _AHEAD, end, anchor):
            since = _billed_from(agreement, item, period, calendar)
            if since <= until:
                yield Due(Occasion(agreement=agreement.id, item=item.name, period=period), since)


def due(agreement: Agreement, today: date, calendar: Calendar, taken: Taken = NOTHING) -> Iterator[Due]:
    """What the calendar makes due by the end of `today` and nobody has billed or waived, oldest first an item.

    Of a period that is billed in part (an early invoice), what is left.
    """
    for each in schedule(agreement, today, calendar):
        yield from _left(each, taken)


def next_due(agreement: Agreement, today: date, calendar: Calendar, taken: Taken = NOTHING) -> Due | None:
    """What the calendar bills next: the oldest that is due, else the first to come; None if nothing ever will."""
    waiting = [*due(agreement, today, calendar, taken)]
    if waiting:
        return min(waiting, key=lambda each: each.since)
    end = end_of(agreement, today)
    anchor = agreement.anchor if isinstance(agreement, Recurring) else None
    to_come: list[Due] = []
    for item in _items(agreement):
        begin = full_period(anchor or agreement.start, item.every, max(today, agreement.start)).start
        first = max(begin - _AHEAD, agreement.start)
        horizon = months_after(max(today, first), 3) + 3 * (full_period(first, item.every, first).end - first)
        for period in periods(agreement.start, item.every, horizon, end, anchor):
            found = Due(
                Occasion(agreement=agreement.id, item=item.name, period=period),
                _billed_from(agreement, item, period, calendar),
            )
            left = [each for each in _left(found, taken) if each.since > today]
            if left:
                to_come.append(left[0])
                break
    return min(to_come, key=lambda each: each.since, default=None)


def _left(found: Due, taken: Taken) -> Iterator[Due]:
    period, item = found.occasion.period, found.occasion.item
    if period is None:
        return
    for part in without(period, taken.periods.get(item, ())):
        occasion = found.occasion.model_copy(update={"period": part})
        if occasion.billing_key not in taken.keys:
            yield Due(occasion, found.since)


def _items(agreement: Agreement) -> list[_Item]:
    match agreement:
        case Retainer():
            fee = [_Item(FEE, False, agreement.every)] if agreement.trigger is Trigger.TIME else []
            return [*fee, *([_Item(OVERAGE, True, agreement.every)] if agreement.bills_overage else [])]
        case TimeAndMaterials() if agreement.trigger is Trigger.TIME:
            return [_Item(TIME, True, agreement.every)]
        case Expenses() if agreement.trigger is Trigger.TIME:
            return [_Item(EXPENSES, True, agreement.every)]
        case PrepaidBlock() if agreement.overage is Overage.RATE:
            return [_Item(OVERAGE, True, "month")]
    return []


def _billed_from(agreement: Agreement, item: _Item, period: Period, calendar: Calendar) -> date:
    """The day from which a period is billed. Work is known only when the period is over."""
    after = period.end + timedelta(days=1)
    if not isinstance(agreement, Recurring):
        return after
    in_advance = agreement.timing is Timing.ADVANCE and not item.work
    if agreement.bill_on is None:
        return period.start if in_advance else after
    named = day_in_month(agreement.bill_on, period.start if in_advance else period.end, calendar)
    if item.work and named < after:
        return day_in_month(agreement.bill_on, months_after(period.end.replace(day=1), 1), calendar)
    return named


def occasion_for(
    agreement: Agreement,
    item: str | None,
    taken: Taken,
    today: date,
    calendar: Calendar,
    until: date | None = None,
) -> Occasion:
    """The occasion a person means by "bill this agreement now"; `Refused` if that is not clear.

    Of a recurring agreement it is the oldest that is due and not billed, else the running period: a fee whole, or up
    to and with `until`; work up to `until` or today, and the rest stays for its own day. Of milestones it is the one
    named, or the only one left; of blocks the one named, or the next.
    """
    match agreement:
        case Milestones():
            return _milestone_occasion(agreement, item, taken.keys)
        case PrepaidBlock() if item != OVERAGE:
            return _block_occasion(agreement, item, taken.keys)
        case FixedPrice():
            _only(agreement, item, PRICE)
            return Occasion(agreement=agreement.id, item=PRICE)
        case TimeAndMaterials() if agreement.trigger in (Trigger.PROJECT_COMPLETED, Trigger.SPEND):
            return _work_so_far(agreement, item, taken)
    return _period_occasion(agreement, item, taken, today, calendar, until)


def _only(agreement: Agreement, item: str | None, right: str) -> None:
    if item and item != right:
        raise Refused(
            f"agreement {agreement.id!r} has no item {item!r}; its only one is {right!r}: leave it out"
        )


def _work_so_far(agreement: TimeAndMaterials, item: str | None, taken: Taken) -> Occasion:
    """All unbilled work: at completion once, by spend as the next of a row."""
    if agreement.trigger is Trigger.PROJECT_COMPLETED:
        _only(agreement, item, COMPLETION)
        return Occasion(agreement=agreement.id, item=COMPLETION)
    numbered = (Occasion(agreement=agreement.id, item=f"spend-{number}") for number in count(1))
    return next(each for each in numbered if each.billing_key not in taken.keys and item in (None, each.item))


def _period_occasion(
    agreement: Agreement, item: str | None, taken: Taken, today: date, calendar: Calendar, until: date | None
) -> Occasion:
    by_hand = agreement
    if isinstance(agreement, Recurring) and agreement.trigger is Trigger.MANUAL:
        by_hand = agreement.model_copy(update={"trigger": Trigger.TIME})
    items = _items(by_hand)
    known = [each.name for each in items]
    if item and item not in known:
        raise Refused(
            f"agreement {agreement.id!r} has no item {item!r}; it has: {', '.join(known) or 'none'}"
        )
    wanted = next((each for each in items if item in (None, each.name)), None)
    if wanted is None:
        raise Refused(f"agreement {agreement.id!r} has nothing that is billed by the period")
    if until is None:
        for each in due(by_hand, today, calendar, taken):
            if each.occasion.item == wanted.name:
                return each.occasion
    return _running(by_hand, wanted, taken, today, until)


def _running(agreement: Agreement, item: _Item, taken: Taken, today: date, until: date | None) -> Occasion:
    """What is left of the running period, or of the one that `until` falls into."""
    day = until or today
    anchor = agreement.anchor if isinstance(agreement, Recurring) else None
    running = [
        each
        for each in periods(agreement.start, item.every, day, end_of(agreement, today), anchor)
        if each.end >= day
    ]
    if not running:
        raise Refused(f"agreement {agreement.id!r} has no period on {day.isoformat()}")
    if item.work and day > today:
        raise Refused(f"{day.isoformat()} is still to come; work is billed up to today at most")
    cut = day if until is not None or item.work else running[-1].end
    whole = running[-1].model_copy(update={"end": min(cut, running[-1].end)})
    left = without(whole, taken.periods.get(item.name, ()))
    if not left:
        raise Refused(
            f"{item.name} of agreement {agreement.id!r} is billed up to {whole.end.isoformat()} already"
        )
    return Occasion(agreement=agreement.id, item=item.name, period=left[0])


def _milestone_occasion(agreement: Milestones, item: str | None, billed: frozenset[str]) -> Occasion:
    occasions = {
        each.id: Occasion(agreement=agreement.id, item=each.id) for each in all_milestones(agreement)
    }
    left = [key for key, occasion in occasions.items() if occasion.billing_key not in billed]
    if not item and len(left) != 1:
        raise Refused(f"say which milestone with --item: {', '.join(left or occasions)}")
    wanted = item or left[0]
    if wanted not in occasions:
        raise Refused(
            f"agreement {agreement.id!r} has no milestone {wanted!r}; it has: {', '.join(occasions)}"
        )
    return occasions[wanted]


def _block_occasion(agreement: PrepaidBlock, item: str | None, billed: frozenset[str]) -> Occasion:
    if not item:
        numbered = (Occasion(agreement=agreement.id, item=f"block-{number}") for number in count(1))
        return next(occasion for occasion in numbered if occasion.billing_key not in billed)
    if not re.fullmatch(r"block-[1-9][0-9]*", item):
        raise Refused(
            f"{item!r} is not a block of agreement {agreement.id!r}; blocks are block-1, block-2 and so on"
        )
    return Occasion(agreement=agreement.id, item=item)


def event_occasions(
    event: BillingEvent, agreement: Agreement, today: date, calendar: Calendar, taken: Taken = NOTHING
) -> list[Occasion]:
    """What an event makes due under its agreement; `Refused` if the billing model cannot be billed by it."""
    match event.type, agreement:
        case EventType.MILESTONE_SIGNED_OFF, Milestones():
            return [_milestone_occasion(agreement, event.data.milestone, frozenset())]
        case EventType.PROJECT_COMPLETED, FixedPrice():
            return [Occasion(agreement=agreement.id, item=PRICE)]
        case EventType.PROJECT_COMPLETED, TimeAndMaterials():
            return [Occasion(agreement=agreement.id, item=COMPLETION)]
        case ((EventType.CONTRACT_SIGNED | EventType.DEAL_WON), FixedPrice()):
            return [Occasion(agreement=agreement.id, item=PRICE)] if _fires(event, agreement.trigger) else []
        case EventType.BLOCK_USED_UP, PrepaidBlock():
            return [Occasion(agreement=agreement.id, item=f"block-{(event.data.block or 0) + 1}")]
        case ((EventType.CONTRACT_SIGNED | EventType.DEAL_WON), PrepaidBlock()):
            return [Occasion(agreement=agreement.id, item="block-1")]
        case ((EventType.CONTRACT_SIGNED | EventType.DEAL_WON), Retainer()):
            return [each.occasion for each in due(agreement, today, calendar, taken)]
    raise Refused(
        f"an event {event.type} cannot bill agreement {agreement.id!r}: its model is {agreement.model!r}; "
        "name the agreement it belongs to"
    )


def _fires(event: BillingEvent, trigger: Trigger) -> bool:
    return (event.type, trigger) in (
        (EventType.CONTRACT_SIGNED, Trigger.CONTRACT_SIGNED),
        (EventType.DEAL_WON, Trigger.DEAL_WON),
    )


def all_milestones(agreement: Milestones) -> list[Instalment]:
    """The milestones of the agreement and those its approved change orders have added."""
    added = [each for order in agreement.change_orders if order.approved_by for each in order.milestones]
    return [*agreement.milestones, *added]
