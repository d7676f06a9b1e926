"""What a person or an event means: the occasion of an agreement that is to be billed now."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import count

from billing.agreements import (
    Agreement,
    FixedPrice,
    Milestones,
    Occasion,
    Overage,
    PrepaidBlock,
    Retainer,
    TimeAndMaterials,
    Trigger,
)
from billing.calendars import Calendar
from billing.change_orders import agreement_on
from billing.due import OVERAGE, Item, due, items_of, lifetime, period_of, unbilled
from billing.errors import Refused
from billing.events import BillingEvent, EventType
from billing.periods import Period, without
from billing.taken import NOTHING, Taken

PRICE, COMPLETION, SPEND, BLOCK = "price", "completion", "spend", "block"
"""What is billed as a whole; all work so far, at completion and by the line it reached (`spend-1`); `block-1` …"""


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
            return _milestone_occasion(agreement_on(agreement, today), item, taken.keys)
        case PrepaidBlock() if item != OVERAGE:
            return _numbered(agreement, BLOCK, item, taken.keys)
        case FixedPrice():
            if item not in (None, "", PRICE):
                raise _no_such_item(agreement, item, [PRICE])
            return Occasion(agreement=agreement.id, item=PRICE)
        case TimeAndMaterials() if agreement.trigger in (Trigger.PROJECT_COMPLETED, Trigger.SPEND):
            return _work_so_far(agreement, item, taken.keys)
    return _period_occasion(agreement, item, taken, today, calendar, until)


def _no_such_item(agreement: Agreement, item: str | None, known: Iterable[str]) -> Refused:
    return Refused(f"agreement {agreement.id!r} has no item {item!r}; it has: {', '.join(known) or 'none'}")


def _work_so_far(agreement: TimeAndMaterials, item: str | None, billed: frozenset[str]) -> Occasion:
    """All unbilled work: at completion once, before and after it as the next of a row."""
    completion = Occasion(agreement=agreement.id, item=COMPLETION)
    at_completion = agreement.trigger is Trigger.PROJECT_COMPLETED and completion.billing_key not in billed
    if item == COMPLETION or (not item and at_completion):
        return completion
    return _numbered(agreement, SPEND, item, billed)


def _period_occasion(
    agreement: Agreement, item: str | None, taken: Taken, today: date, calendar: Calendar, until: date | None
) -> Occasion:
    items = items_of(agreement)
    if not items:
        raise Refused(f"agreement {agreement.id!r} has nothing that is billed by the period")
    wanted = next((each for each in items if not item or each.name == item), None)
    if wanted is None:
        raise _no_such_item(agreement, item, [each.name for each in items])
    if until is None:
        oldest = next(unbilled(agreement, wanted, calendar, taken), None)
        if oldest and oldest.since <= today:
            return oldest.occasion
    return _early(agreement, wanted, taken, today, until)


def _early(agreement: Agreement, item: Item, taken: Taken, today: date, until: date | None) -> Occasion:
    """What is left of the running period, or of the one that `until` falls into, up to that day."""
    day = until or today
    if item.work and day > today:
        raise Refused(f"{day.isoformat()} is still to come; work is billed up to today at most")
    lasts = lifetime(agreement)
    if lasts is None or not lasts.start <= day <= lasts.end:
        last = f" to {lasts.end.isoformat()}" if lasts and lasts.end < date.max else ""
        raise Refused(
            f"agreement {agreement.id!r} has no period on {day.isoformat()}: "
            f"it runs from {agreement.start.isoformat()}{last}"
        )
    period = period_of(agreement, item, day)
    wanted = Period(start=period.start, end=day if until or item.work else period.end)
    left = without(wanted, taken.periods.get(item.name, ()))
    if not left:
        raise Refused(
            f"{item.name} of agreement {agreement.id!r} is billed up to {wanted.end.isoformat()} already"
        )
    return Occasion(agreement=agreement.id, item=item.name, period=left[0])


def _milestone_occasion(agreement: Milestones, item: str | None, billed: frozenset[str]) -> Occasion:
    occasions = {each.id: Occasion(agreement=agreement.id, item=each.id) for each in agreement.milestones}
    left = [key for key, occasion in occasions.items() if occasion.billing_key not in billed]
    if not item and len(left) != 1:
        raise Refused(f"say which milestone with --item: {', '.join(left or occasions)}")
    wanted = item or left[0]
    if wanted not in occasions:
        raise Refused(
            f"agreement {agreement.id!r} has no milestone {wanted!r}; it has: {', '.join(occasions)}"
        )
    return occasions[wanted]


def _numbered(agreement: Agreement, kind: str, item: str | None, billed: frozenset[str]) -> Occasion:
    """The one named of those that are counted from 1, or the first that is not billed."""
    if not item:
        numbered = (Occasion(agreement=agreement.id, item=f"{kind}-{number}") for number in count(1))
        return next(occasion for occasion in numbered if occasion.billing_key not in billed)
    if not re.fullmatch(rf"{kind}-[1-9][0-9]*", item):
        raise Refused(
            f"agreement {agreement.id!r} has no item {item!r}; its items are {kind}-1, {kind}-2 and so on"
        )
    return Occasion(agreement=agreement.id, item=item)


def event_occasions(
    event: BillingEvent, agreement: Agreement, today: date, calendar: Calendar, taken: Taken = NOTHING
) -> list[Occasion]:
    """What an event makes due under its agreement; nothing if something else does, by its trigger.

    `Refused` if such an event can never bill its billing model.
    """
    found: list[Occasion]
    match event.type, agreement:
        case EventType.MILESTONE_SIGNED_OFF, Milestones():
            awaited = agreement.trigger in (Trigger.MILESTONE_SIGNED_OFF, Trigger.PROGRESS)
            found = [_milestone_occasion(agreement_on(agreement, today), event.data.milestone, frozenset())]
        case EventType.PROJECT_COMPLETED, FixedPrice():
            awaited = agreement.trigger is Trigger.PROJECT_COMPLETED
            found = [Occasion(agreement=agreement.id, item=PRICE)]
        case EventType.PROJECT_COMPLETED, TimeAndMaterials():
            awaited = agreement.trigger in (Trigger.PROJECT_COMPLETED, Trigger.SPEND)
            found = [Occasion(agreement=agreement.id, item=COMPLETION)]
        case EventType.BLOCK_USED_UP, PrepaidBlock():
            awaited = agreement.overage is Overage.NEXT_BLOCK
            found = [Occasion(agreement=agreement.id, item=f"{BLOCK}-{(event.data.block or 0) + 1}")]
        case ((EventType.CONTRACT_SIGNED | EventType.DEAL_WON), FixedPrice()):
            awaited = agreement.trigger is _TRIGGERS[event.type]
            found = [Occasion(agreement=agreement.id, item=PRICE)]
        case ((EventType.CONTRACT_SIGNED | EventType.DEAL_WON), PrepaidBlock()):
            awaited = agreement.trigger is _TRIGGERS[event.type]
            found = [Occasion(agreement=agreement.id, item=f"{BLOCK}-1")]
        case ((EventType.CONTRACT_SIGNED | EventType.DEAL_WON), Retainer()):
            awaited = True
            found = [each.occasion for each in due(agreement, today, calendar, taken)]
        case _:
            raise Refused(
                f"an event {event.type} cannot bill agreement {agreement.id!r}: its model is "
                f"{agreement.model!r}; name the agreement it belongs to"
            )
    return found if awaited else []


_TRIGGERS = {EventType.CONTRACT_SIGNED: Trigger.CONTRACT_SIGNED, EventType.DEAL_WON: Trigger.DEAL_WON}
