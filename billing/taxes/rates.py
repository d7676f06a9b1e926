"""Dated tax rates, each with its source: read once from the data files beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources
from itertools import groupby

from pydantic import Field

from billing.money import Figure
from billing.parties import CountryCode, Strict

STANDARD = "standard"


class TaxRate(Strict):
    """A rate in per cent, in force from `since` to `until` (both included); `source` is the law or the authority."""

    country: CountryCode
    region: str = ""
    tax: str = Field(description="name of the tax as it stands on the document: VAT, GST, HST, MwSt …")
    kind: str = Field(default=STANDARD, description="standard, or the name of a reduced rate")
    rate: Figure = Field(ge=0, le=100)
    since: date
    until: date | None = None
    source: str = Field(min_length=1)
    reviewed: date = Field(description="day on which somebody last looked the rate up")
    review_by: date = Field(description="day from which it is to be looked up again")

    @property
    def place(self) -> tuple[str, str, str, str]:
        return (self.country, self.region, self.tax, self.kind)

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True)
class RateTable:
    """All rates, in order of place and day."""

    rates: tuple[TaxRate, ...]

    def find(
        self, day: date, country: str, region: str = "", tax: str = "", kind: str = STANDARD
    ) -> TaxRate | None:
        """The rate in force on a day; None if there is none, which means stop, not zero."""
        for each in self.rates:
            if (each.country, each.region, each.kind) == (country, region, kind) and each.holds(day):
                if not tax or each.tax == tax:
                    return each
        return None

    def countries(self) -> frozenset[str]:
        return frozenset(each.country for each in self.rates)

    def changes_within(self, start: date, end: date, country: str, region: str = "") -> list[date]:
        """The days after `start`, up to `end`, on which a rate of that place begins to hold."""
        found = {
            each.since
            for each in self.rates
            if (each.country, each.region) == (country, region) and start < each.since <= end
        }
        return sorted(found)


def problems(rates: Iterable[TaxRate]) -> Iterator[str]:
    """Overlaps and gaps between the rates of one place and kind."""
    ordered = sorted(rates, key=lambda each: (each.place, each.since))
    for place, group in groupby(ordered, key=lambda each: each.place):
        before: TaxRate | None = None
        for each in group:
            name = " ".join(part for part in place if part)
            if each.until is not None and each.until < each.since:
                yield f"{name}: ends {each.until}, before it begins on {each.since}"
            if before is not None:
                if before.until is None or before.until >= each.since:
                    yield f"{name}: {before.rate} % and {each.rate} % both hold on {each.since}"
                elif before.until + timedelta(days=1) != each.since:
                    yield f"{name}: no rate from {before.until + timedelta(days=1)} to {each.since - timedelta(days=1)}"
            before = each


@lru_cache(maxsize=1)
def published() -> RateTable:
    """The rates that come with Billow. ValueError names every overlap and gap."""
    found: list[TaxRate] = []
    for entry in sorted(resources.files("billing.taxes.data").iterdir(), key=lambda each: each.name):
        if entry.name.endswith(".toml"):
            found += [
                TaxRate.model_validate(row) for row in tomllib.loads(entry.read_text("utf-8")).get("rate", [])
            ]
    wrong = list(problems(found))
    if wrong:
        raise ValueError("; ".join(wrong))
    return RateTable(tuple(sorted(found, key=lambda each: (each.place, each.since))))
