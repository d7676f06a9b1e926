"""Dated tax rates, each with its source: read once from the data files beside this module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Self

from pydantic import Field

from billing.money import Figure
from billing.taxes import dated
from billing.taxes.dated import Dated

STANDARD = "standard"


class TaxRate(Dated):
    """A rate in per cent, in force from `since` to `until` (both included)."""

    tax: str = Field(description="name of the tax as it stands on the document: VAT, GST, HST, MWST …")
    kind: str = Field(default=STANDARD, description="standard, or the name of a reduced rate")
    rate: Figure = Field(ge=0, le=100)

    @property
    def place(self) -> tuple[str, ...]:
        return (self.country, self.region, self.kind)

    @property
    def says(self) -> str:
        return f"{self.tax} {self.rate.normalize():f} %"


@dataclass(frozen=True)
class RateTable:
    """All rates. One place and kind has one rate a day; `problems` tells where it has none or two."""

    rates: tuple[TaxRate, ...]

    @cached_property
    def _by_place(self) -> dict[tuple[str, ...], tuple[TaxRate, ...]]:
        found: dict[tuple[str, ...], tuple[TaxRate, ...]] = {}
        for each in sorted(self.rates, key=lambda row: row.since):
            found[each.place] = (*found.get(each.place, ()), each)
        return found

    def find(
        self, day: date, country: str, region: str = "", tax: str = "", kind: str = STANDARD
    ) -> TaxRate | None:
        """The rate in force on a day; None if there is none, which means stop, not zero."""
        for each in self._by_place.get((country, region, kind), ()):
            if each.holds(day) and tax in ("", each.tax):
                return each
        return None

    def with_more(self, rates: Iterable[TaxRate]) -> Self:
        """This table and what a company configures itself, such as rates of its states. ValueError on an overlap."""
        wider = type(self)((*self.rates, *rates))
        if wrong := list(problems(wider.rates)):
            raise ValueError("; ".join(wrong))
        return wider

    def countries(self) -> frozenset[str]:
        return frozenset(each.country for each in self.rates)

    def changes_within(
        self, start: date, end: date, country: str, region: str = "", kind: str = STANDARD
    ) -> list[date]:
        """The days after `start`, up to `end`, from which another rate of that place and kind holds, or none does."""
        rows = self._by_place.get((country, region, kind), ())
        edges = {each.since for each in rows} | {
            each.until + timedelta(days=1) for each in rows if each.until is not None
        }
        return sorted(
            day
            for day in edges
            if start < day <= end
            and self._figure(day, country, region, kind)
            != self._figure(day - timedelta(days=1), country, region, kind)
        )

    def _figure(self, day: date, country: str, region: str, kind: str) -> object:
        found = self.find(day, country, region, kind=kind)
        return found and found.rate


def _read() -> tuple[TaxRate, ...]:
    return tuple(TaxRate.model_validate(row) for row in dated.packaged("rate"))


def problems(rates: Iterable[TaxRate] | None = None) -> Iterator[str]:
    """Overlaps and gaps of the rates given, else of those that come with Billow."""
    return dated.problems(_read() if rates is None else rates)


def due_for_review(day: date, rates: Iterable[TaxRate] | None = None) -> Iterator[str]:
    """Which rates to look up again by a day, of those given, else of those that come with Billow."""
    return dated.due_for_review(_read() if rates is None else rates, day)


@lru_cache(maxsize=1)
def published() -> RateTable:
    """The rates that come with Billow. ValueError names every overlap and gap."""
    found = _read()
    if wrong := list(problems(found)):
        raise ValueError("; ".join(wrong))
    return RateTable(found)
