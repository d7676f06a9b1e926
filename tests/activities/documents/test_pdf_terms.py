"""Payment terms on the PDF: in the document's language, and instalments with their amounts and days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from activities.documents.payment_code import payment_code
from activities.documents.pdf import render_invoice
from activities.documents.terms_words import terms_in_words
from activities.languages.catalogue import catalogue
from billing.instalments import Part
from billing.payment_terms import PaymentTerms
from tests.activities.documents.samples import invoice
from tests.activities.documents.test_pdf import missing_from, text_of

WORDS = {language: catalogue(language) for language in ("en", "de")}
TWO = [{"percent": 50, "net_days": 0}, {"percent": 50, "net_days": 30}]


@pytest.mark.parametrize(
    ("terms", "english", "german"),
    [
        ({"net_days": 0}, "payable on receipt", "zahlbar bei Erhalt"),
        ({"net_days": 1}, "1 day net", "1 Tag netto"),
        ({"net_days": 14}, "14 days net", "14 Tage netto"),
        ({"net_minutes": 1}, "1 minute net", "1 Minute netto"),
        ({"net_minutes": 5}, "5 minutes net", "5 Minuten netto"),
        ({"end_of_month_plus": 0}, "end of the month", "Monatsende"),
        ({"end_of_month_plus": 1}, "end of the month and 1 day", "Monatsende und 1 Tag"),
        ({"end_of_month_plus": 45}, "end of the month and 45 days", "Monatsende und 45 Tage"),
        ({"day_of_month": 15}, "on day 15 of the month", "am 15. des Monats"),
        ({"day_of_month": 31}, "on the last day of the month", "am letzten Tag des Monats"),
        (
            {"day_of_month": 10, "months_later": 2},
            "on day 10 of the month, 2 months later",
            "am 10. des Monats, 2 Monate später",
        ),
        ({"before_supply_days": 0}, "when the service begins", "bei Beginn der Leistung"),
        (
            {"before_supply_days": 14},
            "14 days before the service begins",
            "14 Tage vor Beginn der Leistung",
        ),
        ({"instalments": TWO}, "in 2 instalments", "in 2 Raten"),
    ],
)
def test_in_the_clients_language(terms: dict[str, Any], english: str, german: str) -> None:
    """Every way of terms reads in each language of documents, one day in the singular."""
    record = PaymentTerms.model_validate(terms)
    assert (terms_in_words(record, WORDS["en"]), terms_in_words(record, WORDS["de"])) == (english, german)


@pytest.mark.parametrize(
    ("language", "says"), [("en", "Terms 30 days net"), ("de", "Zahlungsziel 30 Tage netto")]
)
def test_terms_stand_by_the_due_date(language: str, says: str) -> None:
    """The terms stand beneath the due date that follows from them."""
    assert not missing_from(render_invoice(invoice(language=language)), [says])


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (
            "en",
            [
                "in 2 instalments",
                "Instalment 1 €1,000.00 by 22 Nov 2026",
                "Instalment 2 €1,156.88 by 22 Dec 2026",
            ],
        ),
        (
            "de",
            [
                "in 2 Raten",
                "1. Rate 1.000,00 € bis zum 22. Nov. 2026",
                "2. Rate 1.156,88 € bis zum 22. Dez. 2026",
            ],
        ),
    ],
)
def test_instalments_are_listed(language: str, says: list[str]) -> None:
    """An invoice in instalments says what is to be paid when, and its payment code pays the first part."""
    days = (date(2026, 11, 22), date(2026, 12, 22))
    parts = tuple(
        Part(amount=Decimal(amount), due_date=day, late_from=datetime(2027, 1, 1, tzinfo=UTC))
        for amount, day in zip(("1000.00", "1156.88"), days, strict=True)
    )
    whole = invoice(language=language, terms=PaymentTerms.model_validate({"instalments": TWO}))
    document = whole.model_copy(update={"instalments": parts, "due_date": days[0]})
    pdf = render_invoice(document)
    assert not missing_from(pdf, says)
    assert "quoting the reference." not in text_of(pdf)
    assert payment_code(document) != payment_code(whole)
