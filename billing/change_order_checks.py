"""What must fit in the change orders of an agreement."""

from __future__ import annotations

from collections.abc import Iterator

from billing.agreements import Agreement, Milestones
from billing.change_orders import ChangeOrder, last_day, without_effect
from billing.complaints import CompanyRecords, Complaint, KeyPath, reference, taken_already

_ORDER_ITSELF = {"id", "effective", "reason", "document", "proposed_by", "approved_by", "approved_on"}


def check_change_orders(at: KeyPath, agreement: Agreement, records: CompanyRecords) -> Iterator[Complaint]:
    """Orders out of the agreement's time, by nobody, of no use to its model, or not approved (a warning)."""
    milestones = [each.id for each in agreement.milestones] if isinstance(agreement, Milestones) else []
    for n, order in enumerate(agreement.change_orders):
        here = (*at, "change_orders", n)
        if order.id in [each.id for each in agreement.change_orders[:n]]:
            yield Complaint((*here, "id"), taken_already(order.id))
        yield from reference((*here, "proposed_by"), order.proposed_by, "person", records.people.ids)
        yield from reference((*here, "approved_by"), order.approved_by, "person", records.people.ids)
        yield from _dates(here, agreement, order)
        for key in without_effect(agreement, order):
            yield Complaint((*here, key), f"a {agreement.model} agreement has no {key} to change; remove it")
        if not order.model_fields_set - _ORDER_ITSELF:
            yield Complaint(
                here, "says nothing that changes; add the new figure, such as amount, rates, hours or end"
            )
        for m, each in enumerate(order.milestones):
            if each.id in milestones:
                yield Complaint((*here, "milestones", m, "id"), taken_already(each.id))
            milestones.append(each.id)
        if order.approved_by is None:
            yield Complaint(
                here,
                "not approved: changes nothing; add approved_by and approved_on once somebody else than "
                f"{order.proposed_by!r} has agreed",
                warning=True,
            )


def _dates(here: KeyPath, agreement: Agreement, order: ChangeOrder) -> Iterator[Complaint]:
    ends = last_day(agreement)
    if order.effective < agreement.start:
        yield Complaint(
            (*here, "effective"),
            f"{order.effective} lies before the agreement starts, {agreement.start}; "
            "write that day or a later one",
        )
    elif ends and order.effective > ends and not order.end:
        yield Complaint(
            (*here, "effective"),
            f"{order.effective} lies after the agreement ends, {ends}; write an earlier day, "
            "or end: the new last day",
        )
    if order.end and order.end < agreement.start:
        yield Complaint(
            (*here, "end"),
            f"{order.end} lies before the agreement starts, {agreement.start}; write a later day",
        )
