"""The draft of an invoice: parties, lines, taxes and amounts, before it has a number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from billing.allowances import Allowance, Charge, sum_of
from billing.document_kind import DocumentKind
from billing.home_tax import HomeTax
from billing.money import Currency, Figure, Money, rounded, total
from billing.parties import Buyer, EmailAddress, Issuer, Language
from billing.payment_terms import PaymentTerms
from billing.periods import Period
from billing.taxes.categories import TaxCategory
from billing.taxes.outcome import TaxComponent
from billing.work_records import HoursAppendix, WorkRecord

_ADDED_LATER: dict[str, dict[str, Any]] = {
    "": {
        "preceding": "",
        "allowances": [],
        "charges": [],
        "rounding": "0",
        "home_tax": None,
        "agreed_gross": None,
        "kind": "invoice",
        "buyer_reference": "",
        "preceding_date": None,
        "work": [],
        "hours_appendix": "none",
    },
    "issuer": {
        "round_due_to": {},
        "registrations": [],
        "electronic_address": "",
        "numbers": {},
        "fiscal_year_starts": 1,
    },
    "issuer.bank_account": {"qr_iban": ""},
    "buyer": {"electronic_address": ""},
    "lines": {"allowances": [], "charges": [], "taxes": []},
    "taxes": {"name": "VAT", "share": "100", "number": "", "exemption_code": ""},
    "terms": {
        "end_of_month_plus": None,
        "day_of_month": None,
        "months_later": 0,
        "before_supply_days": None,
        "business_day": "as it is",
        "early_payment": None,
        "instalments": [],
    },
}
"""By their place in the draft, fields that came after drafts were approved: at these values they do not count, so that
the digest of what was approved before stays."""


class Value(BaseModel):
    """Part of a document: frozen, tolerant of keys a later version has added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SourceRef(Value):
    """The record that is billed: it may stand on one living invoice only."""

    source: str
    id: str


class InvoiceLine(Value):
    """An invoice line (EN 16931, BG-25); amounts are net, in the invoice's currency.

    `net` (BT-131) is quantity times unit price, rounded, less the line's allowances, plus its charges. `taxes` is empty
    where the line is taxed like the whole invoice; if one line names its taxes, each line does.
    """

    description: str
    detail: str = ""
    quantity: Figure
    unit: str
    unit_price: Figure
    net: Figure
    why: str = ""
    sources: tuple[SourceRef, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[TaxComponent, ...] = ()


class TaxBreakdown(Value):
    """The tax of one name, category and rate (BG-23); `taxable` is that share (per cent) of what is taxed so.

    `note` says why none is charged (BT-120), `exemption_code` the same as a VATEX code (BT-121) where one fits.
    """

    category: TaxCategory
    rate: Figure
    taxable: Figure
    tax: Figure
    note: str = ""
    why: str = ""
    name: str = "VAT"
    share: Figure = Decimal(100)
    number: str = ""
    exemption_code: str = ""


class Draft(Value):
    """What will be issued, once approved. Immutable; a change makes another draft with another digest.

    `net` is without tax (BT-109), `gross` with it (BT-112). `rounding` (BT-114) is what is added to the gross so that
    the amount due can be paid in cash, or is the `agreed_gross`; `discount` is the per cent off that approvers look at.
    `buyer_reference` (BT-10) is what the buyer routes it by; `preceding` (BT-25) with its date (BT-26) the document it
    corrects; `work` what an appendix lists, and `hours_appendix` how.
    """

    billing_key: str
    title: str
    issuer: Issuer
    buyer: Buyer
    client: str
    copies_to: tuple[EmailAddress, ...] = ()
    account_manager: str
    language: Language
    zone: str
    currency: Currency
    lines: tuple[InvoiceLine, ...]
    taxes: tuple[TaxBreakdown, ...]
    net: Figure
    tax: Figure
    gross: Figure
    discount: Figure = Decimal(0)
    terms: PaymentTerms
    non_standard_terms: bool = False
    supply: Period | None = None
    agreement: str | None = None
    contract_reference: str = ""
    order_reference: str = ""
    note: str = ""
    preceding: str = ""
    allowances: tuple[Allowance, ...] = ()
    charges: tuple[Charge, ...] = ()
    rounding: Figure = Decimal(0)
    home_tax: HomeTax | None = None
    agreed_gross: Figure | None = None
    kind: DocumentKind = DocumentKind.INVOICE
    buyer_reference: str = ""
    preceding_date: date | None = None
    work: tuple[WorkRecord, ...] = ()
    hours_appendix: HoursAppendix = HoursAppendix.NONE

    @property
    def lines_net(self) -> Decimal:
        """The lines together, before allowances and charges of the document (BT-106)."""
        return total(each.net for each in self.lines)

    @property
    def due(self) -> Decimal:
        """What is to be paid (BT-115). Nothing is prepaid in it: prepayments are lines with their tax."""
        return self.gross + self.rounding

    @property
    def amount_due(self) -> Money:
        return Money.of(self.due, self.currency)

    @property
    def digest(self) -> str:
        """SHA-256 of all that is approved: parties, lines, amounts, taxes, terms, references."""
        return digest_of(self.model_dump(mode="json"))


def digest_of(stored: Mapping[str, Any]) -> str:
    """The digest of a draft as it is stored, whatever version of it wrote it."""
    content = _as_approved(stored)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _as_approved(content: Any, place: str = "") -> Any:
    """The content without what came later and says nothing; `place` is the path of it, list positions left out."""
    if isinstance(content, list):
        return [_as_approved(each, place) for each in content]
    if not isinstance(content, Mapping):
        return content
    later = _ADDED_LATER.get(place, {})
    return {
        key: _as_approved(value, f"{place}.{key}".lstrip("."))
        for key, value in content.items()
        if key not in later or value != later[key]
    }


def line(
    description: str,
    quantity: Decimal,
    unit: str,
    unit_price: Decimal,
    currency: str,
    *,
    detail: str = "",
    why: str = "",
    sources: Sequence[SourceRef] = (),
    allowances: Sequence[Allowance] = (),
    charges: Sequence[Charge] = (),
    taxes: Sequence[TaxComponent] = (),
) -> InvoiceLine:
    """A line whose net is quantity times unit price, rounded once, less allowances, plus charges (Peppol R120)."""
    return InvoiceLine(
        description=description,
        detail=detail,
        quantity=quantity,
        unit=unit,
        unit_price=unit_price,
        net=rounded(quantity * unit_price, currency) - sum_of(allowances) + sum_of(charges),
        why=why,
        sources=tuple(sources),
        allowances=tuple(allowances),
        charges=tuple(charges),
        taxes=tuple(taxes),
    )
