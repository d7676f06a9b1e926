"""Agreements billed by an event: what has happened already and nobody has billed, and what is still awaited."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.agreements import (
    Agreement,
    FixedPrice,
    Milestones,
    Occasion,
    Overage,
    PrepaidBlock,
    Recurring,
    TimeAndMaterials,
    Trigger,
)
from billing.change_orders import Instalment, agreement_on
from billing.due import all_milestones, items_of
from billing.errors import SourceUnavailable
from billing.money import Money, rounded, written
from billing.occasions import BLOCK, COMPLETION, PRICE, SPEND
from billing.request import BillingRequest
from billing.simulation.outcome import Waiting
from billing.sources import Sources
from billing.taken import Taken

Read = Callable[[BillingRequest], Sources]
"""What the sources say about a request. Raises `SourceUnavailable`."""


@dataclass(frozen=True)
class _Awaited:
    """An item, what bills it, whether that has happened, and the net price, where one was agreed."""

    item: str
    what: str
    happened: Callable[[Sources], bool] = lambda _: False
    net: Decimal | None = None


def events(
    agreement: Agreement, today: date, taken: Taken, read: Read, hours_to_go: Decimal | None = None
) -> Iterator[BillingRequest | Waiting]:
    """A request for everything that has happened by `today` and is not billed; for the rest, what it waits for.

    A prepaid agreement has so many `hours_to_go` until its next block is due; None where nobody has counted them.
    """
    for each in _awaited(agreement, today, taken, hours_to_go):
        occasion = Occasion(agreement=agreement.id, item=each.item)
        if occasion.billing_key in taken.keys:
            continue
        request = BillingRequest(
            billing_key=occasion.billing_key, trigger=f"event {each.what}", requested_by="", occasion=occasion
        )
        waits_for = each.what
        try:
            if each.happened(read(request)):
                yield request
                continue
        except SourceUnavailable as error:
            waits_for = str(error)
        net = (
            None if each.net is None else Money.of(rounded(each.net, agreement.currency), agreement.currency)
        )
        yield Waiting(agreement.client, agreement.id, occasion.billing_key, waits_for, net)


def _awaited(
    agreement: Agreement, today: date, taken: Taken, hours_to_go: Decimal | None
) -> Iterator[_Awaited]:
    by_hand = agreement.trigger is Trigger.MANUAL
    match agreement:
        case Milestones():
            yield from (_milestone(agreement, each, today) for each in all_milestones(agreement))
        case FixedPrice():
            net = agreement_on(agreement, today).amount
            yield _Awaited(PRICE, _what(agreement), _whole(agreement, today), net)
        case PrepaidBlock():
            yield from _block(agreement, today, taken, hours_to_go)
        case TimeAndMaterials() if agreement.trigger is Trigger.PROJECT_COMPLETED:
            yield _Awaited(COMPLETION, _what(agreement), _whole(agreement, today))
        case TimeAndMaterials() if agreement.trigger is Trigger.SPEND and agreement.bill_at is not None:
            net = agreement.bill_at
            reached = f"work for {agreement.currency} {written(net, agreement.currency)}"
            yield _Awaited(f"{SPEND}-{_next(agreement, SPEND, taken)}", reached, net=net)
        case _ if by_hand and isinstance(agreement, Recurring):
            yield from (_Awaited(each.name, "somebody who asks") for each in items_of(agreement))


def _milestone(agreement: Milestones, milestone: Instalment, today: date) -> _Awaited:
    def signed_off(sources: Sources) -> bool:
        found = sources.milestone
        return found is not None and found.signed_off is not None and found.signed_off <= today

    def far_enough(sources: Sources) -> bool:
        done = sources.milestone.progress if sources.milestone else 0
        return signed_off(sources) or (milestone.progress is not None and done >= milestone.progress)

    match agreement.trigger:
        case Trigger.MANUAL:
            return _Awaited(milestone.id, "somebody who asks", net=milestone.amount)
        case Trigger.PROGRESS:
            what = f"{milestone.progress} % of {milestone.id}"
            return _Awaited(milestone.id, what, far_enough, milestone.amount)
    return _Awaited(milestone.id, f"milestone {milestone.id} signed off", signed_off, milestone.amount)


def _whole(agreement: Agreement, today: date) -> Callable[[Sources], bool]:
    """Whether that has happened which bills the agreement as a whole."""

    def happened(sources: Sources) -> bool:
        match agreement.trigger:
            case Trigger.PROJECT_COMPLETED:
                day = sources.project.completed if sources.project else None
            case Trigger.CONTRACT_SIGNED:
                day = sources.contract.signed_on if sources.contract else None
            case Trigger.DEAL_WON if sources.deal and sources.deal.won:
                day = sources.deal.won_on or today
            case _:
                day = None
        return day is not None and day <= today

    return happened


def _block(
    agreement: PrepaidBlock, today: date, taken: Taken, hours_to_go: Decimal | None
) -> Iterator[_Awaited]:
    """The first block, by what sells it, else the next one, by the hours of the one before."""
    number, net = _next(agreement, BLOCK, taken), agreement_on(agreement, today).price
    if number == 1:
        yield _Awaited(f"{BLOCK}-1", _what(agreement), _whole(agreement, today), net)
    elif agreement.overage is Overage.NEXT_BLOCK:
        to_go = "" if hours_to_go is None else f": {hours_to_go.normalize():f} h to go"
        yield _Awaited(f"{BLOCK}-{number}", f"block {number - 1} used up{to_go}", net=net)


def _next(agreement: Agreement, kind: str, taken: Taken) -> int:
    """The first number of a kind of item that is not billed."""
    number = 1
    while Occasion(agreement=agreement.id, item=f"{kind}-{number}").billing_key in taken.keys:
        number += 1
    return number


def _what(agreement: Agreement) -> str:
    subject = {
        Trigger.PROJECT_COMPLETED: f"project {agreement.project} completed",
        Trigger.CONTRACT_SIGNED: f"contract {agreement.contract or ''} signed",
        Trigger.DEAL_WON: f"deal {agreement.deal or ''} won",
    }
    return subject.get(agreement.trigger, "somebody who asks").replace("  ", " ")
