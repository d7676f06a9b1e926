"""Prepayments: what was invoiced ahead of a service, deducted by the final invoice with the tax it bore."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from billing.draft import Draft, InvoiceLine, line
from billing.errors import MoneyError
from billing.exceptions import Finding, ReasonCode
from billing.line_words import LineWords
from billing.money import Currency, Figure, rounded, total, written
from billing.taxes.outcome import TaxComponent
from billing.totals import nets_by_taxes

_MINUS_ONE = Decimal(-1)
_PIECE = "C62"


class PrepaidPart(BaseModel):
    """The net of what was taxed alike, above zero."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    taxes: tuple[TaxComponent, ...]
    net: Figure


class Prepayment(BaseModel):
    """An issued invoice for what was to be paid in advance; `item` is the milestone it billed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: str
    item: str
    issued_on: date
    currency: Currency
    parts: tuple[PrepaidPart, ...]
    settled: bool = False

    @property
    def net(self) -> Decimal:
        return total(each.net for each in self.parts)


def prepayment(
    draft: Draft,
    number: str,
    item: str,
    issued_on: date,
    *,
    settled: bool,
    credited: Iterable[Draft] = (),
) -> Prepayment:
    """What an issued prepayment invoice can have deducted: the nets it billed, by the taxes they bore.

    What its credit notes took back of them was not received, and is not deducted.
    """
    nets = nets_by_taxes(draft)
    for note in credited:
        for taxes, net in nets_by_taxes(note).items():
            nets[taxes] = nets.get(taxes, Decimal(0)) - net
    parts = [PrepaidPart(taxes=taxes, net=net) for taxes, net in nets.items() if net > 0]
    return Prepayment(
        number=number,
        item=item,
        issued_on=issued_on,
        currency=draft.currency,
        parts=tuple(parts),
        settled=settled,
    )


def deductions(
    prepayments: Sequence[Prepayment], currency: str, words: LineWords, now: tuple[TaxComponent, ...] = ()
) -> list[InvoiceLine]:
    """One line for each prepayment and the taxes it bore, below zero by its quantity (EN 16931, BR-27).

    Each is deducted once and whole, at the rate it was invoiced at, so that a change of rate in between is right
    (§ 27(1) sentence 3 UStG); net and tax of each are stated (§ 14(5) sentence 2 UStG). `now` are the taxes of the
    final invoice: a tax that is still the same bears the name and number it has there.
    `MoneyError` for another currency, or one that stands there twice.
    """
    numbers = [each.number for each in prepayments]
    for each in prepayments:
        if each.currency != currency:
            raise MoneyError(
                f"prepayment {each.number} is in {each.currency}, the final invoice in {currency}; bill both in one"
            )
        if numbers.count(each.number) > 1:
            raise MoneyError(f"prepayment {each.number} would be deducted twice; name it once")
    return [
        line(
            words.prepaid.format(number=each.number, day=words.day(each.issued_on)),
            _MINUS_ONE,
            _PIECE,
            part.net,
            currency,
            detail=", ".join(_tax_in(part, tax, currency, words) for tax in part.taxes if tax.rate),
            why=f"prepaid by {each.number} for {each.item}",
            taxes=now if _same(part.taxes, now) else part.taxes,
        )
        for each in prepayments
        for part in each.parts
    ]


def _same(one: Sequence[TaxComponent], other: Sequence[TaxComponent]) -> bool:
    """Whether taxes are the same but for name and number: one category and rate has one breakdown (BR-S-08)."""
    return [(each.category, each.rate, each.share) for each in one] == [
        (each.category, each.rate, each.share) for each in other
    ]


def taxed_by(lines: Sequence[InvoiceLine], taxes: tuple[TaxComponent, ...]) -> list[InvoiceLine]:
    """The lines with their taxes named, as they must be beside lines that name others."""
    return [each if each.taxes else each.model_copy(update={"taxes": taxes}) for each in lines]


def in_other_currency(prepayments: Sequence[Prepayment], currency: str) -> Iterator[Finding]:
    """What cannot be deducted, because the agreement was billed in another currency before."""
    for each in prepayments:
        if each.currency != currency:
            yield Finding(
                code=ReasonCode.RULES_CHANGED,
                message=f"prepayment {each.number} is in {each.currency}, the agreement in {currency}; put that "
                "back, or void this draft and bill what is left by a one-off",
                field="prepayments",
                left=f"invoice {each.number}",
            )


def check_settled(prepayments: Sequence[Prepayment]) -> Iterator[Finding]:
    """A final invoice deducts what was received: one that is unpaid is told to a person (§ 14(5) sentence 2 UStG)."""
    for each in prepayments:
        if not each.settled:
            amount = f"{written(each.net, each.currency)} {each.currency}"
            yield Finding(
                code=ReasonCode.PREPAYMENT_UNPAID,
                message=f"prepayment {each.number} over {amount} net is not paid, and would be deducted; "
                "wait for the payment, or accept",
                field="prepayments",
                left=f"invoice {each.number}",
            )


def _tax_in(part: PrepaidPart, tax: TaxComponent, currency: str, words: LineWords) -> str:
    taxable = rounded(part.net * tax.share / 100, currency)
    amount = rounded(taxable * tax.rate / 100, currency)
    return f"{tax.name} {words.figure(tax.rate)} %: {words.amount(-amount)}"
