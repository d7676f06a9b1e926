"""Payment terms: the last day in time, and the first instant that is late."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from billing.calendars import Calendar
from billing.payment_terms import BusinessDay, EarlyPayment, Instalment, PaymentTerms, late_from_day
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


EASTER_2026 = {"2026-04-03", "2026-04-06"}
"""Good Friday and Easter Monday (Easter Sunday: 5 April 2026)."""

GERMANY = Calendar(
    zone="Europe/Berlin",
    holidays=frozenset(
        date.fromisoformat(each)
        for each in (*EASTER_2026, "2026-01-01", "2026-05-01", "2026-12-25", "2026-12-26", "2027-01-01")
    ),
)
EMIRATES = Calendar(zone="Asia/Dubai", weekend=frozenset({5, 6}), holidays=frozenset({date(2026, 12, 2)}))


@pytest.mark.parametrize(
    ("terms", "issued", "due"),
    [
        # end of the month of issue
        ({"end_of_month_plus": 0}, "2026-01-01", "2026-01-31"),
        ({"end_of_month_plus": 0}, "2026-01-31", "2026-01-31"),
        ({"end_of_month_plus": 0}, "2026-02-10", "2026-02-28"),
        ({"end_of_month_plus": 0}, "2028-02-10", "2028-02-29"),
        ({"end_of_month_plus": 0}, "2028-02-29", "2028-02-29"),
        ({"end_of_month_plus": 0}, "2100-02-10", "2100-02-28"),  # no leap year
        ({"end_of_month_plus": 0}, "2026-04-30", "2026-04-30"),
        # and days, counted from the end of the month (Art. L441-10 Code de commerce knows 45 of them)
        ({"end_of_month_plus": 45}, "2026-01-15", "2026-03-17"),
        ({"end_of_month_plus": 30}, "2026-01-31", "2026-03-02"),
        ({"end_of_month_plus": 30}, "2028-01-15", "2028-03-01"),
        ({"end_of_month_plus": 10}, "2026-12-05", "2027-01-10"),
        ({"end_of_month_plus": 1}, "2026-11-30", "2026-12-01"),
        ({"end_of_month_plus": 120}, "2026-11-01", "2027-03-30"),
        # a fixed day of the month: the first one after the issue date
        ({"day_of_month": 15}, "2026-03-14", "2026-03-15"),
        ({"day_of_month": 15}, "2026-03-15", "2026-04-15"),
        ({"day_of_month": 15}, "2026-12-20", "2027-01-15"),
        ({"day_of_month": 1}, "2026-01-31", "2026-02-01"),
        ({"day_of_month": 29}, "2026-02-10", "2026-02-28"),
        ({"day_of_month": 29}, "2028-02-10", "2028-02-29"),
        ({"day_of_month": 29}, "2026-02-28", "2026-03-29"),
        ({"day_of_month": 30}, "2026-01-30", "2026-02-28"),
        ({"day_of_month": 30}, "2026-02-28", "2026-03-30"),
        ({"day_of_month": 31}, "2026-04-29", "2026-04-30"),
        ({"day_of_month": 31}, "2026-04-30", "2026-05-31"),
        ({"day_of_month": 31}, "2028-01-31", "2028-02-29"),
        # and months later
        ({"day_of_month": 15, "months_later": 1}, "2026-03-14", "2026-04-15"),
        ({"day_of_month": 15, "months_later": 1}, "2026-03-15", "2026-05-15"),
        ({"day_of_month": 31, "months_later": 1}, "2026-01-15", "2026-02-28"),
        ({"day_of_month": 31, "months_later": 1}, "2028-01-15", "2028-02-29"),
        ({"day_of_month": 30, "months_later": 2}, "2026-12-10", "2027-02-28"),
        ({"day_of_month": 10, "months_later": 3}, "2026-11-10", "2027-03-10"),
        # business days: 2026-08-01 and 2026-10-31 are Saturdays, 2026-02-01 is a Sunday
        ({"net_days": 5, "business_day": "as it is"}, "2026-07-27", "2026-08-01"),
        ({"net_days": 5, "business_day": "next"}, "2026-07-27", "2026-08-03"),
        ({"net_days": 5, "business_day": "previous"}, "2026-07-27", "2026-07-31"),
        ({"net_days": 5, "business_day": "next in month"}, "2026-07-27", "2026-08-03"),
        ({"net_days": 30, "business_day": "next"}, "2026-10-01", "2026-11-02"),
        ({"net_days": 30, "business_day": "next in month"}, "2026-10-01", "2026-10-30"),
        ({"net_days": 30, "business_day": "previous"}, "2026-10-01", "2026-10-30"),
        ({"net_days": 30, "business_day": "previous"}, "2026-01-02", "2026-01-30"),
        # holidays: Good Friday to Easter Monday, Labour Day on a Friday, New Year
        ({"net_days": 14, "business_day": "next"}, "2026-03-20", "2026-04-07"),
        ({"net_days": 14, "business_day": "previous"}, "2026-03-20", "2026-04-02"),
        ({"net_days": 14, "business_day": "next in month"}, "2026-03-20", "2026-04-07"),
        ({"end_of_month_plus": 1, "business_day": "next"}, "2026-04-08", "2026-05-04"),
        ({"end_of_month_plus": 1, "business_day": "previous"}, "2026-04-08", "2026-04-30"),
        ({"day_of_month": 1, "business_day": "next"}, "2026-12-09", "2027-01-04"),
        ({"day_of_month": 1, "business_day": "previous"}, "2026-12-09", "2026-12-31"),
        ({"end_of_month_plus": 0, "business_day": "next in month"}, "2026-05-05", "2026-05-29"),
        # never before the issue date, whatever the rule: 2026-08-01 is a Saturday
        ({"net_days": 0, "business_day": "previous"}, "2026-08-01", "2026-08-03"),
        ({"net_days": 1, "business_day": "previous"}, "2026-08-01", "2026-08-03"),
        ({"end_of_month_plus": 0, "business_day": "next in month"}, "2026-10-31", "2026-11-02"),
        ({"net_days": 0, "business_day": "next"}, "2026-08-03", "2026-08-03"),
        # before the service begins, on 1 September 2026, a Tuesday
        ({"before_supply_days": 0}, "2026-08-03", "2026-09-01"),
        ({"before_supply_days": 14}, "2026-08-03", "2026-08-18"),
        ({"before_supply_days": 30}, "2026-08-03", "2026-08-03"),
        ({"before_supply_days": 14}, "2026-10-01", "2026-10-01"),
        ({"before_supply_days": 2, "business_day": "previous"}, "2026-08-03", "2026-08-28"),
        ({"before_supply_days": 2, "business_day": "next"}, "2026-08-03", "2026-08-31"),
    ],
)
def test_other_ways(terms: dict[str, Any], issued: str, due: str) -> None:
    """Every way by hand, over month ends, leap days, weekends and public holidays; reckoned with a wall calendar."""
    found, late_from = PaymentTerms.model_validate(terms).due(
        date.fromisoformat(issued), NOON, "Europe/Berlin", GERMANY, date(2026, 9, 1)
    )
    assert found == date.fromisoformat(due)
    assert late_from == late_from_day(found, "Europe/Berlin")


@pytest.mark.parametrize(
    "terms",
    [
        PaymentTerms(net_days=30),
        PaymentTerms(end_of_month_plus=45),
        *(
            PaymentTerms(day_of_month=day, months_later=later)
            for day in (1, 15, 30, 31)
            for later in range(4)
        ),
    ],
    ids=str,
)
def test_the_longest_time(terms: PaymentTerms) -> None:
    """The most days the terms can give is what they give on the worst day of four years, no more and no less."""
    issued = [date(2025, 1, 1) + timedelta(days=n) for n in range(1461)]
    assert max((terms.due(day, NOON, "UTC")[0] - day).days for day in issued) == terms.longest()


def test_the_weekend_is_the_clients() -> None:
    """A day between two holidays of one client is a business day of another."""
    on_the_day = PaymentTerms(net_days=1, business_day=BusinessDay.NEXT)
    assert on_the_day.due(date(2026, 12, 1), NOON, "Asia/Dubai", EMIRATES)[0] == date(2026, 12, 3)
    assert on_the_day.due(date(2026, 12, 1), NOON, "Europe/Berlin", GERMANY)[0] == date(2026, 12, 2)


def test_business_days_are_never_guessed() -> None:
    """A rule for business days without the client's calendar is refused, not left out."""
    with pytest.raises(ValueError, match="need the client's calendar"):
        PaymentTerms(net_days=1, business_day=BusinessDay.NEXT).due(date(2026, 8, 1), NOON, "UTC")


WAYS = st.one_of(
    st.builds(lambda n: {"net_days": n}, st.integers(0, 365)),
    st.builds(lambda n: {"end_of_month_plus": n}, st.integers(0, 120)),
    st.builds(
        lambda day, later: {"day_of_month": day, "months_later": later},
        st.integers(1, 31),
        st.integers(0, 3),
    ),
    st.builds(lambda n: {"before_supply_days": n}, st.integers(0, 180)),
)
DAYS = st.dates(date(2026, 1, 1), date(2029, 12, 31))
CALENDARS = st.builds(
    lambda holidays: Calendar(zone="UTC", holidays=holidays), st.frozensets(DAYS, max_size=200)
)


@given(WAYS, st.sampled_from(BusinessDay), CALENDARS, DAYS, st.integers(0, 40), DAYS)
@examples(500)
def test_what_holds_for_every_way(
    way: dict[str, int], rule: BusinessDay, calendar: Calendar, issued: date, later: int, supply: date
) -> None:
    """Never due before the issue date; issued later, never due earlier; by a rule, due on a business day; and, but for
    the wait for one and for a service to come, within the longest time the terms can give."""
    terms = PaymentTerms.model_validate({**way, "business_day": rule})
    due, late_from = terms.due(issued, NOON, "UTC", calendar, supply)
    assert due >= issued
    assert late_from > datetime.combine(due, datetime.min.time(), UTC)
    assert terms.due(issued + timedelta(days=later), NOON, "UTC", calendar, supply)[0] >= due
    if rule is not BusinessDay.AS_IT_IS:
        assert calendar.is_business_day(due)
    elif "before_supply_days" not in way:
        assert due - issued <= timedelta(days=terms.longest())


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
        (PaymentTerms(end_of_month_plus=0), "end of month"),
        (PaymentTerms(end_of_month_plus=45), "end of month + 45 days"),
        (PaymentTerms(day_of_month=15), "by the 15. of the month"),
        (PaymentTerms(day_of_month=15, months_later=1), "by the 15. of the month, 1 month later"),
        (PaymentTerms(before_supply_days=14), "14 days before the service begins"),
        (PaymentTerms(net_days=14, business_day=BusinessDay.NEXT), "net 14 days, or the next business day"),
        (
            PaymentTerms(net_days=30, early_payment=EarlyPayment(percent=Decimal("2.0"), days=10)),
            "net 30 days · 2 % discount within 10 days",
        ),
        (
            PaymentTerms(
                instalments=(
                    Instalment(percent=Decimal(40), net_days=0),
                    Instalment(percent=Decimal(60), net_days=30),
                )
            ),
            "40 % on receipt, 60 % net 30 days",
        ),
    ],
)
def test_terms_in_words(terms: PaymentTerms, words: str) -> None:
    """Terms read as people write them, one day in the singular."""
    assert str(terms) == words


HALVES = [{"percent": 50, "net_days": 0}, {"percent": 50, "net_days": 30}]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "exactly one of net_days, .* or instalments \\[type"),
        ({"net_days": 14, "net_minutes": 5}, "here are net_days and net_minutes"),
        ({"net_days": 14, "months_later": 1}, "months_later goes with day_of_month"),
        ({"net_minutes": 5, "business_day": "next"}, "leave business_day out"),
        ({"net_days": -1}, "greater than or equal to 0"),
        ({"net_days": 366}, "less than or equal to 365"),
        ({"net_minutes": 0}, "greater than or equal to 1"),
        ({"day_of_month": 32}, "less than or equal to 31"),
        ({"net": 3}, "exactly one|Extra inputs"),
        ({"net_days": 30, "early_payment": {"percent": 2.5, "days": 10}}, "in quotes"),
        ({"net_days": 10, "early_payment": {"percent": 2, "days": 10}}, "lasts 10 days, .* write fewer days"),
        ({"net_days": 14, "instalments": HALVES}, "move net_days into the instalments"),
        ({"business_day": "next", "instalments": HALVES}, "move business_day into the instalments"),
        (
            {"instalments": HALVES, "early_payment": {"percent": 2, "days": 10}},
            "does not go with instalments",
        ),
        ({"instalments": HALVES[:1]}, "at least two"),
        ({"instalments": [*HALVES, {"percent": 1, "net_days": 60}]}, "come to 101 per cent"),
        ({"instalments": [{"percent": 50}, HALVES[1]]}, "exactly one of"),
    ],
)
def test_terms_that_are_none(wrong: dict[str, Any], message: str) -> None:
    """Terms say one way within its limits, or instalments that come to the whole; else what to write instead."""
    with pytest.raises(ValidationError, match=message):
        PaymentTerms.model_validate(wrong)
