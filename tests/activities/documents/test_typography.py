"""How values are written."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from activities.documents.typography import in_fours, typography
from billing.money import Money
from billing.parties import Address
from billing.periods import Period


def plain(text: str) -> str:
    """With simple spaces and hyphens, as one can type them."""
    for odd in ("\N{NO-BREAK SPACE}", "\N{THIN SPACE}", "\N{NARROW NO-BREAK SPACE}"):
        text = text.replace(odd, " ")
    return text.replace("−", "-")


@pytest.mark.parametrize(
    ("language", "country", "amount", "currency", "written"),
    [
        ("de", "DE", "-1234567.5", "EUR", "-1.234.567,50 €"),
        ("de", "AT", "1234.5", "EUR", "€ 1.234,50"),
        ("de", "CH", "1234.5", "CHF", "CHF 1’234.50"),
        ("de", "", "1235", "JPY", "1.235 JPY"),
        ("en", "", "1234.5", "EUR", "€1,234.50"),
        ("en", "US", "1234.5", "USD", "USD 1,234.50"),
        ("en", "IN", "1234567.5", "INR", "INR 12,34,567.50"),
        ("en", "", "1.234", "KWD", "KWD 1.234"),
        ("sv", "SE", "1234.5", "EUR", "€1,234.50"),
    ],
)
def test_money(language: str, country: str, amount: str, currency: str, written: str) -> None:
    """Money is written as readers in that country write it, with the currency's own decimals."""
    assert plain(typography(language, country).money(Money.of(amount, currency))) == written


def test_halves_round_away_from_zero() -> None:
    """Half a cent is rounded up, as billing rounds it, not to the even cent."""
    assert typography("de").amount(Decimal("0.125"), "EUR") == "0,13"


def test_prices_keep_their_decimals() -> None:
    """A unit price shows all its decimals, and never fewer than the currency has."""
    assert typography("de").price(Decimal("0.0825"), "EUR") == "0,0825"
    assert typography("en").price(Decimal(145), "EUR") == "145.00"
    assert typography("en").price(Decimal("1E+3"), "EUR") == "1,000.00"


@pytest.mark.parametrize(
    ("language", "quantity", "unit", "written"),
    [
        ("de", "1", "HUR", "1 Stunde"),
        ("de", "1.00", "MON", "1 Monat"),
        ("de", "12.50", "DAY", "12,5 Tage"),
        ("en", "1", "HUR", "1 hour"),
        ("en", "0.5", "HUR", "0.5 hours"),
        ("en", "1500", "C62", "1,500 units"),
        ("en", "2", "XYZ", "2 XYZ"),
    ],
)
def test_quantities(language: str, quantity: str, unit: str, written: str) -> None:
    """Quantities carry their unit in words, singular or plural; an unknown unit keeps its code."""
    assert plain(typography(language).quantity(Decimal(quantity), unit)) == written


def test_dates() -> None:
    """Dates have the month in words; instants are told in the zone's own clock time."""
    period = Period(start=date(2026, 11, 1), end=date(2026, 11, 30))
    assert plain(typography("de").day(date(2026, 3, 1))) == "1. März 2026"
    assert plain(typography("en", "US").day(date(2026, 3, 1))) == "Mar 1, 2026"
    assert plain(typography("en").period(period)) == "1–30 Nov 2026"
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert (
        plain(typography("en").moment(at, "Europe/Berlin")) == "Thursday, 2 Jul 2026, 00:30 (Europe/Berlin)"
    )


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (
            Address(street="Torstr. 1", postcode="10119", city="Berlin", country="DE"),
            ["Torstr. 1", "10119 Berlin"],
        ),
        (
            Address(street="1 High St", postcode="EC1A 1BB", city="London", country="GB"),
            ["1 High St", "London", "EC1A 1BB", "UNITED KINGDOM"],
        ),
        (
            Address(street="100 King St", postcode="M5X 1A9", city="Toronto", region="ON", country="CA"),
            ["100 King St", "Toronto ON  M5X 1A9", "CANADA"],
        ),
        (
            Address(street="1 Main St", city="Austin", region="TX", country="US"),
            ["1 Main St", "Austin, TX", "UNITED STATES"],
        ),
    ],
)
def test_addresses(address: Address, lines: list[str]) -> None:
    """Addresses follow their country's order, with the country only where post crosses a border."""
    assert typography("en").address(address, from_country="DE") == lines


def test_in_fours() -> None:
    """An IBAN is grouped however it was typed."""
    assert in_fours("DE89 37040044 0532013000") == "DE89 3704 0044 0532 0130 00"
