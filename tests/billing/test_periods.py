"""Billing periods: contiguous, never overlapping, the same whenever they are asked for."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from billing.calendars import Calendar
from billing.periods import (
    BillingDay,
    Cadence,
    Every,
    Period,
    cadence,
    day_in_month,
    full_period,
    months_after,
    periods,
    without,
)
from tests.billing.properties import examples

CADENCES = ["month", "quarter", "half-year", "year", "90 days", "2 weeks", "1 day", "5 months", "24 months"]
HOLIDAYS = {"2025-12-24", "2025-12-25", "2025-12-26", "2025-12-31", "2026-01-01", "2026-04-03", "2026-04-06"}

starts = st.dates(date(2024, 1, 1), date(2032, 12, 31))
lengths = st.sampled_from(CADENCES)


def day(text: str) -> date:
    return date.fromisoformat(text)


def period(start: str, end: str) -> Period:
    return Period(start=day(start), end=day(end))


def spans(start: str, every: str, until: str, end: str | None = None, anchor: str | None = None) -> list[str]:
    found = periods(day(start), every, day(until), day(end) if end else None, day(anchor) if anchor else None)
    return [str(each) for each in found]


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
    found = list(periods(first, "month", months_after(first, 3)))
    assert [each.start.isoformat() for each in found] == firsts


def test_months_quarters_years() -> None:
    """Both days belong to a period; the next begins on the day after."""
    assert spans("2026-01-01", "month", "2026-02-28") == [
        "2026-01-01 to 2026-01-31",
        "2026-02-01 to 2026-02-28",
    ]
    assert spans("2025-11-30", "quarter", "2026-06-01") == [
        "2025-11-30 to 2026-02-27",
        "2026-02-28 to 2026-05-29",
        "2026-05-30 to 2026-08-29",
    ]
    assert spans("2028-02-29", "year", "2030-12-31") == [
        "2028-02-29 to 2029-02-27",
        "2029-02-28 to 2030-02-27",
        "2030-02-28 to 2031-02-27",
    ]


def test_an_anniversary_on_a_leap_day_comes_back() -> None:
    """Years begun on 29 February begin there again in the next leap year."""
    assert spans("2028-02-29", "year", "2032-02-29")[-1] == "2032-02-29 to 2033-02-27"


def test_an_end_in_the_middle_cuts_the_last_period() -> None:
    """An agreement that ends on the 15th has a last period that ends on the 15th, and none after it."""
    assert spans("2026-01-01", "month", "2026-12-31", "2026-03-15") == [
        "2026-01-01 to 2026-01-31",
        "2026-02-01 to 2026-02-28",
        "2026-03-01 to 2026-03-15",
    ]
    assert spans("2026-01-01", "month", "2026-12-31", "2026-02-01")[-1] == "2026-02-01 to 2026-02-01"
    assert spans("2026-01-01", "month", "2026-12-31", "2026-01-31") == ["2026-01-01 to 2026-01-31"]


def test_nothing_before_the_start() -> None:
    """Before an agreement begins it has no period; on its first day it has one."""
    assert spans("2026-05-01", "month", "2026-04-30") == []
    assert spans("2026-05-01", "month", "2026-05-01") == ["2026-05-01 to 2026-05-31"]
    assert spans("2026-05-01", "month", "2026-12-31", end="2026-04-30") == []


@pytest.mark.parametrize(
    ("begin", "months", "later"),
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
def test_months_after(begin: str, months: int, later: str) -> None:
    """Months are counted on the calendar, forwards and backwards, and end within the month they reach."""
    assert months_after(date.fromisoformat(begin), months) == date.fromisoformat(later)


@pytest.mark.parametrize(
    ("every", "begins"),
    [
        ("month", ["2026-01-15", "2026-02-15", "2026-03-15"]),
        ("quarter", ["2026-01-15", "2026-04-15", "2026-07-15"]),
        ("half-year", ["2026-01-15", "2026-07-15", "2027-01-15"]),
        ("year", ["2026-01-15", "2027-01-15", "2028-01-15"]),
        ("90 days", ["2026-01-15", "2026-04-15", "2026-07-14"]),  # 16 + 28 + 31 + 15; 15 + 31 + 30 + 14
        ("1 day", ["2026-01-15", "2026-01-16", "2026-01-17"]),
        ("2 weeks", ["2026-01-15", "2026-01-29", "2026-02-12"]),
        ("24 months", ["2026-01-15", "2028-01-15", "2030-01-15"]),
        ("3 years", ["2026-01-15", "2029-01-15", "2032-01-15"]),
    ],
)
def test_every_cadence(every: str, begins: list[str]) -> None:
    """Periods as long as they are named or counted."""
    assert [each.split()[0] for each in spans("2026-01-15", every, begins[-1])] == begins


@pytest.mark.parametrize(
    ("every", "length"),
    [
        ("half-year", Cadence(months=6)),
        ("12 months", Cadence(months=12)),
        ("1 year", Cadence(months=12)),
        ("90 days", Cadence(days=90)),
        ("1 day", Cadence(days=1)),
        ("6 weeks", Cadence(days=42)),
    ],
)
def test_how_long_a_cadence_is(every: str, length: Cadence) -> None:
    """Months and years are calendar months; days and weeks are days."""
    assert cadence(every) == length


@pytest.mark.parametrize(
    "every",
    ["", "monthly", "0 days", "90", "-1 days", "1.5 months", "1000 days", " 90 days", "90 Days", "١ days"],
)
def test_what_is_no_cadence(every: str) -> None:
    """What is no cadence is refused with what can be written instead."""
    with pytest.raises(ValidationError, match="write month, quarter, half-year, year, or a count such as"):
        TypeAdapter(Every).validate_python(every)


def test_a_year_of_months_is_twelve_invoices() -> None:
    """From 1 April to 31 March are twelve whole months, not eleven and a rest, in a leap year as well."""
    assert len(spans("2025-04-01", "month", "2030-01-01", end="2026-03-31")) == 12
    assert spans("2027-04-01", "month", "2030-01-01", end="2028-03-31")[-1] == "2028-03-01 to 2028-03-31"
    assert spans("2027-03-01", "year", "2030-01-01", end="2028-02-29") == ["2027-03-01 to 2028-02-29"]


@pytest.mark.parametrize(
    ("start", "every", "anchor", "first_two"),
    [
        ("2026-01-17", "month", "2026-01-01", ["2026-01-17 to 2026-01-31", "2026-02-01 to 2026-02-28"]),
        ("2026-03-15", "year", "2026-07-01", ["2026-03-15 to 2026-06-30", "2026-07-01 to 2027-06-30"]),
        ("2026-03-15", "year", "2024-07-01", ["2026-03-15 to 2026-06-30", "2026-07-01 to 2027-06-30"]),
        ("2026-02-10", "quarter", "2026-01-01", ["2026-02-10 to 2026-03-31", "2026-04-01 to 2026-06-30"]),
        ("2026-02-28", "month", "2025-12-31", ["2026-02-28 to 2026-03-30", "2026-03-31 to 2026-04-29"]),
        ("2028-02-29", "month", "2028-01-30", ["2028-02-29 to 2028-03-29", "2028-03-30 to 2028-04-29"]),
        ("2026-01-10", "90 days", "2026-01-01", ["2026-01-10 to 2026-03-31", "2026-04-01 to 2026-06-29"]),
        ("2026-01-10", "90 days", "2026-04-01", ["2026-01-10 to 2026-03-31", "2026-04-01 to 2026-06-29"]),
        ("2026-07-01", "year", "2026-07-01", ["2026-07-01 to 2027-06-30", "2027-07-01 to 2028-06-30"]),
        ("2027-02-28", "year", "2024-02-29", ["2027-02-28 to 2028-02-28", "2028-02-29 to 2029-02-27"]),
    ],
)
def test_periods_from_a_renewal_date(start: str, every: str, anchor: str, first_two: list[str]) -> None:
    """The first period is cut at the start and ends where the anchor's own periods do, past or to come."""
    assert spans(start, every, "2028-12-31", anchor=anchor)[:2] == first_two


@pytest.mark.parametrize(
    ("anchor", "every", "of", "whole"),
    [
        ("2026-01-01", "month", "2026-01-31", "2026-01-01 to 2026-01-31"),
        ("2026-01-31", "month", "2026-02-27", "2026-01-31 to 2026-02-27"),
        ("2026-01-31", "month", "2026-02-28", "2026-02-28 to 2026-03-30"),
        ("2026-01-31", "month", "2025-02-28", "2025-02-28 to 2025-03-30"),  # before the anchor
        ("2026-07-01", "year", "2024-02-29", "2023-07-01 to 2024-06-30"),
        ("2026-01-01", "90 days", "2025-12-31", "2025-10-03 to 2025-12-31"),
        ("2026-01-01", "90 days", "2026-04-01", "2026-04-01 to 2026-06-29"),
    ],
)
def test_the_whole_period_of_a_day(anchor: str, every: str, of: str, whole: str) -> None:
    """Every day lies in one whole period, before the anchor as well as after it."""
    assert str(full_period(day(anchor), every, day(of))) == whole


@pytest.mark.parametrize(
    ("named", "month", "found"),
    [
        (1, "2026-02-17", "2026-02-01"),
        (29, "2026-02-01", "2026-02-28"),
        (29, "2028-02-01", "2028-02-29"),  # leap year
        (30, "2026-02-28", "2026-02-28"),
        (31, "2026-04-15", "2026-04-30"),
        (31, "2026-05-15", "2026-05-31"),
        ("first business day", "2026-01-20", "2026-01-02"),  # the 1st is a holiday
        ("first business day", "2026-02-20", "2026-02-02"),  # the 1st is a Sunday
        ("first business day", "2026-06-20", "2026-06-01"),
        ("last business day", "2026-02-01", "2026-02-27"),  # the 28th is a Saturday
        ("last business day", "2026-05-31", "2026-05-29"),  # the 31st is a Sunday
        ("last business day", "2026-03-01", "2026-03-31"),
        ("last business day", "2025-12-01", "2025-12-30"),  # the 31st is a holiday here
        ("last business day", "2028-02-01", "2028-02-29"),
    ],
)
def test_a_billing_day_in_a_month(named: BillingDay, month: str, found: str) -> None:
    """29, 30 and 31 are the last day of a shorter month; business days keep clear of weekends and holidays."""
    calendar = Calendar(zone="Europe/Berlin", holidays=frozenset(map(day, HOLIDAYS)))
    assert day_in_month(named, day(month), calendar) == day(found)


def test_a_weekend_of_friday_and_saturday() -> None:
    """The weekend is that of the client's country: the last business day of January 2026 is Thursday the 29th."""
    friday_and_saturday = Calendar(zone="Asia/Dubai", weekend=frozenset({4, 5}))
    assert day_in_month("last business day", date(2026, 1, 1), friday_and_saturday) == date(2026, 1, 29)
    assert day_in_month("first business day", date(2026, 5, 1), friday_and_saturday) == date(2026, 5, 3)


def test_a_month_without_a_business_day() -> None:
    """Where a calendar knows no business day at all, the first and the last day of the month stand in."""
    never = Calendar(zone="UTC", weekend=frozenset(range(7)))
    assert day_in_month("first business day", date(2026, 2, 9), never) == date(2026, 2, 1)
    assert day_in_month("last business day", date(2026, 2, 9), never) == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ([], ["2026-03-01 to 2026-03-31"]),
        ([("2026-03-01", "2026-03-31")], []),
        ([("2026-02-15", "2026-04-15")], []),
        ([("2026-03-01", "2026-03-15")], ["2026-03-16 to 2026-03-31"]),
        ([("2026-03-31", "2026-04-30")], ["2026-03-01 to 2026-03-30"]),
        ([("2026-03-10", "2026-03-10")], ["2026-03-01 to 2026-03-09", "2026-03-11 to 2026-03-31"]),
        (
            [("2026-03-20", "2026-03-25"), ("2026-01-01", "2026-03-02"), ("2026-03-03", "2026-03-04")],
            ["2026-03-05 to 2026-03-19", "2026-03-26 to 2026-03-31"],
        ),
        ([("2026-02-01", "2026-02-28"), ("2026-04-01", "2026-04-30")], ["2026-03-01 to 2026-03-31"]),
        ([("2026-03-01", "2026-03-20"), ("2026-03-05", "2026-03-10")], ["2026-03-21 to 2026-03-31"]),
    ],
)
def test_what_is_left_of_a_period(taken: list[tuple[str, str]], left: list[str]) -> None:
    """Taken days are cut out, in whatever order they are given; both days of each are taken."""
    found = without(period("2026-03-01", "2026-03-31"), [period(*each) for each in taken])
    assert [str(each) for each in found] == left


@given(starts, lengths, st.integers(0, 1500), st.none() | st.integers(0, 1500), st.integers(-900, 900))
@examples(200)
def test_periods_are_contiguous(start: date, every: str, until: int, end: int | None, anchor: int) -> None:
    """Every day from the start to the end of the last period lies in exactly one period, whatever the anchor."""
    asked_until = start + timedelta(days=until)
    last_day = start + timedelta(days=end) if end is not None else None
    found = list(periods(start, every, asked_until, last_day, start + timedelta(days=anchor)))
    assert found and found[0].start == start
    assert all(later.start == earlier.end + timedelta(days=1) for earlier, later in pairwise(found))
    assert found[-1].end >= min(asked_until, last_day or date.max)
    assert last_day is None or found[-1].end <= last_day


@given(starts, lengths, st.integers(0, 1500), st.integers(0, 400), st.integers(0, 600))
@examples(200)
def test_a_day_more_never_changes_a_period(
    start: date, every: str, until: int, more: int, later_start: int
) -> None:
    """Asked later, or from later on, the same days lie in the same periods: only new ones follow."""
    earlier = list(periods(start, every, start + timedelta(days=until)))
    later = list(periods(start, every, start + timedelta(days=until + more)))
    assert later[: len(earlier)] == earlier
    begins = start + timedelta(days=later_start)
    for each in periods(begins, every, begins, anchor=start):
        assert each == Period(start=begins, end=full_period(start, every, begins).end)


@given(starts, lengths, st.integers(-2000, 2000))
@examples(200)
def test_a_day_lies_in_its_whole_period(anchor: date, every: str, away: int) -> None:
    """The whole period of a day holds it, is that of its own first and last day, and begins a count from the anchor."""
    asked = anchor + timedelta(days=away)
    whole = full_period(anchor, every, asked)
    assert whole.start <= asked <= whole.end
    assert full_period(anchor, every, whole.start) == full_period(anchor, every, whole.end) == whole
    assert full_period(anchor, every, whole.end + timedelta(days=1)).start == whole.end + timedelta(days=1)


def test_a_period_in_words() -> None:
    """A period names both of its days."""
    assert str(period("2026-02-01", "2026-02-28")) == "2026-02-01 to 2026-02-28"


def test_a_period_ends_when_it_starts_or_later() -> None:
    """A period of one day has one day; one that ends before it starts is no period."""
    assert period("2026-02-01", "2026-02-01").days == 1
    with pytest.raises(ValidationError, match="cannot end on 2026-01-31, before it starts on 2026-02-01"):
        period("2026-02-01", "2026-01-31")
