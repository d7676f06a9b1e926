"""Billing periods: contiguous, never overlapping, the same whenever they are asked for."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.periods import Every, Period, months_after, periods
from tests.billing.properties import examples

starts = st.dates(date(2024, 1, 1), date(2032, 12, 31))
lengths = st.sampled_from(list(Every))


def spans(start: str, every: Every, until: str, end: str | None = None) -> list[str]:
    found = periods(
        date.fromisoformat(start),
        every,
        date.fromisoformat(until),
        date.fromisoformat(end) if end else None,
    )
    return [str(period) for period in found]


@pytest.mark.parametrize(
    ("start", "firsts"),
    [
        ("2026-01-29", ["2026-01-29", "2026-02-28", "2026-03-29", "2026-04-29"]),
        ("2026-01-30", ["2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"]),
        ("2026-01-31", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("2028-01-29", ["2028-01-29", "2028-02-29", "2028-03-29", "2028-04-29"]),  # leap year
        ("2028-01-31", ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]),
        ("2026-12-15", ["2026-12-15", "2027-01-15", "2027-02-15", "2027-03-15"]),
        ("2026-01-01", ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]),
    ],
)
def test_months_from_any_day(start: str, firsts: list[str]) -> None:
    """A month begun on the 31st begins on the last day of shorter months and finds its way back to the 31st."""
    first = date.fromisoformat(start)
    found = list(periods(first, Every.MONTH, months_after(first, 3)))
    assert [period.start.isoformat() for period in found] == firsts


def test_months_quarters_years() -> None:
    """Both days belong to a period; the next begins on the day after."""
    assert spans("2026-01-01", Every.MONTH, "2026-02-28") == [
        "2026-01-01 to 2026-01-31",
        "2026-02-01 to 2026-02-28",
    ]
    assert spans("2025-11-30", Every.QUARTER, "2026-06-01") == [
        "2025-11-30 to 2026-02-27",
        "2026-02-28 to 2026-05-29",
        "2026-05-30 to 2026-08-29",
    ]
    assert spans("2028-02-29", Every.YEAR, "2030-12-31") == [
        "2028-02-29 to 2029-02-27",
        "2029-02-28 to 2030-02-27",
        "2030-02-28 to 2031-02-27",
    ]


def test_an_anniversary_on_a_leap_day_comes_back() -> None:
    """Years begun on 29 February begin there again in the next leap year."""
    assert [period.start for period in periods(date(2028, 2, 29), Every.YEAR, date(2032, 2, 29))][-1] == date(
        2032, 2, 29
    )


def test_an_end_in_the_middle_cuts_the_last_period() -> None:
    """An agreement that ends on the 15th has a last period that ends on the 15th, and none after it."""
    assert spans("2026-01-01", Every.MONTH, "2026-12-31", "2026-03-15") == [
        "2026-01-01 to 2026-01-31",
        "2026-02-01 to 2026-02-28",
        "2026-03-01 to 2026-03-15",
    ]
    assert spans("2026-01-01", Every.MONTH, "2026-12-31", "2026-02-01")[-1] == "2026-02-01 to 2026-02-01"
    assert spans("2026-01-01", Every.MONTH, "2026-12-31", "2026-01-31") == ["2026-01-01 to 2026-01-31"]


def test_nothing_before_the_start() -> None:
    """Before an agreement begins it has no period; on its first day it has one."""
    assert spans("2026-05-01", Every.MONTH, "2026-04-30") == []
    assert spans("2026-05-01", Every.MONTH, "2026-05-01") == ["2026-05-01 to 2026-05-31"]
    assert spans("2026-05-01", Every.MONTH, "2026-12-31", end="2026-04-30") == []


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-01-31", -13, "2024-12-31"),
        ("2026-10-31", 0, "2026-10-31"),
        ("2026-12-31", 12, "2027-12-31"),
    ],
)
def test_months_after(day: str, months: int, later: str) -> None:
    """Months are counted on the calendar, forwards and backwards, and end within the month they reach."""
    assert months_after(date.fromisoformat(day), months) == date.fromisoformat(later)


@given(starts, lengths, st.integers(0, 1500), st.none() | st.integers(0, 1500))
@examples(200)
def test_periods_are_contiguous(start: date, every: Every, until: int, end: int | None) -> None:
    """Every day from the start to the end of the last period lies in exactly one period."""
    last_day = start + timedelta(days=end) if end is not None else None
    found = list(periods(start, every, start + timedelta(days=until), last_day))
    assert found and found[0].start == start
    assert all(period.start <= period.end for period in found)
    assert all(later.start == earlier.end + timedelta(days=1) for earlier, later in pairwise(found))
    assert last_day is None or found[-1].end <= last_day


@given(starts, lengths, st.integers(0, 1500), st.integers(0, 400))
@examples(200)
def test_a_day_more_never_changes_a_period(start: date, every: Every, until: int, more: int) -> None:
    """Asked later, the periods known before are the same: only new ones follow."""
    earlier = list(periods(start, every, start + timedelta(days=until)))
    later = list(periods(start, every, start + timedelta(days=until + more)))
    assert later[: len(earlier)] == earlier


def test_a_period_in_words() -> None:
    """A period names both of its days."""
    assert str(Period(start=date(2026, 2, 1), end=date(2026, 2, 28))) == "2026-02-01 to 2026-02-28"
