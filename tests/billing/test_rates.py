"""What an hour costs: by role and by the day on which it was worked."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from billing.rates import Rate, missing_rate, rate_on, replaced

RATE: TypeAdapter[Any] = TypeAdapter(Rate)
RATES = {
    "senior": RATE.validate_python("120.00"),
    "junior": RATE.validate_python(
        [{"since": "2026-01-01", "price": "95.00"}, {"since": "2026-07-01", "price": "99.50"}]
    ),
}


def dated(*rates: tuple[str, str]) -> object:
    return RATE.validate_python([{"since": since, "price": price} for since, price in rates])


@pytest.mark.parametrize(
    ("role", "day", "price"),
    [
        ("senior", "2020-01-01", "120.00"),
        ("junior", "2025-12-31", None),
        ("junior", "2026-01-01", "95.00"),
        ("junior", "2026-06-30", "95.00"),
        ("junior", "2026-07-01", "99.50"),
        ("junior", "2030-01-01", "99.50"),
        ("principal", "2026-01-01", None),
        ("Senior", "2026-01-01", None),  # a role is written one way
    ],
)
def test_the_rate_of_a_role_on_a_day(role: str, day: str, price: str | None) -> None:
    """A price holds from its date up to the day before the next; where nothing was agreed there is none."""
    assert rate_on(RATES, role, date.fromisoformat(day)) == (Decimal(price) if price else None)


@pytest.mark.parametrize(
    ("role", "day", "why"),
    [
        ("senior", "2026-01-01", ""),
        ("junior", "2026-01-01", ""),
        (
            "junior",
            "2025-12-31",
            "the rate of the role 'junior' begins on 2026-01-01, after 2025-12-31; add what an hour costs before",
        ),
        ("principal", "2026-01-01", "no rate is agreed for the role 'principal'; agreed are: junior, senior"),
    ],
)
def test_why_a_rate_is_missing(role: str, day: str, why: str) -> None:
    """A role nobody agreed a rate for is told from a rate that begins later."""
    assert missing_rate(RATES, role, date.fromisoformat(day)) == why


def test_no_rates_at_all() -> None:
    """Where no rates are agreed, that is said."""
    assert missing_rate({}, "senior", date(2026, 1, 1)).endswith("agreed are: none")


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ([], "at least 1 item"),
        ("0", "greater than 0"),
        (120.5, "in quotes"),
        (
            [{"since": "2026-07-01", "price": "1"}, {"since": "2026-01-01", "price": "2"}],
            "the oldest first, one a day",
        ),
        (
            [{"since": "2026-01-01", "price": "1"}, {"since": "2026-01-01", "price": "2"}],
            "the oldest first, one a day",
        ),
    ],
)
def test_what_is_no_rate(written: object, complaint: str) -> None:
    """A rate costs something; dated ones are written in order, one a day, so that each day has one price."""
    with pytest.raises(ValidationError, match=complaint):
        RATE.validate_python(written)


@pytest.mark.parametrize(
    ("before", "changed", "prices"),
    [
        # on 1 March, on 15 April, on 1 August
        ("95.00", "99.00", ["99.00", "99.00", "99.00"]),
        ("95.00", dated(("2026-04-01", "99.00")), ["95.00", "99.00", "99.00"]),
        (dated(("2026-01-01", "95.00"), ("2026-07-01", "97.00")), "99.00", ["99.00", "99.00", "99.00"]),
        (
            dated(("2026-01-01", "95.00"), ("2026-07-01", "97.00")),
            dated(("2026-04-01", "99.00")),
            ["95.00", "99.00", "99.00"],
        ),
        (None, dated(("2026-04-01", "99.00")), [None, "99.00", "99.00"]),
        (None, "99.00", ["99.00", "99.00", "99.00"]),
    ],
)
def test_a_rate_that_is_replaced(before: object, changed: object, prices: list[str | None]) -> None:
    """A changed rate holds in place of the one before; a dated one leaves the days before its first date alone."""
    rates = {"senior": Decimal(120)} | ({"junior": RATE.validate_python(before)} if before else {})
    found = replaced(rates, {"junior": RATE.validate_python(changed)}, date(2026, 3, 1))
    assert RATE.validate_python(found["junior"]) == found["junior"]  # still in order
    days = [date(2026, 3, 1), date(2026, 4, 15), date(2026, 8, 1)]
    assert [rate_on(found, "junior", day) for day in days] == [each and Decimal(each) for each in prices]
    assert rate_on(found, "senior", days[0]) == Decimal(120)
