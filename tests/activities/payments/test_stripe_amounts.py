"""Amounts in Stripe's units. SOURCE of the cases: https://docs.stripe.com/currencies, worked by hand."""

from __future__ import annotations

import pytest

from activities.payments.stripe_amounts import from_stripe, to_stripe
from billing.currencies import MINOR_UNITS
from billing.errors import MoneyError
from billing.money import Money


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("10.00", "EUR", 1000),
        ("0.01", "USD", 1),
        ("500", "JPY", 500),
        ("5", "ISK", 500),
        ("10.45", "HUF", 1045),
        ("800.45", "TWD", 80045),
        ("5.120", "KWD", 5120),
        ("12.00", "MGA", 12),
        ("999999.99", "CHF", 99999999),
    ],
)
def test_there_and_back(amount: str, currency: str, units: int) -> None:
    """What is said to Stripe is read from it as the same amount."""
    assert to_stripe(Money.of(amount, currency)) == units
    assert from_stripe(units, currency.lower()) == Money.of(amount, currency)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("5.124", "KWD"),
        ("1000000.00", "EUR"),
        ("5000", "UGX"),
        ("5.120", "IQD"),
        ("12.50", "MGA"),
        ("100000000", "JPY"),
    ],
)
def test_not_to_be_said(amount: str, currency: str) -> None:
    """An amount Stripe would take as another one, or not at all, is refused; nothing is rounded."""
    with pytest.raises(MoneyError):
        to_stripe(Money.of(amount, currency))


def test_a_currency_nobody_knows() -> None:
    """What Stripe says in no currency of ISO 4217 is no money."""
    with pytest.raises(MoneyError):
        from_stripe(100, "zzz")


def test_every_currency() -> None:
    """Each of ours but three can be said, and whole units come back as such."""
    for currency in MINOR_UNITS.keys() - {"UGX", "IQD", "LYD"}:
        money = Money.of("10", currency)
        assert from_stripe(to_stripe(money), currency) == money
