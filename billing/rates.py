"""What an hour costs: a price for each role, which may change from a date on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from billing.money import Figure
from billing.parties import Strict

Positive = Annotated[Figure, Field(gt=0)]


class DatedRate(Strict):
    """The price of an hour from a day on."""

    since: date
    price: Positive = Field(description="of an hour, net")


def _in_order(rates: tuple[DatedRate, ...]) -> tuple[DatedRate, ...]:
    if [each.since for each in rates] != sorted({each.since for each in rates}):
        raise ValueError("write the rates of a role by date, the oldest first, one a day")
    return rates


Rate = Positive | Annotated[tuple[DatedRate, ...], Field(min_length=1), AfterValidator(_in_order)]
Rates = Mapping[str, Rate]


def rate_on(rates: Rates, role: str, day: date) -> Decimal | None:
    """The price of an hour of the role on a day; None if nothing was agreed for it then."""
    rate = rates.get(role)
    if rate is None or isinstance(rate, Decimal):
        return rate
    return next((each.price for each in reversed(rate) if each.since <= day), None)


def missing_rate(rates: Rates, role: str, day: date) -> str:
    """Why an hour of the role has no price on a day, and what to do; empty if it has one."""
    if rate_on(rates, role, day) is not None:
        return ""
    rate = rates.get(role)
    if rate is None or isinstance(rate, Decimal):
        return f"no rate is agreed for the role {role!r}; agreed are: {', '.join(sorted(rates)) or 'none'}"
    return (
        f"the rate of the role {role!r} begins on {rate[0].since.isoformat()}, after {day.isoformat()}; "
        "add what an hour costs before"
    )


def replaced(rates: Rates, changed: Rates, since: date) -> dict[str, Rate]:
    """The rates with some changed or added from a day on; a dated change leaves the price before its first date."""
    merged = dict(rates)
    for role, rate in changed.items():
        before = rates.get(role)
        if before is None or isinstance(rate, Decimal):
            merged[role] = rate
            continue
        dated = (DatedRate(since=since, price=before),) if isinstance(before, Decimal) else before
        merged[role] = (*(each for each in dated if each.since < rate[0].since), *rate)
    return merged
