"""Disputes: why a client disputes an invoice, how that can end, and what of the invoice is disputed."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from billing.draft import Draft, InvoiceLine
from billing.errors import Refused
from billing.money import Figure, Money, rounded, split, total


class DisputeCode(StrEnum):
    """Why a client disputes an invoice."""

    PRICE = "price"
    QUANTITY = "quantity"
    QUALITY = "quality"
    NOT_DELIVERED = "not-delivered"
    NOT_ORDERED = "not-ordered"
    DUPLICATE = "duplicate"
    ORDER_NUMBER = "order-number"
    TAX = "tax"
    OTHER = "other"


class Outcome(StrEnum):
    """How a dispute ended. Rejected: the claim stands; settled: it was paid or given up while nobody had decided."""

    CREDITED = "credited"
    CORRECTED = "corrected"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SETTLED = "settled"


class DisputedLine(BaseModel):
    """A line by its position, from 1, and what of the amount due it stands for: with tax, in the invoice's currency."""

    model_config = ConfigDict(frozen=True)

    line: int
    amount: Figure


def disputed_lines(draft: Draft, positions: Collection[int]) -> tuple[DisputedLine, ...]:
    """The lines at these positions with their shares of the amount due, in the order of the invoice.

    The shares of all lines sum to the amount due: allowances, charges and rounding of the document are spread over
    them by largest remainder. `Refused` for a line the invoice does not have.
    """
    unknown = sorted({each for each in positions if not 1 <= each <= len(draft.lines)})
    if unknown:
        raise Refused(
            f"there is no line {', '.join(map(str, unknown))}; the invoice has lines 1 to {len(draft.lines)}"
        )
    shares = _shares(draft)
    return tuple(DisputedLine(line=each, amount=shares[each - 1]) for each in sorted(set(positions)))


def _shares(draft: Draft) -> list[Decimal]:
    weights = [line.net * (100 + _rate(draft, line)) for line in draft.lines]
    if draft.due > 0 and total(weights) > 0 and all(weight >= 0 for weight in weights):
        return [share.amount for share in split(Money.of(draft.due, draft.currency), weights)]
    return [rounded(weight / 100, draft.currency) for weight in weights]


def _rate(draft: Draft, line: InvoiceLine) -> Decimal:
    """What the taxes of a line come to, in per cent of its net."""
    return total(each.rate * each.share / 100 for each in line.taxes or draft.taxes)
