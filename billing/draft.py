"""The draft of an invoice: parties, lines, taxes and amounts, before it has a number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from billing.money import Currency, Figure, Money, rounded, total
from billing.parties import Buyer, EmailAddress, Issuer, Language
from billing.payment_terms import PaymentTerms
from billing.periods import Period
from billing.taxes.decision import TaxCategory, TaxDecision

_ADDED_LATER = frozenset({"preceding"})
"""Fields that came after drafts were approved: empty, they do not count, so that the digest of those stays."""


class Value(BaseModel):
    """Part of a document: frozen, tolerant of keys a later version has added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SourceRef(Value):
    """The record that is billed: it may stand on one living invoice only."""

    source: str
    id: str


class InvoiceLine(Value):
    """An invoice line (EN 16931, BG-25); amounts are net, in the invoice's currency."""

    description: str
    detail: str = ""
    quantity: Figure
    unit: str
    unit_price: Figure
    net: Figure
    why: str = ""
    sources: tuple[SourceRef, ...] = ()


class TaxBreakdown(Value):
    """The VAT of one category and rate (BG-23)."""

    category: TaxCategory
    rate: Figure
    taxable: Figure
    tax: Figure
    note: str = ""
    why: str = ""


class Draft(Value):
    """What will be issued, once approved. Immutable; a change makes another draft with another digest."""

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

    @property
    def amount_due(self) -> Money:
        return Money.of(self.gross, self.currency)

    @property
    def digest(self) -> str:
        """SHA-256 of all that is approved: parties, lines, amounts, taxes, terms, references."""
        return digest_of(self.model_dump(mode="json"))


def digest_of(stored: Mapping[str, Any]) -> str:
    """The digest of a draft as it is stored, whatever version of it wrote it."""
    content = {key: value for key, value in stored.items() if value or key not in _ADDED_LATER}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


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
) -> InvoiceLine:
    """A line whose net is quantity times unit price, rounded once (Peppol BIS Billing 3, R120)."""
    return InvoiceLine(
        description=description,
        detail=detail,
        quantity=quantity,
        unit=unit,
        unit_price=unit_price,
        net=rounded(quantity * unit_price, currency),
        why=why,
        sources=tuple(sources),
    )


def breakdown(lines: Sequence[InvoiceLine], decision: TaxDecision, currency: str) -> TaxBreakdown:
    """The VAT of the lines together: computed per category and rate, not per line (BR-CO-17)."""
    taxable = total(each.net for each in lines)
    return TaxBreakdown(
        category=decision.category,
        rate=decision.rate,
        taxable=taxable,
        tax=rounded(taxable * decision.rate / 100, currency),
        note=decision.note,
        why=decision.why,
    )
