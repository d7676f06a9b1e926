"""Which trigger can bill which billing model, and what it needs to do so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from billing.agreements import (
    Agreement,
    Expenses,
    FixedPrice,
    Milestones,
    Overage,
    PrepaidBlock,
    Retainer,
    TimeAndMaterials,
    Timing,
    Trigger,
)
from billing.complaints import Complaint, KeyPath, article, either

CAN_BILL: Mapping[type[BaseModel], tuple[Trigger, ...]] = {
    Retainer: (Trigger.TIME, Trigger.MANUAL),
    TimeAndMaterials: (Trigger.TIME, Trigger.PROJECT_COMPLETED, Trigger.SPEND, Trigger.MANUAL),
    Expenses: (Trigger.TIME, Trigger.MANUAL),
    Milestones: (Trigger.MILESTONE_SIGNED_OFF, Trigger.PROGRESS, Trigger.MANUAL),
    FixedPrice: (Trigger.PROJECT_COMPLETED, Trigger.CONTRACT_SIGNED, Trigger.DEAL_WON, Trigger.MANUAL),
    PrepaidBlock: (Trigger.CONTRACT_SIGNED, Trigger.DEAL_WON, Trigger.MANUAL),
}
"""The triggers of each model; of a prepaid block, what bills the first: the meter bills those that follow."""


def can_bill(agreement: Agreement) -> tuple[Trigger, ...]:
    """The triggers that can bill the agreement's model."""
    return CAN_BILL[type(agreement)]


def check_billability(at: KeyPath, agreement: Agreement) -> Iterator[Complaint]:
    """What keeps the agreement's trigger from billing it; a warning where only somebody who asks will."""
    possible = can_bill(agreement)
    if agreement.trigger not in possible:
        yield Complaint(
            (*at, "trigger"),
            f"{agreement.trigger.value!r} cannot bill {article(agreement.model)} agreement; "
            f"write {either([each.value for each in possible])}",
        )
    elif agreement.trigger is Trigger.MANUAL:
        yield Complaint(
            (*at, "trigger"),
            f"nothing bills this by itself; somebody must ask: billow trigger --agreement {agreement.id}",
            warning=True,
        )
    yield from _subject_missing(at, agreement)
    match agreement:
        case TimeAndMaterials() | Expenses() if agreement.timing is Timing.ADVANCE:
            work = "hours are" if isinstance(agreement, TimeAndMaterials) else "expenses are"
            yield Complaint(
                (*at, "timing"),
                f"{work} known only when the period is over; write timing: in arrears, or leave it out",
            )
        case TimeAndMaterials() if agreement.trigger is Trigger.SPEND and agreement.bill_at is None:
            yield Complaint(
                (*at, "trigger"), "at which spend is not said; add bill_at: the net amount of unbilled work"
            )
        case Milestones() if agreement.trigger is Trigger.PROGRESS:
            for n, each in enumerate(agreement.milestones):
                if each.progress is None:
                    yield Complaint(
                        (*at, "milestones", n, "progress"),
                        f"progress of how much bills {each.id!r} is not said; add progress: per cent, such as 50",
                    )
        case PrepaidBlock() if agreement.overage is Overage.RATE and agreement.overage_rate is None:
            yield Complaint(
                (*at, "overage"),
                "hours beyond the block have no price; add overage_rate: the price of an hour",
            )


def _subject_missing(at: KeyPath, agreement: Agreement) -> Iterator[Complaint]:
    """An event about a contract or a deal finds its agreement by what the agreement names."""
    for trigger, key in ((Trigger.CONTRACT_SIGNED, "contract"), (Trigger.DEAL_WON, "deal")):
        if agreement.trigger is trigger in can_bill(agreement) and getattr(agreement, key) is None:
            yield Complaint(
                (*at, "trigger"),
                f"billed when the {trigger.value.replace(' ', ' is ')}, but no {key} is named: nothing will "
                f"ever bill it unless an event names this agreement; add {key}: its id",
                warning=True,
            )
