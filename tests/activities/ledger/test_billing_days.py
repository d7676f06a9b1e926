"""The day it is for a client, and its business days: they decide when its periods are due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from activities.ledger.triggers import calendar_of_agreement, company_today
from billing.agreements import Agreement
from billing.due import due
from tests.billing.records import CLIENT, company, retainer


def due_at(agreement: Agreement, at: datetime, **client: str) -> list[str]:
    """First days of the periods that are due at an instant, for a client who lives elsewhere."""
    records = company(agreement.model_dump(), clients=[{**CLIENT, **client}])
    today = company_today(records, agreement, at)
    found = due(agreement, today, calendar_of_agreement(records, agreement, today))
    return [each.occasion.period.start.isoformat() for each in found if each.occasion.period]


@pytest.mark.parametrize(
    ("zone", "before", "offset"),
    [
        ("Europe/Berlin", "2026-03-31T23:59:59", 2),  # summer time since 29 March
        ("Europe/Berlin", "2026-10-31T23:59:59", 1),  # winter time since 25 October
        ("Pacific/Auckland", "2026-03-31T23:59:59", 13),  # up to 5 April
        ("Pacific/Auckland", "2026-04-30T23:59:59", 12),
        ("Pacific/Honolulu", "2026-03-31T23:59:59", -10),
        ("America/New_York", "2026-02-28T23:59:59", -5),
        ("Asia/Kolkata", "2028-02-29T23:59:59", 5.5),
    ],
)
def test_a_month_begins_at_the_clients_midnight(zone: str, before: str, offset: float) -> None:
    """A second before midnight where the client is, the next month is not due; at midnight it is."""
    local = datetime.fromisoformat(before)
    at = local.replace(tzinfo=UTC) - timedelta(hours=offset)
    care, second = retainer(), timedelta(seconds=1)
    assert due_at(care, at, zone=zone)[-1] == local.date().replace(day=1).isoformat()
    assert due_at(care, at + second, zone=zone)[-1] == (local + second).date().isoformat()


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Pacific/Auckland", "2026-04-05", 25),
        ("Pacific/Auckland", "2026-09-27", 23),
        ("Pacific/Honolulu", "2026-03-29", 24),
    ],
)
def test_every_hour_of_a_day_on_which_the_clock_changes(zone: str, day: str, hours: int) -> None:
    """A period of that very day is due in each hour of it and in none before, however many hours it has."""
    that_day = retainer(every="1 day", start=day)
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    found = [len(due_at(that_day, midnight + timedelta(hours=n), zone=zone)) for n in range(-1, hours + 1)]
    assert found == [0, *[1] * hours, 2]


@pytest.mark.parametrize(
    ("place", "bill_on", "month", "since"),
    [
        ("US", "last business day", "2027-05-01", "2027-05-28"),  # 31 May is Memorial Day, a Monday
        ("DE-BE", "last business day", "2027-05-01", "2027-05-31"),
        ("DE-BE", "first business day", "2026-05-01", "2026-05-04"),  # 1 May is a holiday, a Friday
        ("US", "first business day", "2026-05-01", "2026-05-01"),
        ("DE-BE", "first business day", "2027-01-01", "2027-01-04"),  # New Year's Day is a Friday
        ("DE-BE", "last business day", "2028-02-01", "2028-02-29"),
    ],
)
def test_business_days_of_the_clients_country(place: str, bill_on: str, month: str, since: str) -> None:
    """The first and the last business day keep clear of the client's own holidays and weekends."""
    care = retainer(start=month, bill_on=bill_on)
    noon = datetime.fromisoformat(f"{since}T12:00:00+00:00")
    assert due_at(care, noon - timedelta(days=1), calendar=place, zone="UTC") == []
    assert due_at(care, noon, calendar=place, zone="UTC") == [month]
