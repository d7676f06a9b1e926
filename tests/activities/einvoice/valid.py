"""Valid invoices of every usage, and how a term of one is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from billing.allowances import Allowance, Charge
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.einvoice.document import einvoice_of
from billing.einvoice.electronic_addresses import ElectronicAddress
from billing.einvoice.model import EInvoice
from billing.home_tax import HomeTax
from billing.parties import Address
from billing.taxes.categories import TaxCategory
from billing.totals import totals
from tests.activities.documents.samples import BUYER, ISSUER, invoice
from tests.billing.money.drafts import component, decision

LEITWEG_ID = "04011000-1234512345-06"

SELLER_IN_PEPPOL = ISSUER.model_copy(update={"electronic_address": "9930:DE136695976"})
BUYER_IN_PEPPOL = BUYER.model_copy(update={"electronic_address": "9930:DE811907980"})
IN_PEPPOL: dict[str, Any] = {"issuer": SELLER_IN_PEPPOL, "buyer": BUYER_IN_PEPPOL}
AUSTRIAN = BUYER_IN_PEPPOL.model_copy(
    update={
        "address": Address(street="Ring 3", postcode="1010", city="Wien", country="AT"),
        "vat_id": "ATU13585627",
        "electronic_address": "9915:b",
    }
)


def with_allowance(**changes: Any) -> InvoiceDocument:
    """Ten per cent off and freight on top: 1,812.50 less 181.25, plus 20.00, at 19 %."""
    draft = invoice(**changes).draft
    allowances = (
        Allowance(amount=Decimal("181.25"), base=Decimal("1812.50"), percent=Decimal(10), reason="Rabatt"),
    )
    charges = (Charge(amount=Decimal("20.00"), reason="Fracht"),)
    sums = totals(
        draft.lines, decision(component("19")), draft.currency, allowances=allowances, charges=charges
    )
    return invoice(
        allowances=allowances,
        charges=charges,
        taxes=sums.taxes,
        net=sums.net,
        tax=sums.tax,
        gross=sums.gross,
        **changes,
    )


DOLLARS_IN_EUROS = HomeTax(
    currency="EUR",
    amount=Decimal("313.07"),
    base="EUR",
    rate=Decimal("1.1"),
    rate_date=date(2026, 11, 20),
    source="ECB",
)
"""The VAT of 344.38 USD at 1.1 USD to the euro."""

VALID: dict[str, InvoiceDocument] = {
    "plain": invoice(),
    "in English": invoice(language="en"),
    "XRechnung": invoice(buyer_reference=LEITWEG_ID),
    "XRechnung, allowance and charge": with_allowance(buyer_reference=LEITWEG_ID),
    "Peppol": invoice(**IN_PEPPOL, buyer_reference="4711"),
    "Peppol, to Austria": invoice(
        category=TaxCategory.REVERSE_CHARGE,
        note="Reverse charge, Art. 196",
        issuer=SELLER_IN_PEPPOL,
        buyer=AUSTRIAN,
    ),
    "allowance and charge": with_allowance(**IN_PEPPOL),
    "credit note": invoice(
        kind=DocumentKind.CREDIT_NOTE,
        preceding="BER-2026-00009",
        preceding_date=date(2026, 10, 1),
        **IN_PEPPOL,
    ),
    "corrected": invoice(
        kind=DocumentKind.CORRECTED, preceding="BER-2026-00009", preceding_date=date(2026, 10, 1), **IN_PEPPOL
    ),
    "prepayment": invoice(kind=DocumentKind.PREPAYMENT),
    "final": invoice(kind=DocumentKind.FINAL),
    "export": invoice(category=TaxCategory.EXPORT, note="Export"),
    "exempt": invoice(category=TaxCategory.EXEMPT, note="§ 4 UStG"),
    "zero-rated": invoice(category=TaxCategory.ZERO_RATED),
    "outside the scope": invoice(category=TaxCategory.OUTSIDE_SCOPE, note="Outside the scope"),
    "XRechnung, outside the scope": invoice(
        category=TaxCategory.OUTSIDE_SCOPE, note="Outside the scope", buyer_reference=LEITWEG_ID
    ),
    "Peppol, outside the scope": invoice(
        category=TaxCategory.OUTSIDE_SCOPE, note="Outside the scope", buyer_reference="4711", **IN_PEPPOL
    ),
    "dollars": invoice(currency="USD", home_tax=DOLLARS_IN_EUROS, **IN_PEPPOL),
    "yen": invoice(currency="JPY"),
    "one day": invoice(supply=None),
}
"""By name, an invoice that breaks no rule."""


def terms(name: str) -> EInvoice:
    """A valid invoice in the terms of EN 16931."""
    made = einvoice_of(VALID[name])
    assert made is not None
    return made


def changed(invoice: Any, path: str, value: Any) -> Any:
    """The invoice with one term changed: `seller.address.city`, `lines.0.net`."""
    step, _, rest = path.partition(".")
    if isinstance(invoice, tuple):
        n = int(step)
        return (*invoice[:n], changed(invoice[n], rest, value) if rest else value, *invoice[n + 1 :])
    return replace(invoice, **{step: changed(getattr(invoice, step), rest, value) if rest else value})


def redrafted(document: InvoiceDocument, changes: Mapping[str, Any]) -> InvoiceDocument:
    """The document with parts of its draft changed, unchecked: `buyer.address.country`, `lines.0.unit`."""
    draft: Any = document.draft
    for path, value in changes.items():
        draft = _copied(draft, path, value)
    return document.model_copy(update={"draft": draft})


def _copied(value: Any, path: str, new: Any) -> Any:
    step, _, rest = path.partition(".")
    if isinstance(value, tuple):
        n = int(step)
        return (*value[:n], _copied(value[n], rest, new) if rest else new, *value[n + 1 :])
    return value.model_copy(update={step: _copied(getattr(value, step), rest, new) if rest else new})


def address(written: str) -> ElectronicAddress:
    """`9930:DE811907980`."""
    scheme, _, own = written.partition(":")
    return ElectronicAddress(scheme, own)
