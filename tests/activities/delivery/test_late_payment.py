"""What reminders say about interest: amounts as reckoned, in the reader's language, and nothing unless asked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from activities.delivery.mail import compose
from activities.invoicing.late_payment import InvoiceInterest
from billing.interest.accrual import Interest, OpenAmount, accrue
from billing.interest.late_fees import late_fees
from billing.interest.regimes import LateFee, regime_of
from billing.money import Money
from tests.activities.delivery.test_mail import context, plain

OPEN = OpenAmount(due=Money.of(10000, "EUR"), due_date=date(2025, 7, 31))
REMINDERS = ["reminder-1", "reminder-2", "reminder-3"]


def german() -> InvoiceInterest:
    """EUR 10,000 a month late: 10000 × 10.27 % × 31/365 = 87.22, and 2.81 a day."""
    regime = regime_of("DE")
    assert regime
    found = accrue(OPEN, regime, date(2025, 8, 31))
    assert isinstance(found, Interest)
    return InvoiceInterest("BER-2026-00017", found)


@pytest.mark.parametrize("event", REMINDERS)
@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "BER-2026-00017: €87.22 interest up to 31 Aug 2025, €2.81 for each further day; "
                "€40.00 fixed compensation (§ 288(2), (5) BGB)"
            ),
        ),
        (
            "de",
            (
                "BER-2026-00017: 87,22 € Zinsen bis 31. Aug. 2025, 2,81 € für jeden weiteren Tag; "
                "40,00 € Pauschale (§ 288(2), (5) BGB)"
            ),
        ),
    ],
)
def test_reminder_tells_interest(event: str, language: str, words: str) -> None:
    """Text and HTML name interest to date, what a day costs, the compensation and the law."""
    composed = compose(event, language, context(late_payment=[german()]))
    for body in (composed.text, composed.html):
        assert words in plain(body)


def test_reminder_tells_a_late_fee() -> None:
    """A fixed fee by contract is told without a word of interest to the day."""
    fee = late_fees(OPEN, LateFee(clause="clause 9", fixed=Decimal(25)), date(2025, 8, 10))
    text = compose("reminder-1", "en", context(late_payment=[InvoiceInterest("B-1", fee)])).text
    assert "- B-1: €25.00 fixed compensation (clause 9)" in plain(text)
    assert "interest" not in text


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("event", [*REMINDERS, "invoice", "courtesy-note"])
def test_nothing_to_tell_changes_nothing(event: str, language: str) -> None:
    """Without interest a mail is the same, byte for byte, as if there were no such part."""
    without = compose(event, language, context())
    assert compose(event, language, context(late_payment=[])) == without
    for word in ("Zinsen bis", "interest up to", "beside the invoice amount", "neben dem Rechnungsbetrag"):
        assert word not in without.text + without.html
    assert "\n\n\n" not in without.text
