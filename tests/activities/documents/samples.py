"""Invoices to render: two parties, any number of lines, any currency and tax category."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.document import InvoiceDocument
from billing.draft import Draft, line
from billing.numbering import payment_reference
from billing.parties import Address, BankAccount, Buyer, Contact, Issuer
from billing.payment_terms import PaymentTerms
from billing.periods import Period
from billing.taxes.decision import TaxCategory, TaxDecision
from billing.totals import breakdowns

ISSUER = Issuer(
    id="berlin",
    name="Nordlicht Systems GmbH",
    address=Address(street="Torstraße 140", postcode="10119", city="Berlin", country="DE"),
    vat_id="DE136695976",
    tax_number="37/123/45678",
    registration="Amtsgericht Charlottenburg, HRB 123456 B",
    email="billing@nordlicht.example",
    phone="+49 30 1234567",
    website="nordlicht.example",
    bank_account=BankAccount(iban="DE89370400440532013000", bic="COBADEFFXXX", bank="Commerzbank"),
    zone="Europe/Berlin",
    number_prefix="BER-",
)
BUYER = Buyer(
    name="Müller & Söhne GmbH",
    address=Address(street="Industriestraße 17", postcode="70565", city="Stuttgart", country="DE"),
    vat_id="DE811907980",
    contact=Contact(name="Katharina Weiß", email="weiss@mueller.example"),
)


def invoice(
    descriptions: Sequence[str] = ("Beratung",),
    *,
    language: str = "de",
    currency: str = "EUR",
    category: TaxCategory = TaxCategory.STANDARD,
    note: str = "",
    **changes: Any,
) -> InvoiceDocument:
    """An invoice issued on 22 November 2026 with a line for each description; `changes` go into the draft."""
    lines = [
        line(text, Decimal("12.5"), "HUR", Decimal(145), currency, detail="3.–14. Nov.")
        for text in descriptions
    ]
    rate = Decimal(19 if category is TaxCategory.STANDARD else 0)
    (tax,) = breakdowns(lines, TaxDecision(category=category, rate=rate, note=note, why=""), currency)
    draft = Draft(
        billing_key="retainer/november",
        title="Wartung, November 2026",
        issuer=ISSUER,
        buyer=BUYER,
        client="mueller",
        account_manager="anna",
        language=language,
        zone="Europe/Berlin",
        currency=currency,
        lines=tuple(lines),
        taxes=(tax,),
        net=tax.taxable,
        tax=tax.tax,
        gross=tax.taxable + tax.tax,
        terms=PaymentTerms(net_days=30),
        supply=Period(start=date(2026, 11, 1), end=date(2026, 11, 30)),
        contract_reference="RV-2025-114",
        order_reference="PO 4500123456",
    )
    return InvoiceDocument(
        draft=draft.model_copy(update=changes),
        number="BER-2026-00017",
        issue_date=date(2026, 11, 22),
        due_date=date(2026, 12, 22),
        issued_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        payment_reference=payment_reference("BER-2026-00017"),
    )
