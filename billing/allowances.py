"""Allowances and charges: what is taken off or put on a line, or the whole invoice, before tax (EN 16931)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from billing.money import Figure, rounded, total
from billing.taxes.outcome import TaxComponent


class AllowanceCode(StrEnum):
    """Why something is taken off: the codes of UNTDID 5189 that services need."""

    DISCOUNT = "95"
    SPECIAL_REBATE = "100"
    FIXED_LONG_TERM = "102"
    TEMPORARY = "103"
    STANDARD = "104"
    YEARLY_TURNOVER = "105"


class ChargeCode(StrEnum):
    """Why something is put on: the codes of UNTDID 7161 that services need."""

    OTHER_SERVICES = "ADR"
    FREIGHT = "FC"
    FINANCING = "FI"


class Adjustment(BaseModel):
    """Amount in the invoice's currency, net of tax; `base` and `percent` where it was reckoned from them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    amount: Figure
    base: Figure | None = None
    percent: Figure | None = None
    reason: str = ""
    taxes: tuple[TaxComponent, ...] = Field(
        default=(), description="of the whole document only; empty: the invoice's own taxes"
    )
    why: str = Field(default="", description="the rule it comes from, for the approver")
    reason_code: AllowanceCode | ChargeCode | None = None


class Allowance(Adjustment):
    """Taken off: of the document (BG-20) or of a line (BG-27)."""

    reason_code: AllowanceCode | None = AllowanceCode.DISCOUNT


class Charge(Adjustment):
    """Put on: of the document (BG-21) or of a line (BG-28)."""

    reason_code: ChargeCode | None = ChargeCode.OTHER_SERVICES


def percentage_off(
    base: Decimal, percent: Decimal, currency: str, reason: str, *, why: str = ""
) -> Allowance:
    """So many per cent of the base, rounded once, half away from zero (Peppol BIS Billing 3, R040)."""
    amount = rounded(base * percent / 100, currency)
    return Allowance(amount=amount, base=base, percent=percent, reason=reason, why=why)


def amount_off(amount: Decimal, currency: str, reason: str, *, why: str = "") -> Allowance:
    """A fixed amount, rounded to the currency."""
    return Allowance(amount=rounded(amount, currency), reason=reason, why=why)


def sum_of(adjustments: Sequence[Adjustment]) -> Decimal:
    """Allowances (BT-107, or BT-136 of a line) or charges (BT-108, BT-141) together."""
    return total(each.amount for each in adjustments)


def problems(adjustment: Adjustment, place: str, currency: str) -> Iterator[str]:
    """What EN 16931 and Peppol would refuse: BR-33, BR-38, BR-42, BR-44, R040 to R042, BR-DEC."""
    if not adjustment.reason and adjustment.reason_code is None:
        yield f"{place} says neither reason nor reason code (BR-33, BR-38, BR-42, BR-44)"
    if adjustment.amount != rounded(adjustment.amount, currency):
        yield f"{place}: {adjustment.amount} has more decimals than {currency} knows (BR-DEC)"
    if (adjustment.base is None) != (adjustment.percent is None):
        yield f"{place}: base and percentage go together (Peppol R041, R042)"
    elif not _fits(adjustment, currency):
        yield f"{place}: {adjustment.amount} is not {adjustment.percent} % of {adjustment.base} (Peppol R040)"


def _fits(adjustment: Adjustment, currency: str) -> bool:
    if adjustment.base is None or adjustment.percent is None:
        return True
    return adjustment.amount == rounded(adjustment.base * adjustment.percent / 100, currency)
