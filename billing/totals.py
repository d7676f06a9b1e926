"""What an invoice comes to: its taxes by name, category and rate, and its sums, as EN 16931 computes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain

from billing.allowances import Allowance, Charge, sum_of
from billing.draft import Draft, InvoiceLine, TaxBreakdown
from billing.money import Money, rounded, split, total
from billing.taxes.outcome import TaxComponent, TaxDecision

_ZERO = Decimal(0)

Taxes = tuple[TaxComponent, ...]


@dataclass(frozen=True)
class Totals:
    """Sums in the invoice's currency: net is BT-109, tax BT-110, gross BT-112, rounding BT-114."""

    taxes: tuple[TaxBreakdown, ...]
    net: Decimal
    tax: Decimal
    gross: Decimal
    rounding: Decimal = _ZERO


def totals(
    lines: Sequence[InvoiceLine],
    decision: TaxDecision,
    currency: str,
    *,
    allowances: Sequence[Allowance] = (),
    charges: Sequence[Charge] = (),
    others: Sequence[TaxDecision] = (),
    round_due_to: Decimal | None = None,
    agreed_gross: Decimal | None = None,
) -> Totals:
    """The sums of an invoice, exact (BR-CO-10 to BR-CO-17).

    `decision` taxes what names no taxes of its own; `others` explain the taxes that lines name. `round_due_to` is
    the step the amount due is rounded to (0.05 for Swiss cash payments), half away from zero. `agreed_gross` is what is
    due where prices were agreed with tax, if that is not the gross to the cent.
    """
    taxes = breakdowns(lines, decision, currency, allowances=allowances, charges=charges, others=others)
    net = total(each.net for each in lines) - sum_of(allowances) + sum_of(charges)
    tax = total(each.tax for each in taxes)
    gross = net + tax
    # a plain zero, as a draft has by default: its digest must not know how many decimals nothing has
    rounding = (due_of(gross, agreed_gross, round_due_to) - gross) or _ZERO
    return Totals(taxes, rounded(net, currency), rounded(tax, currency), rounded(gross, currency), rounding)


def breakdowns(
    lines: Sequence[InvoiceLine],
    decision: TaxDecision,
    currency: str,
    *,
    allowances: Sequence[Allowance] = (),
    charges: Sequence[Charge] = (),
    others: Sequence[TaxDecision] = (),
) -> tuple[TaxBreakdown, ...]:
    """Each tax on the sum of all it falls on, rounded once, not by line (BR-CO-17; BR-S-08 and its like)."""
    explained = {component: each for each in (*others, decision) for component in each.taxes}
    return tuple(
        TaxBreakdown(
            category=tax.category,
            rate=tax.rate,
            taxable=taxable,
            tax=rounded(taxable * tax.rate / 100, currency),
            note=explained[tax].note if tax in explained else "",
            why=explained[tax].why if tax in explained else "",
            name=tax.name,
            share=tax.share,
            number=tax.number,
            exemption_code=explained[tax].exemption_code if tax in explained else "",
        )
        for tax, taxable in taxable_by_tax(lines, allowances, charges, decision.taxes, currency).items()
    )


def taxable_by_tax(
    lines: Sequence[InvoiceLine],
    allowances: Sequence[Allowance],
    charges: Sequence[Charge],
    default: Taxes,
    currency: str,
) -> dict[TaxComponent, Decimal]:
    """What each tax falls on: lines less allowances plus charges that bear it (BT-116), or its share of that."""
    bases: dict[TaxComponent, Decimal] = {}
    signed = chain(
        ((each.taxes, each.net) for each in lines),
        ((each.taxes, -each.amount) for each in allowances),
        ((each.taxes, each.amount) for each in charges),
    )
    for taxes, amount in signed:
        for tax in taxes or default:
            bases[tax] = bases.get(tax, _ZERO) + amount
    return {tax: rounded(base * tax.share / 100, currency) for tax, base in bases.items()}


def nets_by_taxes(draft: Draft) -> dict[Taxes, Decimal]:
    """The net of what is taxed alike: lines less allowances plus charges, by the taxes they bear together."""
    default = tuple(component(each) for each in draft.taxes)
    nets: dict[Taxes, Decimal] = {}
    signed = chain(
        ((each.taxes, each.net) for each in draft.lines),
        ((each.taxes, -each.amount) for each in draft.allowances),
        ((each.taxes, each.amount) for each in draft.charges),
    )
    for taxes, amount in signed:
        nets[taxes or default] = nets.get(taxes or default, _ZERO) + amount
    return nets


def component(tax: TaxBreakdown) -> TaxComponent:
    """The tax that a row of the breakdown states."""
    return TaxComponent(
        name=tax.name, category=tax.category, rate=tax.rate, share=tax.share, number=tax.number
    )


def due_of(gross: Decimal, agreed_gross: Decimal | None, step: Decimal | None) -> Decimal:
    """What is to be paid: the agreed gross, if there is one, in whole steps, if there are any (BT-115)."""
    due = gross if agreed_gross is None else agreed_gross
    return round_to(due, step) if step else due


def round_to(amount: Decimal, step: Decimal) -> Decimal:
    """The amount in whole steps, half away from zero: 10.025 in steps of 0.05 is 10.05."""
    return (amount / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step + 0


def apportioned(allowance: Allowance, lines: Sequence[InvoiceLine], currency: str) -> tuple[Allowance, ...]:
    """An allowance on all lines, one part for each set of taxes they bear, for none may bear two (BG-20).

    Parts follow the nets, by largest remainder, so that they sum to the whole; a set whose lines sum to nothing or less
    has no part in it. Where all lines are taxed alike, it stays as it is.
    """
    nets: dict[Taxes, Decimal] = {}
    for each in lines:
        nets[each.taxes] = nets.get(each.taxes, _ZERO) + each.net
    bearing = {taxes: net for taxes, net in nets.items() if net > 0}
    if len(nets) == 1 or not bearing:
        taxes = next(iter(nets), ())
        return (allowance.model_copy(update={"taxes": taxes}) if taxes else allowance,)
    parts = split(Money.of(allowance.amount, currency), list(bearing.values()))
    # a part is not its own base times the percentage to the cent, so it does not claim to be (Peppol R040)
    return tuple(
        allowance.model_copy(update={"amount": part.amount, "base": None, "percent": None, "taxes": taxes})
        for taxes, part in zip(bearing, parts, strict=True)
        if part.amount
    )
