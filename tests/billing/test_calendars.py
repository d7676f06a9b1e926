"""Business days and decent hours where the client is, with the holidays of the kept library."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.invoicing.calendars import public_holidays
from billing.calendars import Calendar
from tests.billing.properties import examples


@cache
def calendar(place: str, zone: str, *, opens: time = time(9), closes: time = time(17)) -> Calendar:
    """The working calendar of a place, with the holidays of 2025 to 2028."""
    known = public_holidays(place, 2025) | public_holidays(place, 2027)
    return Calendar(zone=zone, holidays=known, opens=opens, closes=closes)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BERLIN = calendar("DE-BE", "Europe/Berlin")

# Easter Sunday 2026 is 5 April; Ascension is 39 days after it, Whit Monday 50, Corpus Christi 60.
HOLIDAYS = {
    "DE-BE": ("2027-03-08", "2026-05-01", "2026-04-03"),  # FeiertG BE § 1: Women's Day, 1 May, Good Friday
    "DE-BY": (
        "2026-01-06",
        "2026-06-04",
        "2026-05-25",
    ),  # FTG BY Art. 1: Epiphany, Corpus Christi, Whit Monday
    "AT": ("2026-10-26", "2026-12-08", "2026-01-06"),  # ARG § 7(2): national day, 8 December, Epiphany
    "FR": ("2026-07-14", "2026-11-11", "2026-05-08"),  # Code du travail L3133-1
    "NL": (
        "2026-04-27",
        "2026-05-14",
        "2026-04-06",
    ),  # Algemene termijnenwet art. 3: King's Day, Ascension, Easter
    "CH-ZH": ("2025-08-01", "2026-05-01", "2026-05-14"),  # RLG ZH § 1: federal day, 1 May, Ascension
    "GB-ENG": (
        "2026-08-31",
        "2026-05-04",
        "2026-12-28",
    ),  # 1971 c. 80; Boxing Day 2026 is a Saturday: Monday instead
    "US-TX": (
        "2026-07-03",
        "2026-11-26",
        "2026-01-19",
    ),  # 5 U.S.C. 6103: 4 July on a Saturday; Thanksgiving; King
    "CA-ON": (
        "2026-07-01",
        "2026-10-12",
        "2026-02-16",
    ),  # ESA 2000 s. 1(1): Canada Day, Thanksgiving, Family Day
    "IN-MH": (
        "2026-01-26",
        "2026-05-01",
        "2026-10-02",
    ),  # GoM list under NI Act s. 25: republic, Maharashtra, Gandhi
}


@pytest.mark.parametrize(("place", "day"), [(place, day) for place, days in HOLIDAYS.items() for day in days])
def test_nobody_is_written_to_on_a_public_holiday(place: str, day: str) -> None:
    """Three weekdays of each of ten places that are holidays by law there."""
    holiday = date.fromisoformat(day)
    assert holiday.weekday() < 5, "the test names a weekend"
    assert not calendar(place, "UTC").is_business_day(holiday)


@pytest.mark.parametrize(
    ("place", "day"),
    [
        ("DE-BE", "2026-01-06"),  # Epiphany: Bavaria, not Berlin
        ("DE-BE", "2026-06-04"),  # Corpus Christi: Bavaria, not Berlin
        ("DE-BY", "2027-03-08"),  # Women's Day: Berlin, not Bavaria
        ("AT", "2026-04-03"),  # Good Friday is a working day in Austria since 2019
        ("FR", "2026-04-03"),  # and in France outside Alsace-Moselle
        ("NL", "2026-05-01"),
        ("CH-ZH", "2026-06-04"),
        ("GB-ENG", "2026-11-30"),  # St Andrew's Day: Scotland
        ("US-TX", "2026-10-12"),  # Columbus Day is none in Texas
        ("CA-ON", "2026-06-24"),  # St John the Baptist: Quebec
        ("IN-MH", "2026-06-02"),  # Telangana Day
    ],
)
def test_a_neighbours_holiday_is_a_business_day(place: str, day: str) -> None:
    """Only the holidays of the client's own place count."""
    assert calendar(place, "UTC").is_business_day(date.fromisoformat(day))


@pytest.mark.parametrize("place", HOLIDAYS)
def test_weekends_and_ordinary_days(place: str) -> None:
    """A Tuesday in mid-June is a business day in all ten places, Saturday and Sunday in none."""
    here = calendar(place, "UTC")
    days = [date(2026, 6, 16), date(2026, 6, 20), date(2026, 6, 21)]
    assert [here.is_business_day(day) for day in days] == [True, False, False]


@pytest.mark.parametrize(
    ("place", "day", "next_one"),
    [
        ("DE-BE", "2026-12-25", "2026-12-28"),  # Friday and Saturday holidays, Sunday
        ("GB-ENG", "2026-12-25", "2026-12-29"),  # and Monday instead of Saturday
        ("CA-ON", "2026-12-25", "2026-12-29"),
        ("DE-BE", "2026-04-03", "2026-04-07"),  # Good Friday to Easter Monday
        ("AT", "2026-04-04", "2026-04-07"),
        ("DE-BE", "2027-12-31", "2027-12-31"),  # New Year's Eve is a business day
        ("DE-BE", "2028-01-01", "2028-01-03"),  # a Saturday: nothing is made up for it in Germany
        ("US-TX", "2026-11-26", "2026-11-30"),  # Thanksgiving, the Friday after it (a Texas holiday), weekend
        ("US-TX", "2026-12-24", "2026-12-28"),
        ("NL", "2026-04-25", "2026-04-28"),  # weekend, King's Day
        ("DE-BE", "2026-06-16", "2026-06-16"),
    ],
)
def test_chains_of_holidays(place: str, day: str, next_one: str) -> None:
    """The next business day is after the whole chain of holidays and weekend, not in its middle."""
    assert calendar(place, "UTC").business_day_from(date.fromisoformat(day)) == date.fromisoformat(next_one)


@pytest.mark.parametrize(
    ("at", "decent_from"),
    [
        ("2026-06-16T06:59:59", "2026-06-16T07:00"),  # 08:59:59 CEST: the office opens in a second
        ("2026-06-16T07:00:00", "2026-06-16T07:00"),  # 09:00 sharp
        ("2026-06-16T12:34:56", "2026-06-16T12:34:56"),
        ("2026-06-16T14:59:59", "2026-06-16T14:59:59"),  # the last second
        ("2026-06-16T15:00:00", "2026-06-17T07:00"),  # 17:00: too late, tomorrow
        ("2026-06-16T22:30:00", "2026-06-17T07:00"),  # 00:30 on the 17th there
        ("2026-06-19T15:00:00", "2026-06-22T07:00"),  # Friday evening → Monday
        ("2026-06-20T10:00:00", "2026-06-22T07:00"),  # Saturday noon
        ("2026-06-21T23:00:00", "2026-06-22T07:00"),  # already Monday there, before opening
        ("2026-12-24T16:00:00", "2026-12-28T08:00"),  # Christmas Eve 17:00 → Monday
        ("2026-12-25T10:00:00", "2026-12-28T08:00"),
        ("2026-04-02T15:30:00", "2026-04-07T07:00"),  # Maundy Thursday evening → Tuesday after Easter
        ("2026-03-28T12:00:00", "2026-03-30T07:00"),  # over the switch to summer time: 09:00 CEST
        ("2026-03-27T16:00:00", "2026-03-30T07:00"),
        ("2026-10-24T12:00:00", "2026-10-26T08:00"),  # over the switch to winter time: 09:00 CET
        ("2026-10-23T15:00:00", "2026-10-26T08:00"),
    ],
)
def test_decent_hours_in_berlin(at: str, decent_from: str) -> None:
    """Messages go out from nine to five on business days by the client's own clock, and at once within."""
    assert BERLIN.decent_from(utc(at)) == utc(decent_from)
    assert BERLIN.is_decent(utc(at)) == (at == decent_from or utc(at) == utc(decent_from))


@pytest.mark.parametrize(
    ("place", "zone", "at", "decent_from"),
    [
        (
            "US-TX",
            "America/Chicago",
            "2026-03-06T23:00",
            "2026-03-09T14:00",
        ),  # Friday 17:00 CST → Monday 09:00 CDT
        (
            "US-TX",
            "America/Chicago",
            "2026-10-30T22:00",
            "2026-11-02T15:00",
        ),  # Friday 17:00 CDT → Monday 09:00 CST
        ("IN-MH", "Asia/Kolkata", "2026-06-16T03:29", "2026-06-16T03:30"),  # half an hour's offset
        ("CA-ON", "America/Toronto", "2026-06-16T12:59", "2026-06-16T13:00"),
        ("GB-ENG", "Europe/London", "2026-06-16T07:59", "2026-06-16T08:00"),
    ],
)
def test_decent_hours_elsewhere(place: str, zone: str, at: str, decent_from: str) -> None:
    """The clock that counts is the client's, not ours."""
    assert calendar(place, zone).decent_from(utc(at)) == utc(decent_from)


def test_around_the_clock_is_always_decent() -> None:
    """A client to whom everything may be sent at any hour gets it on Christmas night."""
    always = Calendar(zone="Europe/Berlin", holidays=BERLIN.holidays, around_the_clock=True)
    night = datetime(2026, 12, 25, 3, tzinfo=ZoneInfo("Europe/Berlin"))
    assert always.is_decent(night) and always.decent_from(night) == night


def test_a_week_that_rests_on_friday() -> None:
    """Where Friday and Saturday are the weekend, Sunday is a business day."""
    gulf = Calendar(zone="Asia/Riyadh", weekend=frozenset({4, 5}))
    assert gulf.decent_from(utc("2026-06-18T15:00")) == utc(
        "2026-06-21T06:00"
    )  # Thursday 18:00 → Sunday 09:00


def test_hours_that_the_clock_change_swallows() -> None:
    """A window that does not exist on the day clocks go forward is the next day's: nobody is written to outside it."""
    # Sunday 29 March 2026 in Berlin: 02:00 becomes 03:00
    night = Calendar(zone="Europe/Berlin", weekend=frozenset(), opens=time(2), closes=time(3))
    at = utc("2026-03-28T12:00")
    assert night.decent_from(at) == utc("2026-03-30T00:00")
    assert night.is_decent(night.decent_from(at))


def test_hours_that_the_clock_change_repeats() -> None:
    """On the day clocks go back no earlier instant is answered than the one asked about."""
    # Sunday 25 October 2026 in Berlin: 03:00 becomes 02:00, so that 02:15 comes twice
    night = Calendar(zone="Europe/Berlin", weekend=frozenset(), opens=time(2, 30), closes=time(4))
    second_quarter_past_two = utc("2026-10-25T01:15")
    assert night.decent_from(second_quarter_past_two) >= second_quarter_past_two
    assert night.is_decent(night.decent_from(second_quarter_past_two))


PLACES = (
    ("DE-BE", "Europe/Berlin"),
    ("US-TX", "America/Chicago"),
    ("IN-MH", "Asia/Kolkata"),
    ("GB-ENG", "Europe/London"),
    ("CA-ON", "America/Toronto"),
    ("AT", "Australia/Lord_Howe"),
)


@given(
    st.integers(0, 2 * 365 * 24 * 3600).map(lambda seconds: utc("2026-01-01") + timedelta(seconds=seconds)),
    st.sampled_from(PLACES),
    st.integers(0, 22),
    st.integers(1, 23),
)
@examples(300)
def test_the_first_decent_instant(at: datetime, where: tuple[str, str], opens: int, length: int) -> None:
    """It is decent, not before the instant asked about, itself when that is decent, and at most ten days off."""
    hours = {"opens": time(opens), "closes": time(min(opens + length, 23))}
    here = calendar(*where, **hours)
    found = here.decent_from(at)
    assert here.is_decent(found)
    assert at <= found < at + timedelta(days=10)
    assert found == at or not here.is_decent(at)
    assert here.decent_from(found) == found
