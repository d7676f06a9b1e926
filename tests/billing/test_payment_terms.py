"""Payment terms: the last day in time, and the first instant that is late."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from billing.payment_terms import PaymentTerms, late_from_day
from tests.billing.properties import examples

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("issued", "net_days", "due"),
    [
        ("2026-06-15", 0, "2026-06-15"),  # on receipt: that day still counts
        ("2026-01-31", 30, "2026-03-02"),  # February 2026 has 28 days
        ("2028-01-30", 30, "2028-02-29"),  # 2028 is a leap year
        ("2028-01-31", 30, "2028-03-01"),
        ("2028-02-28", 1, "2028-02-29"),
        ("2026-02-28", 1, "2026-03-01"),
        ("2028-02-29", 365, "2029-02-28"),
        ("2027-03-01", 365, "2028-02-29"),
        ("2026-12-02", 30, "2027-01-01"),
        ("2026-03-31", 30, "2026-04-30"),
        ("2026-08-31", 14, "2026-09-14"),
    ],
)
def test_due_dates(issued: str, net_days: int, due: str) -> None:
    """Net N counts calendar days after the issue date, over month ends and leap days (§ 187(1) BGB)."""
    day, _ = PaymentTerms(net_days=net_days).due(date.fromisoformat(issued), NOON, "Europe/Berlin")
    assert day == date.fromisoformat(due)


# Clock changes of 2026: EU 29 March and 25 October (Directive 2000/84/EC), USA 8 March and 1 November
# (15 U.S.C. 260a), New South Wales 5 April and 4 October (Standard Time Act 1987); India has none.
@pytest.mark.parametrize(
    ("zone", "due", "late_from"),
    [
        ("Europe/Berlin", "2026-03-28", "2026-03-28T23:00"),
        ("Europe/Berlin", "2026-03-29", "2026-03-29T22:00"),  # a day of 23 hours
        ("Europe/Berlin", "2026-10-24", "2026-10-24T22:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-25T23:00"),  # a day of 25 hours
        ("America/New_York", "2026-03-07", "2026-03-08T05:00"),
        ("America/New_York", "2026-03-08", "2026-03-09T04:00"),
        ("America/New_York", "2026-10-31", "2026-11-01T04:00"),
        ("America/New_York", "2026-11-01", "2026-11-02T05:00"),
        ("Asia/Kolkata", "2026-03-28", "2026-03-28T18:30"),
        ("Asia/Kolkata", "2026-10-25", "2026-10-25T18:30"),
        ("Australia/Sydney", "2026-04-04", "2026-04-04T13:00"),
        ("Australia/Sydney", "2026-04-05", "2026-04-05T14:00"),
        ("Australia/Sydney", "2026-10-03", "2026-10-03T14:00"),
        ("Australia/Sydney", "2026-10-04", "2026-10-04T13:00"),
        ("Africa/Cairo", "2026-04-23", "2026-04-23T22:00"),  # 24 April 2026 begins at 01:00: no midnight
        ("America/Havana", "2026-10-31", "2026-11-01T04:00"),  # 1 November 2026 has two midnights: the first
    ],
)
def test_late_from_local_midnight(zone: str, due: str, late_from: str) -> None:
    """A client pays in time until the last second of the due date where the client is, whatever its clocks do."""
    terms, due_date = PaymentTerms(net_days=10), date.fromisoformat(due)
    assert terms.due(due_date - timedelta(days=10), NOON, zone) == (due_date, utc(late_from))


ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Sydney",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "America/Havana",
    "Asia/Beirut",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "UTC",
]


@given(
    st.dates(date(2000, 1, 1), date(2099, 12, 30)),
    st.sampled_from(ZONES),
)
@examples(300)
def test_no_instant_of_the_due_date_is_late(due_date: date, zone: str) -> None:
    """Just before the late instant it is still the due date there, at it no more; also where midnight is skipped."""
    late_from = late_from_day(due_date, zone)
    assert late_from.utcoffset() == timedelta(0)
    assert late_from.astimezone(ZoneInfo(zone)).date() > due_date
    assert (late_from - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() <= due_date


def test_minutes_count_from_the_instant_of_issue() -> None:
    """Net 30 minutes at 23:45 in Berlin is due on the next day, at 00:15, and late from then."""
    issued_at = utc("2026-06-30T21:45")
    due = PaymentTerms(net_minutes=30).due(date(2026, 6, 30), issued_at, "Europe/Berlin")
    assert due == (date(2026, 7, 1), utc("2026-06-30T22:15"))


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (PaymentTerms(net_days=0), "on receipt"),
        (PaymentTerms(net_days=1), "net 1 day"),
        (PaymentTerms(net_days=14), "net 14 days"),
        (PaymentTerms(net_minutes=1), "net 1 minute"),
        (PaymentTerms(net_minutes=30), "net 30 minutes"),
    ],
)
def test_terms_in_words(terms: PaymentTerms, words: str) -> None:
    """Terms read as people write them, one day in the singular."""
    assert str(terms) == words


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"net_days": 14, "net_minutes": 5},
        {"net_days": -1},
        {"net_days": 366},
        {"net_minutes": 0},
        {"net": 3},
    ],
)
def test_terms_that_are_none(wrong: dict[str, int]) -> None:
    """Terms say days or minutes, one of the two, within a year."""
    with pytest.raises(ValidationError):
        PaymentTerms.model_validate(wrong)
