"""Money: whole smallest units, commercial rounding, splits that add up."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from billing.currencies import MINOR_UNITS
from billing.errors import MoneyError
from billing.money import Figure, Money, rounded, smallest_unit, split, total
from tests.billing.properties import examples

CURRENCIES = ("EUR", "JPY", "KWD")
"""Two, no and three decimals (ISO 4217, list one)."""

amounts = st.tuples(st.sampled_from(CURRENCIES), st.integers(1 - 10**13, 10**13 - 1)).map(
    lambda pair: Money.of(pair[1] * smallest_unit(pair[0]), pair[0])
)
weights = st.lists(
    st.builds(
        lambda digits, places: Decimal(digits).scaleb(-places), st.integers(0, 10**28), st.integers(0, 20)
    ),
    min_size=1,
    max_size=6,
).filter(any)
"""Weights as they come out of calculations: up to 28 digits, at any place."""


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


@pytest.mark.parametrize(
    ("currency", "unit"),
    [("EUR", "0.01"), ("USD", "0.01"), ("INR", "0.01"), ("JPY", "1"), ("KRW", "1"), ("ISK", "1"),
     ("KWD", "0.001"), ("BHD", "0.001"), ("TND", "0.001")],
)  # fmt: skip
def test_minor_units(currency: str, unit: str) -> None:
    """The smallest unit is the one ISO 4217 lists: cents, whole yen, fils of a thousandth."""
    assert smallest_unit(currency) == Decimal(unit)
    assert smallest_unit(currency).as_tuple() == Decimal(unit).as_tuple()


@pytest.mark.parametrize("gone", ["DEM", "HRK", "BGN", "ANG", "ZWL", "SLL", "CUC", "eur", "", "EURO"])
def test_currencies_that_are_none(gone: str) -> None:
    """Withdrawn codes (the kuna in 2023, the lev in 2026) and misspelt ones are refused by name."""
    assert gone not in MINOR_UNITS
    with pytest.raises(MoneyError, match="is not a currency"):
        Money.of("1", gone)


@pytest.mark.parametrize(
    ("figure", "currency", "expected"),
    [
        ("0.005", "EUR", "0.01"),
        ("-0.005", "EUR", "-0.01"),
        ("2.125", "EUR", "2.13"),
        ("2.135", "EUR", "2.14"),
        ("-2.125", "EUR", "-2.13"),
        ("2.1249999", "EUR", "2.12"),
        ("-2.1249999", "EUR", "-2.12"),
        ("0.5", "JPY", "1"),
        ("-0.5", "JPY", "-1"),
        ("1234.4999", "JPY", "1234"),
        ("0.0005", "KWD", "0.001"),
        ("-0.0005", "KWD", "-0.001"),
        ("12.3444", "KWD", "12.344"),
        ("9999999999999.995", "EUR", "10000000000000.00"),
    ],
)
def test_half_away_from_zero(figure: str, currency: str, expected: str) -> None:
    """Halves go away from zero, also below it: a credit note mirrors its invoice (EN 16931, kaufmännisch)."""
    assert rounded(Decimal(figure), currency).as_tuple() == Decimal(expected).as_tuple()


@pytest.mark.parametrize("currency", CURRENCIES)
def test_there_is_no_negative_zero(currency: str) -> None:
    """What rounds to nothing is nothing: no document shows -0.00."""
    nothing = rounded(Decimal("-0.0004"), currency)
    assert nothing == 0 and not nothing.is_signed()
    assert "-" not in str(-Money.zero(currency))


@given(st.decimals(-(10**12), 10**12, allow_nan=False, places=6), st.sampled_from(CURRENCIES))
@examples(200)
def test_rounding_mirrors(figure: Decimal, currency: str) -> None:
    """Rounding is odd, is off by half a unit at most, and does nothing the second time."""
    once = rounded(figure, currency)
    assert rounded(-figure, currency) == -once
    assert abs(once - figure) * 2 <= smallest_unit(currency)
    assert rounded(once, currency) == once


def test_floats_are_refused() -> None:
    """0.1 + 0.2 never becomes an amount, whichever way it comes in."""
    with pytest.raises(MoneyError, match="float"):
        Money.of(0.3, "EUR")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="binary floats"):
        Money.model_validate({"amount": 0.3, "currency": "EUR"})
    with pytest.raises(ValidationError, match="in quotes"):
        TypeAdapter(Figure).validate_python(8500.0)


@pytest.mark.parametrize(
    ("figure", "currency"), [("1.005", "EUR"), ("0.5", "JPY"), ("1.0001", "KWD"), ("-0.001", "USD")]
)
def test_surplus_decimals_are_refused(figure: str, currency: str) -> None:
    """Money is not rounded behind anybody's back: a figure the currency cannot hold is refused."""
    with pytest.raises(MoneyError, match=f"more decimals than {currency} knows"):
        Money.of(figure, currency)
    with pytest.raises(ValidationError, match=f"more decimals than {currency} knows"):
        Money(amount=Decimal(figure), currency=currency)


def test_written_decimals_are_those_of_the_currency() -> None:
    """EUR 5, 5.0 and 5.00 are one amount and are written alike, with thousands apart."""
    assert {str(eur(each)) for each in ("1234567", "1234567.0", "1234567.00")} == {"EUR 1,234,567.00"}
    assert str(Money.of(1234567, "JPY")) == "JPY 1,234,567"
    assert str(Money.of("12.5", "KWD")) == "KWD 12.500"


def test_currencies_do_not_mix() -> None:
    """EUR 100.00 and USD 100.00 cannot be added, subtracted or compared."""
    euros, dollars = eur("100"), Money.of(100, "USD")
    for mix in (
        lambda: euros + dollars,
        lambda: euros - dollars,
        lambda: euros < dollars,
        lambda: euros <= dollars,
        lambda: euros > dollars,
    ):
        with pytest.raises(MoneyError, match="different currencies"):
            mix()
    assert euros != dollars


@pytest.mark.parametrize("figure", ["", "abc", "12,50", "NaN", "sNaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_figure_is_refused_as_money(figure: str) -> None:
    """Whatever is typed where an amount belongs, the answer is a MoneyError a person can read."""
    with pytest.raises(MoneyError):
        Money.of(figure, "EUR")


@pytest.mark.parametrize("figure", ["10000000000000", "99999999999999999999999999999999", "-1e20"])
def test_figures_beyond_all_reason_are_refused(figure: str) -> None:
    """Above thirteen digits before the point nothing is exact any more, so it is refused and not rounded."""
    with pytest.raises(MoneyError, match="too large"):
        Money.of(figure, "EUR")


def test_the_largest_figures_add_up() -> None:
    """The largest amount is exact to the cent; one cent more is refused, not rounded."""
    largest = eur("9999999999999.99")
    assert largest - eur("9999999999999.98") == eur("0.01")
    assert str(largest) == "EUR 9,999,999,999,999.99"
    with pytest.raises(MoneyError, match="too large"):
        largest + eur("0.01")


def test_a_cent_lost_to_binary_fractions_is_not_lost_here() -> None:
    """29 % of 50 units is exactly 14.5 and rounds to 15; floats make 14.499… of it and 14."""
    assert rounded(Decimal(50) * Decimal("0.29"), "JPY") == 15


@pytest.mark.parametrize(
    ("amount", "shares", "parts"),
    [
        ("100.00", [1, 1, 1], ["33.34", "33.33", "33.33"]),  # equal remainders: the earlier part
        ("-100.00", [1, 1, 1], ["-33.34", "-33.33", "-33.33"]),  # a credit note mirrors its invoice
        ("0.05", [1, 1, 1], ["0.02", "0.02", "0.01"]),
        ("0.01", [1, 1], ["0.01", "0.00"]),
        ("0.01", [1, 2], ["0.00", "0.01"]),  # remainders 1/3 and 2/3: the larger one
        ("10.00", [3, 0, 1], ["7.50", "0.00", "2.50"]),
        ("1000.00", [50, 30, 20], ["500.00", "300.00", "200.00"]),
        ("99.99", [50, 30, 20], ["49.99", "30.00", "20.00"]),  # exact 49.995, 29.997, 19.998: two cents left
        ("0.00", [1, 1], ["0.00", "0.00"]),
        ("7.77", [1], ["7.77"]),
    ],
)
def test_split_by_largest_remainder(amount: str, shares: list[int], parts: list[str]) -> None:
    """An amount in parts: exact shares cut to cents, then a cent each to the largest remainders, ties to the first."""
    assert split(eur(amount), [Decimal(share) for share in shares]) == [eur(part) for part in parts]


def test_split_of_whole_yen_and_fils() -> None:
    """Parts are whole units of the currency: no half yen, and fils to the thousandth."""
    thirds = [Decimal(1)] * 3
    assert [part.amount for part in split(Money.of(100, "JPY"), thirds)] == [34, 33, 33]
    assert [str(part.amount) for part in split(Money.of(1, "KWD"), thirds)] == ["0.334", "0.333", "0.333"]


@pytest.mark.parametrize("shares", [[], [0, 0], [1, -1], [2, -1]])
def test_weights_that_are_none(shares: list[int]) -> None:
    """Nothing can be shared out by no weights, by zeros, or by negative ones."""
    with pytest.raises(MoneyError, match="weights"):
        split(eur("1.00"), [Decimal(share) for share in shares])


@given(amounts, weights)
@examples(300)
def test_parts_sum_to_the_whole(amount: Money, shares: list[Decimal]) -> None:
    """Whatever the weights, the parts sum to the whole and each is within one unit of its exact share."""
    parts = split(amount, shares)
    assert total(part.amount for part in parts) == amount.amount
    unit, whole = Fraction(smallest_unit(amount.currency)), sum(map(Fraction, shares))
    for part, share in zip(parts, shares, strict=True):
        assert abs(Fraction(part.amount) - Fraction(amount.amount) * Fraction(share) / whole) < unit


@given(amounts, weights)
@examples(100)
def test_a_split_of_a_credit_mirrors_that_of_the_invoice(amount: Money, shares: list[Decimal]) -> None:
    """Splitting the negative amount gives the negative parts, so that invoice and credit cancel part by part."""
    assert split(-amount, shares) == [-part for part in split(amount, shares)]


@given(st.integers(1, 10**6), st.integers(1, 12))
@examples(100)
def test_extra_units_go_to_the_earliest(units: int, count: int) -> None:
    """With equal weights the parts never rise: whatever cannot be shared stands in the first ones."""
    parts = split(eur(str(Decimal(units) / 100)), [Decimal(1)] * count)
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] <= eur("0.01")
