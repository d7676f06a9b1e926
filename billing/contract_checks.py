"""Contract checks: change orders must be signed, and what is billed must lie within what was agreed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from billing.agreements import Agreement, Occasion
from billing.change_orders import ChangeOrder, approved, last_day
from billing.company import Client
from billing.due import FEE, lifetime
from billing.exceptions import Finding, ReasonCode
from billing.findings import Told, differs, not_signed, values_differ
from billing.money import total
from billing.sources import SignedContract, Sources


def check_change_orders(
    agreement: Agreement, client: Client, sources: Sources, until: date, tolerance: Decimal = Decimal(0)
) -> Iterator[Finding]:
    """Every change order in force by a day must be signed, by this client, and over what it says."""
    for order in approved(agreement):
        if order.effective > until:
            continue
        signed = sources.amendments.get(order.document)
        if signed is None:
            yield not_signed(
                f"change order {order.id!r} of agreement {agreement.id!r} is in force since {order.effective}, and "
                f"its document {order.document!r} is not among the signed contracts",
                f"change order {order.id}",
            )
        else:
            yield from _check_amendment(agreement, order, signed, client, tolerance)


def _check_amendment(
    agreement: Agreement, order: ChangeOrder, signed: SignedContract, client: Client, tolerance: Decimal
) -> Iterator[Finding]:
    field = f"change order {order.id}"
    if signed.client != client.crm:
        yield differs(f"{field}: client", f"contract {signed.id} {signed.client}", f"agreement {client.crm}")
    if signed.currency != agreement.currency:
        said, agreed = f"contract {signed.id} {signed.currency}", f"agreement {agreement.currency}"
        yield differs(f"{field}: currency", said, agreed)
        return
    added = total(each.amount for each in order.milestones)
    value = order.amount or order.price or order.budget or added
    if signed.value and value:
        one = Told(f"contract {signed.id}", signed.value, signed.currency)
        other = Told(f"change order {order.id}", value, agreement.currency)
        if one.is_apart(other, tolerance):
            yield values_differ(one, other, f"{field}: value")


def check_dates(agreement: Agreement, occasion: Occasion, sources: Sources) -> Iterator[Finding]:
    """A billed period must lie within the agreement, the signed contract and the life of the project.

    A contract that was signed after the period began is fine: what counts is from when it runs.
    """
    period, contract, project = occasion.period, sources.contract, sources.project
    if period is None:
        return
    lasts = lifetime(agreement)
    if lasts is None or not lasts.start <= period.start <= period.end <= lasts.end:
        lasts_until = last_day(agreement)
        ends = f" and ends on {lasts_until}" if lasts_until else ""
        yield Finding(
            code=ReasonCode.RULES_CHANGED,
            message=f"{period} is not all within agreement {agreement.id!r}, which begins on {agreement.start}{ends}; "
            "void this draft to be billed again: then what is within the agreement is billed",
            field="dates",
        )
    if contract and (
        (contract.start and period.start < contract.start) or (contract.end and period.end > contract.end)
    ):
        runs = " ".join(
            [
                *([f"from {contract.start}"] if contract.start else []),
                *([f"to {contract.end}"] if contract.end else []),
            ]
        )
        yield Finding(
            code=ReasonCode.SOURCES_DIFFER,
            message=f"{period} is not all within contract {contract.id!r}, which runs {runs}; "
            "have the renewal signed and filed, or accept to bill it all the same",
            field="dates",
            left=f"agreement {period}",
            right=f"contract {runs}",
        )
    billed = occasion.item == FEE or sources.time_entries or sources.expenses
    if project and project.completed and project.completed < period.start and billed:
        yield Finding(
            code=ReasonCode.SOURCES_DIFFER,
            message=f"project {project.id!r} was completed on {project.completed}, before {period}; "
            "end the agreement or reopen the project, or accept to bill it all the same",
            field="project",
            left=f"PSA completed {project.completed}",
            right=f"agreement {period}",
        )
