"""VAT in an e-invoice: what counts as such, and its breakdown by category and rate."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from billing.draft import Draft, TaxBreakdown
from billing.einvoice.model import VatBreakdown
from billing.einvoice.text import paragraphs
from billing.taxes.categories import TaxCategory
from billing.taxes.notes import NoteCode, english, note_in

_NAMES = frozenset({"vat", "mwst", "mva", "ust", "tva", "iva", "btw", "moms"})
"""What value added tax is called in the tax rules and by those who write their own."""

_CODES = {
    TaxCategory.REVERSE_CHARGE: "VATEX-EU-AE",
    TaxCategory.EXPORT: "VATEX-EU-G",
    TaxCategory.OUTSIDE_SCOPE: "VATEX-EU-O",
}
"""VATEX codes that say no more than the category. Of exemptions each has its own, and the words say which."""

_ZERO = Decimal(0)

_FRENCH_SMALL_BUSINESS = "VATEX-FR-FRANCHISE"


def is_vat(name: str) -> bool:
    """Whether a tax is value added tax, by its name."""
    return name.casefold() in _NAMES


def rate_of(category: TaxCategory, rate: Decimal) -> Decimal | None:
    """The rate to state: none outside the scope of VAT (BR-48, BR-O-5 to BR-O-7)."""
    return None if category is TaxCategory.OUTSIDE_SCOPE else rate


def breakdown_of(draft: Draft, *, always_rated: bool = False) -> tuple[VatBreakdown, ...]:
    """A row for each category and rate, in the draft's order; what differs in name only is one row (BR-S-8).

    With `always_rated`, what is outside the scope of VAT has a rate too, of zero: German receivers want one (BR-DE-14,
    DE-R-014).
    """
    rows: dict[tuple[TaxCategory, Decimal], VatBreakdown] = {}
    for each in draft.taxes:
        key, row = (each.category, each.rate), _row(each, draft)
        before = rows.get(key)
        rows[key] = _together(before, row) if before else row
    if always_rated:
        return tuple(replace(each, rate=each.rate or _ZERO) for each in rows.values())
    return tuple(rows.values())


def _row(tax: TaxBreakdown, draft: Draft) -> VatBreakdown:
    explained = tax.category not in (TaxCategory.STANDARD, TaxCategory.ZERO_RATED)
    return VatBreakdown(
        taxable=tax.taxable,
        tax=tax.tax,
        category=tax.category,
        rate=rate_of(tax.category, tax.rate),
        exemption_reason=paragraphs(note_in(draft.language, tax.note)) if explained else "",
        exemption_code=tax.exemption_code or _code(tax, draft),
    )


def _code(tax: TaxBreakdown, draft: Draft) -> str:
    """For drafts made when they did not state their code, and for rules that name none."""
    small = english(NoteCode.SMALL_BUSINESS, article="").partition(" (")[0]
    if tax.category is TaxCategory.EXEMPT and draft.issuer.address.country == "FR":
        return _FRENCH_SMALL_BUSINESS if tax.note.startswith(small) else ""
    return _CODES.get(tax.category, "")


def _together(one: VatBreakdown, other: VatBreakdown) -> VatBreakdown:
    reasons = dict.fromkeys(each.exemption_reason for each in (one, other) if each.exemption_reason)
    return replace(
        one,
        taxable=one.taxable + other.taxable,
        tax=one.tax + other.tax,
        exemption_reason="\n".join(reasons),
        exemption_code=one.exemption_code or other.exemption_code,
    )
