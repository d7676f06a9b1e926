"""Amounts as Stripe writes them: whole numbers of its own smallest units, which are not everywhere those of ISO 4217.

SOURCE: https://docs.stripe.com/currencies (zero-decimal and three-decimal currencies, special cases of ISK);
https://support.stripe.com/questions/deprecation-of-fractional-isk-charges-and-refunds (multiples of 100).
"""

from __future__ import annotations

from decimal import Decimal

from billing.currencies import MINOR_UNITS
from billing.errors import MoneyError
from billing.money import Money

_NO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

_UNSURE = frozenset({"UGX", "IQD", "LYD"})
"""Stripe lists the first without decimals and wants two, and the others with none of its lists: nobody can be sure of a
factor of a hundred."""

_IN_STEPS = {"ISK": 100, **dict.fromkeys(_THREE_DECIMALS, 10)}
"""What amounts must be a multiple of: the krona has two decimals at Stripe which must be 0, the last of three is 0."""

_LARGEST = 99_999_999
"""Eight digits: https://docs.stripe.com/api/payment_intents/object#payment_intent_object-amount."""


def to_stripe(money: Money) -> int:
    """The amount for Stripe. `MoneyError` where it cannot be said there to the last unit."""
    scaled = money.amount.scaleb(_decimals(money.currency))
    if scaled != scaled.to_integral_value() or int(scaled) % _IN_STEPS.get(money.currency, 1):
        raise MoneyError(f"{money} is not an amount that Stripe takes: it has too many decimals there")
    if abs(scaled) > _LARGEST:
        raise MoneyError(f"{money} is more than Stripe takes at a time; pay it by bank transfer")
    return int(scaled)


def from_stripe(amount: int, currency: str) -> Money:
    """Stripe's amount as money; its currencies are written small. `MoneyError` for a currency nobody knows."""
    code = currency.upper()
    return Money.of(Decimal(amount).scaleb(-_decimals(code)), code)


def _decimals(currency: str) -> int:
    if currency in _UNSURE:
        raise MoneyError(
            f"amounts in {currency} cannot be told from a hundredfold at Stripe; use another way to pay"
        )
    if currency in _NO_DECIMALS:
        return 0
    if currency in _THREE_DECIMALS:
        return 3
    if currency not in MINOR_UNITS:
        raise MoneyError(f"{currency!r} is not a currency in ISO 4217")
    return 2
