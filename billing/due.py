"""Which occasions to bill are due, by the calendar or because somebody asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import count

from billing.agreements import (
    Agreement,
    FixedPrice,
    Milestones,
    Occasion,
    PrepaidBlock,
    Retainer,
    TimeAndMaterials,
    recurring_item,
)
from billing.errors import Refused
from billing.events import BillingEvent, EventType

PRICE_ITEM = "price"
"""The item of an agreement that is billed as a whole."""


def due_occasions(agreement: Agreement, today: date) -> Iterator[Occasion]:
    """Every period of the agreement that may be billed by the end of `today`, oldest first."""
    if isinstance(agreement, Retainer | TimeAndMaterials):
        item = recurring_item(agreement)
        for period in agreement.due_periods(today):
            yield Occasion(agreement=agreement.id, item=item, period=period)


def occasion_for(agreement: Agreement, item: str | None, billed: frozenset[str], today: date) -> Occasion:
    """The occasion a person means by "bill this agreement now"; `Refused` if that is not clear.

    `billed` are the billing keys that are taken. Of a recurring agreement it is the oldest due period not yet billed,
    else the running one; of milestones the one named, or the only one left; of blocks the one named, or the next.
    """
    match agreement:
        case Retainer() | TimeAndMaterials():
            _only(agreement, item, recurring_item(agreement))
            return _period_occasion(agreement, billed, today)
        case Milestones():
            return _milestone_occasion(agreement, item, billed)
        case PrepaidBlock():
            return _block_occasion(agreement, item, billed)
        case FixedPrice():
            _only(agreement, item, PRICE_ITEM)
            return Occasion(agreement=agreement.id, item=PRICE_ITEM)


def _only(agreement: Agreement, item: str | None, right: str) -> None:
    if item and item != right:
        raise Refused(
            f"agreement {agreement.id!r} has no item {item!r}; its only one is {right!r}: leave it out"
        )


def _period_occasion(agreement: Retainer | TimeAndMaterials, billed: frozenset[str], today: date) -> Occasion:
    for occasion in due_occasions(agreement, today):
        if occasion.billing_key not in billed:
            return occasion
    running = agreement.running_period(today)
    if running is None:
        raise Refused(f"agreement {agreement.id!r} has no period on {today.isoformat()}")
    return Occasion(agreement=agreement.id, item=recurring_item(agreement), period=running)


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


def _block_occasion(agreement: PrepaidBlock, item: str | None, billed: frozenset[str]) -> Occasion:
    if not item:
        numbered = (Occasion(agreement=agreement.id, item=f"block-{number}") for number in count(1))
        return next(occasion for occasion in numbered if occasion.billing_key not in billed)
    if not re.fullmatch(r"block-[1-9][0-9]*", item):
        raise Refused(
            f"{item!r} is not a block of agreement {agreement.id!r}; blocks are block-1, block-2 and so on"
        )
    return Occasion(agreement=agreement.id, item=item)


def event_occasions(event: BillingEvent, agreement: Agreement, today: date) -> list[Occasion]:
    """What an event makes due under its agreement; `Refused` if the billing model cannot be billed by it."""
    match event.type, agreement:
        case EventType.MILESTONE_SIGNED_OFF, Milestones():
            return [occasion_for(agreement, event.data.milestone, frozenset(), today)]
        case EventType.PROJECT_COMPLETED, FixedPrice():
            return [Occasion(agreement=agreement.id, item=PRICE_ITEM)]
        case EventType.BLOCK_USED_UP, PrepaidBlock():
            return [Occasion(agreement=agreement.id, item=f"block-{(event.data.block or 0) + 1}")]
        case EventType.CONTRACT_SIGNED, PrepaidBlock():
            return [Occasion(agreement=agreement.id, item="block-1")]
        case EventType.CONTRACT_SIGNED, Retainer():
            return list(due_occasions(agreement, today))
    raise Refused(
        f"an event {event.type} cannot bill agreement {agreement.id!r}: its model is {agreement.model!r}; "
        "name the agreement it belongs to"
    )
