"""Dated exchange rates of a company, each with its source; none is guessed, and none is put together from two."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from billing.money import Currency, Figure, rounded
from billing.record import Strict

_STALE_AFTER = timedelta(days=7)
"""A rate without a last day is as fresh as the longest row of days on which none is published."""


class ExchangeRate(Strict):
    """From a day on, one unit of `base` is worth `rate` of `quote`: as published, so that it can be looked up."""

    base: Currency = Field(description="EUR, where one euro costs so many of the other")
    quote: Currency
    rate: Figure = Field(gt=0)
    since: date = Field(description="the day it was published for")
    until: date | None = Field(
        default=None, description="the last day of a rate for a period; else a newer one or a week ends it"
    )
    source: str = Field(min_length=1, description="who published it: ECB, HMRC, Norges Bank")

    @model_validator(mode="after")
    def _of_two(self) -> Self:
        if self.base == self.quote:
            raise ValueError("base and quote are one currency; a rate is between two")
        if self.until and self.until < self.since:
            raise ValueError(f"until ({self.until}) lies before since ({self.since})")
        return self

    def holds(self, day: date) -> bool:
        return self.since <= day <= (self.until or self.since + _STALE_AFTER)

    def between(self, one: str, other: str) -> bool:
        return {self.base, self.quote} == {one, other}


def converted(amount: Decimal, currency: str, base: str, quote: str, rate: Decimal) -> Decimal:
    """The amount in the other of two currencies, rounded once, half away from zero; one `base` is `rate` of `quote`."""
    return rounded(amount * rate, quote) if currency == base else rounded(amount / rate, base)


class ExchangeRates(Strict):
    """All rates a company has written down."""

    rates: tuple[ExchangeRate, ...] = ()

    def on(self, one: str, other: str, day: date) -> ExchangeRate | None:
        """The newest rate between two currencies, either way round, that holds on a day."""
        known = [each for each in self.rates if each.between(one, other) and each.holds(day)]
        return max(known, key=lambda each: each.since, default=None)
