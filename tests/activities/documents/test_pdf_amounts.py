"""The figures of a PDF between its lines and the amount due: allowances, charges, several taxes, rounding."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from activities.documents.pdf import render_invoice
from billing.allowances import Charge, percentage_off
from billing.document import InvoiceDocument
from billing.draft import Draft, line
from billing.home_tax import HomeTax
from billing.numbering import payment_reference
from billing.payment_terms import PaymentTerms
from tests.activities.documents.test_pdf import missing_from
from tests.billing.money.drafts import component, drafted, lines_of


def issued(draft: Draft) -> InvoiceDocument:
    return InvoiceDocument(
        draft=draft,
        number="B-2026-00017",
        issue_date=date(2026, 11, 22),
        due_date=date(2026, 12, 6),
        issued_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        payment_reference=payment_reference("B-2026-00017"),
    )


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (
            "en",
            [
                "Sum of lines 1,000.01",
                "Discount 12.5 % on 1,000.01 \N{MINUS SIGN}125.00",
                "Courier 4.90",
                "Net 879.91",
            ],
        ),
        (
            "de",
            [
                "Summe der Positionen 1.000,01",
                "Discount 12.5 % auf 1.000,01 \N{MINUS SIGN}125,00",
                "Netto 879,91",
            ],
        ),
    ],
)
def test_allowances_and_charges_lead_from_the_lines_to_the_net(language: str, says: list[str]) -> None:
    """Sum of the lines, each allowance with its base below zero, each charge, then the net."""
    draft = drafted(
        lines_of(("1", "1000.01")),
        allowances=[percentage_off(Decimal("1000.01"), Decimal("12.5"), "EUR", "Discount 12.5 %")],
        charges=[Charge(amount=Decimal("4.90"), reason="Courier")],
        language=language,
    )
    assert missing_from(render_invoice(issued(draft)), says) == []


def test_allowances_of_a_line_stand_under_it() -> None:
    """A line's own discount is named where it is taken off."""
    off = percentage_off(Decimal("99.99"), Decimal(10), "EUR", "Loyalty 10 %")
    made = line("Licence", Decimal(1), "C62", Decimal("99.99"), "EUR", allowances=[off])
    pdf = render_invoice(issued(drafted([made])))
    assert missing_from(pdf, ["Loyalty 10 %: \N{MINUS SIGN}10.00", "89.99"]) == []
    assert missing_from(pdf, ["Sum of lines"]) == ["Sum of lines"]


def test_each_tax_by_its_name() -> None:
    """GST and QST stand apart, each with its base."""
    lines = lines_of(("1", "1000.00"), currency="CAD")
    pdf = render_invoice(
        issued(drafted(lines, component("5", "GST"), component("9.975", "QST"), currency="CAD"))
    )
    assert missing_from(pdf, ["GST 5% on 1,000.00 50.00", "QST 9.975% on 1,000.00 99.75"]) == []


def test_five_rappen_are_explained() -> None:
    """Gross, what is rounded, and what is due."""
    lines = lines_of(("1", "33.33"), currency="CHF")
    pdf = render_invoice(issued(drafted(lines, component("8.1"), currency="CHF", steps={"CHF": "0.05"})))
    assert missing_from(pdf, ["Gross 36.03", "Rounding 0.02", "36.05"]) == []


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "If you pay by 2 Dec 2026, you may deduct 2% (€2.38) and pay €116.62."),
        (
            "de",
            "Bei Zahlung bis zum 2. Dez. 2026 können Sie 2 % Skonto (2,38 €) abziehen und zahlen 116,62 €.",
        ),
    ],
)
def test_the_invoice_says_so(language: str, says: str) -> None:
    """The reduction agreed on beforehand stands on the invoice (§ 14(4) no. 7 UStG), with day and figures."""
    terms = {"net_days": 30, "early_payment": {"percent": "2", "days": 10}}
    made = drafted(lines_of(("1", "100.00")), terms=PaymentTerms.model_validate(terms), language=language)
    assert missing_from(render_invoice(issued(made)), [says]) == []
    plain = made.model_copy(update={"terms": PaymentTerms(net_days=30)})
    assert missing_from(render_invoice(issued(plain)), [says[:14]]) == [says[:14]]


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "VAT in EUR: €17.52 (1 EUR = 1.0842 USD, ECB, 20 Nov 2026)"),
        ("de", "Umsatzsteuer in EUR: 17,52 € (1 EUR = 1,0842 USD, ECB, 20. Nov. 2026)"),
    ],
)
def test_the_tax_at_home(language: str, says: str) -> None:
    """The VAT to be paid in the national currency, with rate, source and day (Art. 230 Directive 2006/112/EC)."""
    home = HomeTax(
        currency="EUR",
        amount=Decimal("17.52"),
        base="EUR",
        rate=Decimal("1.0842"),
        rate_date=date(2026, 11, 20),
        source="ECB",
    )
    lines = lines_of(("1", "100.00"), currency="USD")
    pdf = render_invoice(issued(drafted(lines, currency="USD", home_tax=home, language=language)))
    assert missing_from(pdf, [says]) == []
