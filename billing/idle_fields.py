"""Fields of an agreement that are written and change nothing, because of its model, trigger or other fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from billing.agreements import (
    Agreement,
    Milestones,
    Overage,
    PrepaidBlock,
    Recurring,
    Retainer,
    TimeAndMaterials,
    Trigger,
)
from billing.complaints import Complaint, KeyPath

_CALENDAR = ("timing", "bill_on", "skip_empty")
_PERIODS = ("every", "anchor")
_HOURLY = ("rates", "included_hours", "group_by", "leftovers", "skip_empty")


def check_idle_fields(at: KeyPath, agreement: Agreement) -> Iterator[Complaint]:
    """A warning for each field that somebody wrote and that has no effect."""
    for keys, why in _idle(agreement):
        for key in keys:
            if key in agreement.model_fields_set and getattr(agreement, key):
                yield Complaint((*at, key), f"has no effect {why}", warning=True)
    if isinstance(agreement, Milestones) and agreement.trigger is Trigger.MANUAL:
        for n, each in enumerate(agreement.milestones):
            if each.progress is not None:
                message = "has no effect with trigger: manual; leave it out"
                yield Complaint((*at, "milestones", n, "progress"), message, warning=True)


def _idle(agreement: Agreement) -> Iterator[tuple[Iterable[str], str]]:
    if isinstance(agreement, Recurring) and agreement.anchor == agreement.start:
        yield ("anchor",), "on the day of the start; leave it out"
    match agreement:
        case Retainer() if not agreement.bills_overage:
            why = "since hours beyond the fee are billed only with project, included_hours and rates; add what lacks"
            yield _HOURLY, why
        case TimeAndMaterials():
            if agreement.trigger is not Trigger.SPEND:
                yield ("bill_at",), "unless trigger: spend reached; add it, or leave bill_at out"
            if agreement.trigger in (Trigger.SPEND, Trigger.PROJECT_COMPLETED):
                why = f"with trigger: {agreement.trigger.value}, since it is not billed by the period; leave it out"
                by_period = agreement.cap or agreement.included_hours
                yield (*_CALENDAR, "minimum", *(() if by_period else _PERIODS)), why
        case PrepaidBlock():
            if agreement.overage is not Overage.RATE:
                yield ("overage_rate",), "unless overage: rate; add it, or leave overage_rate out"
            if agreement.overage is not Overage.NEXT_BLOCK:
                yield ("replenish_at",), "unless overage: next block; add it, or leave replenish_at out"
            if agreement.expires_after_months is None:
                yield ("roll_over",), "since blocks never expire; add expires_after_months, or leave it out"
