"""Limits: what was agreed as the most, in hours and money; beyond it a change order or a person decides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from billing.agreements import Agreement, Expenses, FixedPrice, Milestones, Occasion, TimeAndMaterials
from billing.change_orders import agreement_on
from billing.due import all_milestones
from billing.exceptions import Finding, ReasonCode
from billing.money import total, written
from billing.sources import Sources


def check_scope(agreement: Milestones | FixedPrice, sources: Sources, today: date) -> Iterator[Finding]:
    """Hours of the project beyond the agreed ones, with the change orders in force today."""
    scope = agreement_on(agreement, today).scope_hours
    if scope is not None and sources.hours_so_far > scope:
        yield Finding(
            code=ReasonCode.CAP_EXCEEDED,
            message=f"{sources.hours_so_far} hours of project {agreement.project!r} exceed the agreed scope of "
            f"{scope} hours; agree on a change order, or accept to bill what was agreed",
            field="scope",
            left=f"PSA {sources.hours_so_far} h",
            right=f"agreement {scope} h",
        )


def check_limits(
    agreement: Agreement, occasion: Occasion, sources: Sources, net: Decimal, today: date
) -> Iterator[Finding]:
    """The net of this invoice, with what is billed already, must keep to what was agreed as the most.

    What counts is the limit on the last day that is billed, with the change orders in force by then.
    """
    currency = agreement.currency
    terms = agreement_on(agreement, min(occasion.period.end, today) if occasion.period else today)
    if isinstance(terms, TimeAndMaterials | Expenses) and terms.cap is not None and occasion.period:
        yield from _over(net, sources.billed_in_period, terms.cap, "cap", "a period", currency)
    if isinstance(terms, TimeAndMaterials) and terms.budget is not None:
        yield from _over(net, sources.billed_net, terms.budget, "budget", "in all", currency)


def _over(
    net: Decimal, billed: Decimal, most: Decimal, field: str, of: str, currency: str
) -> Iterator[Finding]:
    if net + billed <= most:
        return
    so_far = f", with {written(billed, currency)} billed before," if billed else ""
    yield Finding(
        code=ReasonCode.CAP_EXCEEDED,
        message=f"{written(net, currency)} {currency}{so_far} exceed the {field} of {written(most, currency)} {of}; "
        "agree on a change order, or accept to bill the whole",
        field=field,
        left=f"PSA {written(net + billed, currency)} {currency}",
        right=f"agreement {written(most, currency)} {currency}",
    )


def check_whole(
    agreement: Agreement, sources: Sources, net: Decimal, tolerance: Decimal
) -> Iterator[Finding]:
    """The milestones that are billed may not come to more than all of them, whatever was changed since the first."""
    if not isinstance(agreement, Milestones):
        return
    whole = total(each.amount for each in all_milestones(agreement))
    if net + sources.billed_net > whole + tolerance:
        currency = agreement.currency
        yield Finding(
            code=ReasonCode.SOURCES_DIFFER,
            message=f"{written(net, currency)} {currency}, with {written(sources.billed_net, currency)} billed before, "
            f"are more than the {written(whole, currency)} agreed; correct the agreement, or accept the difference",
            field="billed",
            left=f"invoices {written(net + sources.billed_net, currency)} {currency}",
            right=f"agreement {written(whole, currency)} {currency}",
        )
