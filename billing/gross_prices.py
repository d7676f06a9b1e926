"""Prices agreed with tax: brought to net so that the invoice comes to what was agreed, to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.draft import InvoiceLine
from billing.money import Money, rounded, smallest_unit, split, total
from billing.taxes.outcome import TaxComponent

_MOST_DECIMALS = 12


@dataclass(frozen=True)
class NetLines:
    """Lines without tax, and what must be added to their gross so that it is the agreed one (BT-114).

    With some rates no net has exactly the agreed gross: at 19 % none comes to 0.03, for 0.02 is too little and 0.03 is
    0.04 with tax. Then `rounding` says by how much the nearest is off.
    """

    lines: tuple[InvoiceLine, ...]
    rounding: Decimal


def without_tax(lines: Sequence[InvoiceLine], taxes: Sequence[TaxComponent], currency: str) -> NetLines:
    """Lines whose prices are with tax, all taxed alike, as lines without.

    The net of the whole is the one whose gross is nearest to the agreed one; lines share it by largest remainder, and
    each unit price has as many decimals as its line needs (Peppol R120).
    """
    agreed = total(each.net for each in lines)
    net = _net_of(agreed, taxes, currency)
    rounding = (agreed - _gross_of(net, taxes, currency)) or Decimal(0)
    nets = _shared(net, [each.net for each in lines], _burden(taxes), currency)
    return NetLines(
        tuple(_at(each, part, currency) for each, part in zip(lines, nets, strict=True)), rounding
    )


def _gross_of(net: Decimal, taxes: Sequence[TaxComponent], currency: str) -> Decimal:
    """As the invoice computes it: each tax on its share, rounded."""
    parts = ((rounded(net * each.share / 100, currency), each.rate) for each in taxes)
    return net + total(rounded(taxable * rate / 100, currency) for taxable, rate in parts)


def _net_of(gross: Decimal, taxes: Sequence[TaxComponent], currency: str) -> Decimal:
    first, unit = rounded(gross * 100 / _burden(taxes), currency), smallest_unit(currency)
    near = (first, first - unit, first + unit)
    return min(near, key=lambda net: abs(gross - _gross_of(net, taxes, currency)))


def _burden(taxes: Sequence[TaxComponent]) -> Decimal:
    """What a net of 100 comes to with its taxes."""
    return 100 + total(each.rate * each.share / 100 for each in taxes)


def _shared(net: Decimal, weights: Sequence[Decimal], burden: Decimal, currency: str) -> list[Decimal]:
    """The net over the lines; of lines above and below zero, each side its own part."""
    above = [max(each, Decimal(0)) for each in weights]
    below = [max(-each, Decimal(0)) for each in weights]
    if not total(above) or not total(below):
        side = above if total(above) else below
        if not total(side):
            return [Decimal(0) for _ in weights]
        return [part.amount for part in split(Money.of(net, currency), side)]
    less = rounded(total(below) * 100 / burden, currency)
    sides = zip(
        split(Money.of(net + less, currency), above), split(Money.of(less, currency), below), strict=True
    )
    return [one.amount - other.amount for one, other in sides]


def _at(line: InvoiceLine, net: Decimal, currency: str) -> InvoiceLine:
    """The line at the unit price with the fewest decimals that comes to the net."""
    if not line.quantity:
        return line.model_copy(update={"unit_price": Decimal(0), "net": net})
    exact = net / line.quantity
    places = -int(smallest_unit(currency).as_tuple().exponent)
    prices = (exact.quantize(Decimal(1).scaleb(-each)) for each in range(places, _MOST_DECIMALS + 1))
    price = next(each for each in prices if rounded(line.quantity * each, currency) == net)
    return line.model_copy(update={"unit_price": price, "net": net})
