"""The statement of interest: says what is owed and how it is reckoned, and is no invoice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from activities.documents.interest_statement import REFERENCES, page, render_statement
from activities.languages.catalogue import LANGUAGES, SOURCE, catalogue
from billing.interest.accrual import Change, Interest, OpenAmount, accrue
from billing.interest.late_fees import late_fees
from billing.interest.reference_rates import published
from billing.interest.regimes import LateFee, regime_of
from billing.interest.statement import InterestStatement
from billing.money import Money
from tests.activities.documents.samples import BUYER, ISSUER

OPEN = OpenAmount(
    due=Money.of(12000, "EUR"),
    due_date=date(2025, 5, 31),
    changes=(
        Change(on=date(2025, 6, 20), amount=Decimal(5000)),
        Change(on=date(2025, 7, 10), amount=Decimal(3000)),
    ),
)


def statement(interest: Interest, language: str = "de", **changes: Any) -> InterestStatement:
    values = {
        "issuer": ISSUER,
        "buyer": BUYER,
        "client_name": BUYER.name,
        "language": language,
        "number": "BER-2025-00017",
        "issue_date": date(2025, 5, 1),
        "due_date": OPEN.due_date,
        "due": OPEN.due,
        "open": Money.of(4000, "EUR"),
        "interest": interest,
    }
    return InterestStatement.model_validate(values | changes)


def german() -> Interest:
    """Worked in docs/interest-cases.md: two part payments and a new rate."""
    regime = regime_of("DE")
    assert regime
    found = accrue(OPEN, regime, date(2025, 7, 31))
    assert isinstance(found, Interest)
    return found


def text(pdf: bytes) -> str:
    """All text of a PDF, blanks and line breaks alike."""
    return " ".join(" ".join(each.extract_text() for each in PdfReader(BytesIO(pdf)).pages).split())


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        (
            "de",
            [
                "Zinsabrechnung",
                "12.000,00",
                "11,27 %",
                "10,27 %",
                "40,00 €",
                "179,05 €",
                "1,13 €",
                "Basiszinssatz (§ 247 BGB) von 2,27 % am 1. Jan. 2025",
                "BER-2025-00017",
            ],
        ),
        (
            "en",
            [
                "Interest statement",
                "12,000.00",
                "11.27%",
                "10.27%",
                "€40.00",
                "€179.05",
                "€1.13",
                "German base rate of 2.27% on 1 Jan 2025",
                "BER-2025-00017",
            ],
        ),
    ],
)
def test_says_what_and_why(language: str, parts: list[str]) -> None:
    """Every stretch with open amount and rate, the sum, the compensation, a day's interest; always the same bytes."""
    made = statement(german(), language)
    pdf = render_statement(made)
    found = text(pdf)
    for part in [*parts, "§ 288(2), (5) BGB", "Müller & Söhne GmbH"]:
        assert part in found
    assert render_statement(made) == pdf


def test_is_no_invoice() -> None:
    """It says that it is no invoice and bears no tax, and shows neither number of its own nor any tax."""
    for language, words in (
        ("de", "keine Rechnung und ohne Umsatzsteuer"),
        ("en", "no invoice and bears no VAT"),
    ):
        html = page(statement(german(), language))
        assert words in html
        assert "Umsatzsteuer 19" not in html and "VAT 19" not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reference_rate_has_a_name(language: str) -> None:
    """A statement can name every reference rate there is, in each language."""
    assert set(REFERENCES) == {each.id for each in published().references}
    words = catalogue(language)
    same = [each for each in REFERENCES.values() if words.gettext(each) == each]
    assert language == SOURCE or not same


def test_late_fee_by_contract() -> None:
    """Late fees by the month are shown with their sum, by the contract's clause, without a word of days of the year."""
    fee = LateFee(clause="clause 9", percent_a_month=Decimal("1.5"), fixed=Decimal(25))
    html = page(statement(late_fees(OPEN, fee, date(2025, 7, 31)), "en", buyer=None))
    assert "By clause 9." in html
    assert "days of the year" not in html
    assert "€25.00" in html
