"""The discount for paying early ("2/10 net 30"): until when, how much, and what it takes off each tax."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from billing.draft import Draft
from billing.money import Money, rounded, split, total
from billing.taxes.outcome import TaxComponent
from billing.totals import nets_by_taxes

LAW = "Art. 90(1) Directive 2006/112/EC"
"""Where the price is reduced after the supply takes place, the taxable amount is (DE: § 17(1) UStG)."""


@dataclass(frozen=True)
class ReducedTax:
    """By how much one tax is less, and what it was on."""

    tax: TaxComponent
    taxable: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Reduction:
    """A discount that was taken, with tax (`amount`) and without (`net`), and the taxes that go with it."""

    amount: Decimal
    net: Decimal
    taxes: tuple[ReducedTax, ...]

    @property
    def tax(self) -> Decimal:
        return total(each.amount for each in self.taxes)


@dataclass(frozen=True)
class Offer:
    """What is enough until the last day, that day included: `payable` and `discount` are the amount due together."""

    last_day: date
    percent: Decimal
    discount: Decimal
    payable: Decimal


def offer(draft: Draft, issue_date: date) -> Offer | None:
    """What the terms of an invoice offer to whoever pays early; nothing where there is nothing to pay."""
    terms = draft.terms.early_payment
    if terms is None or draft.due <= 0:
        return None
    discount = rounded(draft.due * terms.percent / 100, draft.currency)
    return Offer(
        last_day=issue_date + timedelta(days=terms.days),
        percent=terms.percent,
        discount=discount,
        payable=draft.due - discount,
    )


def received_in_time(payments: Iterable[tuple[date, Decimal]], last_day: date) -> Decimal:
    """What came by the last day and was kept, of payments by day; below zero is money taken back.

    That is first what came too late: whoever gets back what was paid twice has still paid early. What comes again
    after a charge-back comes too late.
    """
    in_time = late = Decimal(0)
    for day, amount in sorted(payments, key=lambda each: (each[0], each[1] < 0)):
        if amount > 0 and day <= last_day:
            in_time += amount
        else:
            late += amount
        if late < 0:
            in_time, late = in_time + late, Decimal(0)
    return in_time


def payable_after(draft: Draft, offered: Offer, credited: Decimal) -> Decimal:
    """What is enough until the last day once so much of the invoice is credited: as many per cent of what is left."""
    return rounded(offered.payable * (draft.due - credited) / draft.due, draft.currency)


def discount_taken(
    draft: Draft, offered: Offer, in_time: Decimal, paid: Decimal, credited: Decimal = Decimal(0)
) -> Decimal:
    """What is waived: all that is open, once enough was paid in time; nothing before, and nothing of what was paid.

    `in_time` was received by the last day and kept; `paid` is what was received at all, less what was taken back;
    both without the discount itself. Of an invoice that is `credited` in part after it was paid, the discount is less
    by that part; of one that was credited before, enough is as many per cent of what is left.
    """
    left = draft.due - credited
    if in_time >= offered.payable:
        return rounded(max(draft.due - paid, Decimal(0)) * left / draft.due, draft.currency)
    enough = payable_after(draft, offered, credited)
    return max(left - paid, Decimal(0)) if left > 0 and in_time >= enough > 0 else Decimal(0)


def reduction(draft: Draft, amount: Decimal) -> Reduction:
    """What a discount of so much, tax included, takes off the net and off each tax; to the cent, it is their sum.

    The amount is divided over what is taxed alike, by largest remainder; of each part, the taxes are what is in it
    at their rates, rounded half away from zero, and the rest is net.
    """
    nets = {taxes: net for taxes, net in nets_by_taxes(draft).items() if net > 0}
    if not nets or amount == 0:
        return Reduction(amount, amount, ())
    burdens = [_burden(taxes) for taxes in nets]
    weights = [net * burden for net, burden in zip(nets.values(), burdens, strict=True)]
    parts = split(Money.of(amount, draft.currency), weights)
    off: dict[TaxComponent, tuple[Decimal, Decimal]] = {}
    net_off = Decimal(0)
    for taxes, burden, part in zip(nets, burdens, parts, strict=True):
        amounts = [
            rounded(part.amount * each.rate * each.share / 100 / burden, draft.currency) for each in taxes
        ]
        net = part.amount - total(amounts)
        net_off += net
        for each, tax in zip(taxes, amounts, strict=True):
            base, so_far = off.get(each, (Decimal(0), Decimal(0)))
            taxed = rounded(net * each.share / 100, draft.currency)
            off[each] = (base + taxed, so_far + tax)
    return Reduction(amount, net_off, tuple(ReducedTax(each, *figures) for each, figures in off.items()))


def _burden(taxes: Sequence[TaxComponent]) -> Decimal:
    """What a net of 100 comes to with its taxes."""
    return 100 + total(each.rate * each.share / 100 for each in taxes)
