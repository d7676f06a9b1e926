"""Instalments: the parts of an amount due, which of them is open, and what may be asked for."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.calendars import Calendar
from billing.instalments import Part, asked, current, divided, settled
from billing.money import Money, total
from billing.payment_terms import PaymentTerms
from tests.billing.properties import examples

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ISSUED = date(2026, 3, 10)


def terms(*instalments: dict[str, Any]) -> PaymentTerms:
    return PaymentTerms.model_validate({"instalments": instalments})


def parts(amount: str, *instalments: dict[str, Any], currency: str = "EUR") -> list[tuple[str, str]]:
    found = divided(
        terms(*instalments), Money.of(amount, currency), ISSUED, NOON, "Europe/Berlin", Calendar("UTC")
    )
    return [(str(part.amount), part.due_date.isoformat()) for part in found]


@pytest.mark.parametrize(
    ("amount", "currency", "percents", "shares"),
    [
        ("1190.00", "EUR", ("50", "50"), ["595.00", "595.00"]),
        ("100.01", "EUR", ("50", "50"), ["50.01", "50.00"]),  # equal remainders: the earlier part
        ("100.00", "EUR", ("33.33", "33.33", "33.34"), ["33.33", "33.33", "33.34"]),
        ("10.00", "EUR", ("33.3", "33.3", "33.4"), ["3.33", "3.33", "3.34"]),
        ("1000", "JPY", ("33.3", "33.3", "33.4"), ["333", "333", "334"]),
        ("0.01", "EUR", ("30", "70"), ["0.00", "0.01"]),
        ("1.000", "KWD", ("12.5", "87.5"), ["0.125", "0.875"]),
    ],
)
def test_amounts(amount: str, currency: str, percents: tuple[str, ...], shares: list[str]) -> None:
    """Each part follows its percentage by largest remainder, in whole smallest units."""
    ways = [{"percent": each, "net_days": 10 * n} for n, each in enumerate(percents)]
    assert [share for share, _ in parts(amount, *ways, currency=currency)] == shares


@given(
    st.integers(1, 10**9),
    st.lists(st.integers(1, 40), min_size=1, max_size=8).filter(lambda each: sum(each) < 100),
)
@examples(200)
def test_the_parts_are_the_whole(cents: int, percents: list[int]) -> None:
    """Whatever the percentages, the parts sum to the amount due, and fall due one after the other."""
    every = [*percents, 100 - sum(percents)]
    ways = [{"percent": each, "net_days": (37 * n) % 90} for n, each in enumerate(every)]
    amount = Money.of(Decimal(cents).scaleb(-2), "EUR")
    found = divided(terms(*ways), amount, ISSUED, NOON, "UTC")
    assert total(part.amount for part in found) == amount.amount
    assert [part.late_from for part in found] == sorted(part.late_from for part in found)


def test_each_part_is_due_in_its_way() -> None:
    """Parts may be due in different ways, each moved to a business day by its own rule, and are sorted by date."""
    assert parts(
        "1000.00",
        {"percent": 20, "end_of_month_plus": 30, "business_day": "next"},  # 30 April 2026, a Thursday
        {"percent": 30, "net_days": 0},
        {"percent": 50, "day_of_month": 15, "business_day": "previous"},  # 15 March 2026, a Sunday
    ) == [("300.00", "2026-03-10"), ("500.00", "2026-03-13"), ("200.00", "2026-04-30")]


def test_without_instalments_there_is_one_part() -> None:
    """Terms of one way give one part: the whole, on the due date."""
    (part,) = divided(PaymentTerms(net_days=14), Money.of("10.00", "EUR"), ISSUED, NOON, "UTC")
    due = PaymentTerms(net_days=14).due(ISSUED, NOON, "UTC")
    assert (part.amount, (part.due_date, part.late_from)) == (Decimal("10.00"), due)


def test_terms_are_due_with_the_first_part() -> None:
    """The due date of terms with instalments is that of the part that falls due first, wherever it is written."""
    both = terms({"percent": 50, "net_days": 30}, {"percent": 50, "net_days": 10})
    assert both.due(ISSUED, NOON, "UTC")[0] == date(2026, 3, 20)
    assert both.longest() == 30


THREE = tuple(
    Part(amount=Decimal(amount), due_date=day, late_from=datetime(day.year, day.month, day.day, tzinfo=UTC))
    for amount, day in (("300", date(2026, 4, 1)), ("300", date(2026, 5, 1)), ("400", date(2026, 6, 1)))
)


@pytest.mark.parametrize(
    ("paid", "today", "open_part", "to_ask"),
    [
        ("0", "2026-03-20", 0, "300"),  # before the first due date: the part that comes due
        ("0", "2026-04-05", 0, "300"),
        ("100", "2026-04-05", 0, "200"),
        ("299.99", "2026-04-05", 0, "0.01"),
        ("300", "2026-04-05", 1, "300"),
        ("450", "2026-04-05", 1, "150"),
        ("0", "2026-05-01", 0, "600"),  # the second falls due meanwhile
        ("100", "2026-05-20", 0, "500"),
        ("600", "2026-05-20", 2, "400"),
        ("0", "2026-07-01", 0, "1000"),
        ("1000", "2026-07-01", 2, "0"),
        ("1200", "2026-07-01", 2, "0"),  # paid too much: nothing is asked
    ],
)
def test_what_is_open_and_asked(paid: str, today: str, open_part: int, to_ask: str) -> None:
    """The first part not covered is the open one; asked is what is due by its date or today, less what was paid."""
    assert current(THREE, Decimal(paid)) == THREE[open_part]
    assert asked(THREE, Decimal(paid), date.fromisoformat(today)) == Decimal(to_ask)


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        ("0", (False, False, False)),
        ("299.99", (False, False, False)),
        ("300", (True, False, False)),
        ("599", (True, False, False)),
        ("600", (True, True, False)),
        ("1000", (True, True, True)),
        ("-5", (False, False, False)),
    ],
)
def test_which_parts_are_settled(paid: str, expected: tuple[bool, ...]) -> None:
    """Of parts of 300, 300 and 400, money counts for the earlier ones first."""
    given = [Part(amount=Decimal(each), due_date=ISSUED, late_from=NOON) for each in (300, 300, 400)]
    assert settled(given, Decimal(paid)) == expected
