"""A client's calendar: public holidays of its country or state, from the `holidays` library."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays

from billing.calendars import Calendar
from billing.company import Client
from billing.dunning_policy import DunningPolicy


@lru_cache(maxsize=256)
def public_holidays(place: str, year: int) -> frozenset[date]:
    """The public holidays of a country (DE) or part of it (DE-BE) in a year and the next."""
    country, _, part = place.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=(year, year + 1)))


def calendar_of(client: Client, policy: DunningPolicy, today: date) -> Calendar:
    """When the client may be written to under the policy."""
    return Calendar(
        zone=client.zone,
        holidays=public_holidays(client.calendar, today.year - 1)
        | public_holidays(client.calendar, today.year + 1),
        opens=policy.opens,
        closes=policy.closes,
        around_the_clock=policy.around_the_clock,
    )


def business_days(client: Client, today: date) -> Calendar:
    """The client's business days around a day: a year back, two ahead."""
    return Calendar(
        zone=client.zone,
        holidays=public_holidays(client.calendar, today.year - 1)
        | public_holidays(client.calendar, today.year + 1),
    )
