"""What the law of each country, or a contract, gives a business whose client pays late (business to business only)."""

from __future__ import annotations

import tomllib
from calendar import isleap
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Self

from pydantic import Field, model_validator

from billing.money import Currency, Figure, Money
from billing.parties import CountryCode, Strict


class DayCount(StrEnum):
    """By how many days a year's interest is divided."""

    ACTUAL = "actual"
    """By those of the calendar year, 365 or 366: a whole year never costs more than the rate. Taken where no law
    names a divisor."""
    FIXED_365 = "365"
    FIXED_360 = "360"

    def days_of(self, year: int) -> int:
        return 365 + isleap(year) if self is DayCount.ACTUAL else int(self)


class ReferenceDay(StrEnum):
    """On which day the reference rate of a half-year is read."""

    FIRST = "first"
    """1 January and 1 July (Art. 3(2) Directive 2011/7/EU)."""
    EVE = "eve"
    """31 December and 30 June (SI 2002/1675)."""


class Compensation(Strict):
    """A fixed sum for the cost of recovery, for debts `at_least` or `above` an amount in the same currency."""

    amount: Figure = Field(gt=0)
    currency: Currency
    at_least: Figure | None = None
    above: Figure | None = None

    def covers(self, debt: Decimal) -> bool:
        return (self.at_least is None or debt >= self.at_least) and (self.above is None or debt > self.above)


class Regime(Strict):
    """Simple interest a year on what is open after the due date, without a reminder, and the fixed compensation.

    The rate is `margin` percentage points over the reference rate of the half-year, or `margin` alone; it follows the
    reference each half-year (`refixed`) or keeps that of the half-year in which default began.
    """

    country: CountryCode
    law: str = Field(min_length=1, description="articles; for a contract its clause")
    reference: str = Field(default="", description="id of the reference rate; empty: margin is the rate")
    reference_day: ReferenceDay = ReferenceDay.FIRST
    margin: Figure = Field(ge=0, le=100)
    refixed: bool = True
    rounded_up_to: Figure | None = Field(default=None, gt=0, description="step in percentage points")
    day_count: DayCount = DayCount.ACTUAL
    compounds_yearly: bool = False
    compensation: tuple[Compensation, ...] = ()
    note: str = ""

    def half_year(self, day: date, first_late: date) -> date:
        """First day of the half-year whose reference rate holds on a day."""
        deciding = day if self.refixed else first_late
        return date(deciding.year, 1 if deciding.month < 7 else 7, 1)

    def read_on(self, half_year: date) -> date:
        """The day on which the reference rate of a half-year is read."""
        return half_year - timedelta(days=1) if self.reference_day is ReferenceDay.EVE else half_year

    def rate(self, reference: Decimal) -> Decimal:
        """The rate a year, in per cent, never below zero."""
        sum_ = reference + self.margin
        if self.rounded_up_to is not None:
            steps = (sum_ / self.rounded_up_to).to_integral_value(ROUND_CEILING)
            sum_ = steps * self.rounded_up_to
        return max(sum_, Decimal(0))

    def compensation_for(self, debt: Money) -> Money | None:
        """The fixed sum for a debt; None where there is none, or where it depends on an amount in another currency."""
        tiers = self.compensation
        if len(tiers) > 1 and debt.currency != tiers[0].currency:
            return None
        fitting = [each for each in tiers if each.covers(debt.amount)]
        return Money.of(fitting[-1].amount, fitting[-1].currency) if fitting else None


def by_contract(percent_a_year: Decimal, clause: str, day_count: DayCount = DayCount.ACTUAL) -> Regime:
    """Interest as a contract asks it instead of the law's, without compensation: the only kind in the United States."""
    return Regime(country=_NO_COUNTRY, law=clause, margin=percent_a_year, day_count=day_count)


_NO_COUNTRY = "XX"
"""Left to users by ISO 3166-1: a contract is no country's law."""


class LateFee(Strict):
    """What a contract asks of those who pay late, instead of interest by law: never both."""

    clause: str = Field(min_length=1, description="where the contract says so")
    percent_a_month: Figure = Field(default=Decimal(0), ge=0, le=10, description="for each whole month")
    percent_a_year: Figure = Field(
        default=Decimal(0), ge=0, le=100, description="by the day, as simple interest"
    )
    day_count: DayCount = Field(default=DayCount.ACTUAL, description="days of the year for percent_a_year")
    fixed: Figure = Field(default=Decimal(0), ge=0, description="once, in the invoice's currency")
    grace_days: int = Field(default=0, ge=0, le=365)

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.percent_a_month and self.percent_a_year:
            raise ValueError("write percent_a_month or percent_a_year, as the contract says; not both")
        if not (self.percent_a_month or self.percent_a_year or self.fixed):
            raise ValueError("write percent_a_month or percent_a_year, fixed, or both as the contract says")
        return self


@lru_cache(maxsize=1)
def _published() -> dict[str, Regime]:
    text = resources.files("billing.interest.data").joinpath("regimes.toml").read_text("utf-8")
    rows = [Regime.model_validate(row) for row in tomllib.loads(text)["regime"]]
    found = {each.country: each for each in rows}
    if len(found) != len(rows):
        raise ValueError("a country stands twice in regimes.toml")
    return found


def regime_of(country: str) -> Regime | None:
    """What a country's law gives; None where none is known: no interest without a contract, or nobody looked it up."""
    return _published().get(country)


def covered() -> frozenset[str]:
    """The countries whose law on late payment is known."""
    return frozenset(_published())
