"""What of an agreement is still to be billed: due, to come by the calendar, or waiting for what triggers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count, islice

from billing.agreements import (
    Agreement,
    FixedPrice,
    Milestones,
    Occasion,
    Overage,
    PrepaidBlock,
    Recurring,
    Retainer,
    TimeAndMaterials,
    Trigger,
)
from billing.calendars import Calendar
from billing.change_orders import agreement_on
from billing.due import FEE, Item, items_of, unbilled
from billing.fees import fee
from billing.occasions import BLOCK, COMPLETION, PRICE, SPEND
from billing.periods import Period
from billing.taken import NOTHING, Taken

NOBODY_ASKED = "somebody who asks"


@dataclass(frozen=True)
class ToBill:
    """An occasion nobody has billed or waived yet.

    It is billed on `since`, a day of the client's zone, or, where that is None, by what it waits for. `amount` is
    net, where it is known before: work is not.
    """

    occasion: Occasion
    since: date | None
    waits_for: str = ""
    amount: Decimal | None = None


def outlook(
    agreement: Agreement, today: date, calendar: Calendar, taken: Taken = NOTHING, ahead: int = 3
) -> list[ToBill]:
    """Everything that is due, and what comes after it: of each item billed by the period, so many periods."""
    found = [
        each
        for item in items_of(agreement)
        for each in _periods(agreement, item, today, calendar, taken, ahead)
    ]
    return [*sorted(found, key=_order), *_wholes(agreement, today, taken)]


def next_to_bill(
    agreement: Agreement, today: date, calendar: Calendar, taken: Taken = NOTHING
) -> ToBill | None:
    """What is billed next, due already or to come; None if nothing ever will."""
    items = (next(_periods(agreement, item, today, calendar, taken, 1), None) for item in items_of(agreement))
    return min(filter(None, items), key=_order, default=None) or next(_wholes(agreement, today, taken), None)


def _order(each: ToBill) -> tuple[bool, date]:
    return (each.since is None, each.since or date.max)


def _wholes(agreement: Agreement, today: date, taken: Taken) -> Iterator[ToBill]:
    """What is not billed by the period."""
    for occasion in _as_a_whole(agreement, today, taken):
        waits, amount = waits_for(agreement, occasion.item, today), _amount(agreement, occasion.item, today)
        yield ToBill(occasion, None, waits, amount)


def _periods(
    agreement: Agreement, item: Item, today: date, calendar: Calendar, taken: Taken, ahead: int
) -> Iterator[ToBill]:
    by_hand = isinstance(agreement, Recurring) and agreement.trigger is not Trigger.TIME
    if by_hand and agreement.trigger is not Trigger.MANUAL:
        return  # billed as a whole
    begun = to_come = 0
    for each in unbilled(agreement, item, calendar, taken):
        begun, to_come = begun + (each.since <= today), to_come + (each.since > today)
        if to_come > (0 if by_hand and begun else 1 if by_hand else ahead):
            return
        amount = _fee_of(agreement, item, each.occasion.period)
        if by_hand:
            yield ToBill(each.occasion, None, NOBODY_ASKED, amount)
        else:
            yield ToBill(each.occasion, each.since, amount=amount)


def _fee_of(agreement: Agreement, item: Item, period: Period | None) -> Decimal | None:
    if not isinstance(agreement, Retainer) or item.name != FEE or period is None:
        return None
    return sum((part.amount for part in fee(agreement, period)), Decimal(0))


def _as_a_whole(agreement: Agreement, today: date, taken: Taken) -> list[Occasion]:
    def left(*items: str) -> list[Occasion]:
        occasions = [Occasion(agreement=agreement.id, item=each) for each in items]
        return [each for each in occasions if each.billing_key not in taken.keys]

    def following(kind: str) -> list[Occasion]:
        numbered = (left(f"{kind}-{number}") for number in count(1))
        return next(islice(filter(None, numbered), 1))

    match agreement:
        case Milestones():
            return left(*(each.id for each in agreement_on(agreement, today).milestones))
        case FixedPrice():
            return left(PRICE)
        case PrepaidBlock():
            return following(BLOCK)
        case TimeAndMaterials() if agreement.trigger is Trigger.SPEND:
            return [*following(SPEND), *left(COMPLETION)]
        case TimeAndMaterials() if agreement.trigger is Trigger.PROJECT_COMPLETED:
            return left(COMPLETION)
    return []


def waits_for(agreement: Agreement, item: str, today: date) -> str:
    """What bills an item that is not billed by the calendar, as in `waits for …`."""
    trigger = agreement.trigger
    match agreement:
        case Milestones():
            found = [each for each in agreement_on(agreement, today).milestones if each.id == item]
            if trigger is Trigger.MANUAL or not found:
                return NOBODY_ASKED
            progress = found[0].progress or (100 if trigger is Trigger.PROGRESS else None)
            return f"progress of {progress} %" if progress else f"milestone {item} to be signed off"
        case PrepaidBlock() if item != f"{BLOCK}-1":
            number = int(item.partition("-")[2] or 1)
            return (
                f"{BLOCK}-{number - 1} to be used up"
                if agreement.overage is Overage.NEXT_BLOCK
                else NOBODY_ASKED
            )
        case TimeAndMaterials() if item.startswith(SPEND):
            return f"unbilled work of {agreement.currency} {agreement.bill_at or 0:,}"
        case TimeAndMaterials():
            return f"project {agreement.project} to be completed"
    match trigger:
        case Trigger.PROJECT_COMPLETED:
            return f"project {agreement.project} to be completed"
        case Trigger.CONTRACT_SIGNED:
            return (
                f"contract {agreement.contract} to be signed"
                if agreement.contract
                else "its contract to be signed"
            )
        case Trigger.DEAL_WON:
            return f"deal {agreement.deal} to be won" if agreement.deal else "its deal to be won"
    return NOBODY_ASKED


def _amount(agreement: Agreement, item: str, today: date) -> Decimal | None:
    match now := agreement_on(agreement, today):
        case Milestones():
            return next((each.amount for each in now.milestones if each.id == item), None)
        case FixedPrice():
            return now.amount
        case PrepaidBlock():
            return now.price
    return None
