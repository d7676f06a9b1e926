"""Dated reference rates for late payment, each with its source: read once from the data beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from billing.money import Figure
from billing.parties import Strict


class DatedRate(Strict):
    """A rate in per cent a year, from its day on; below zero where the central bank says so."""

    since: date
    rate: Figure = Field(gt=-100, le=100)


class Reference(Strict):
    """One reference rate through time: each row holds until the next, the last one until `known_until`, included.

    Written so, no two rows overlap and no day between them is without one; ValueError for rows out of order.
    """

    id: str = Field(pattern=r"^[A-Z]{2}$", description="country of the rate; EU: the European Central Bank")
    name: str = Field(min_length=1)
    source: str = Field(min_length=1)
    reviewed: date
    review_by: date = Field(description="day from which it is to be looked up again")
    known_until: date
    rates: tuple[DatedRate, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for before, after in pairwise(self.rates):
            if after.since <= before.since:
                raise ValueError(f"{self.name}: {after.since} follows {before.since}; put its rates in order")
        if self.known_until < self.rates[-1].since:
            raise ValueError(f"{self.name}: known_until {self.known_until} lies before its last rate begins")
        if self.review_by <= self.reviewed:
            raise ValueError(f"{self.name}: review_by {self.review_by} is not after reviewed {self.reviewed}")
        return self

    def on(self, day: date) -> DatedRate | None:
        """The rate in force on a day; None where none is known, which means stop, not zero."""
        if day > self.known_until:
            return None
        return next((each for each in reversed(self.rates) if each.since <= day), None)

    def due_for_review(self, day: date) -> str:
        """Why somebody must look the rate up by a day, and where; empty if nobody must."""
        if day <= self.known_until and day < self.review_by:
            return ""
        return (
            f"{self.name} is known until {self.known_until} and was last looked up on {self.reviewed}: "
            f"look it up again ({self.source})"
        )


class AnnouncedRate(Strict):
    """A rate the company looked up itself, because Billow's data do not reach as far: it goes before them."""

    reference: str = Field(pattern=r"^[A-Z]{2}$", description="id of the reference rate: EU, DE, GB …")
    since: date
    until: date
    rate: Figure = Field(gt=-100, le=100)
    source: str = Field(min_length=1, description="where and when it was announced")

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.until < self.since:
            raise ValueError(f"until {self.until} lies before since {self.since}")
        return self

    def holds(self, day: date) -> bool:
        return self.since <= day <= self.until


@dataclass(frozen=True)
class ReferenceRates:
    """All reference rates, by id, and what a company announced beside them. ValueError for two of one id or day."""

    references: tuple[Reference, ...]
    announced: tuple[AnnouncedRate, ...] = ()

    def __post_init__(self) -> None:
        ids = [each.id for each in self.references]
        if twice := sorted({each for each in ids if ids.count(each) > 1}):
            raise ValueError(f"reference rates that stand there twice: {', '.join(twice)}")
        for before, after in pairwise(sorted(self.announced, key=lambda each: (each.reference, each.since))):
            if before.reference == after.reference and after.since <= before.until:
                raise ValueError(f"two announced rates of {after.reference} hold on {after.since}")

    def get(self, reference: str) -> Reference | None:
        return next((each for each in self.references if each.id == reference), None)

    def on(self, reference: str, day: date) -> Decimal | None:
        """The rate in force on a day; None where none is known, which means stop, not zero."""
        for each in self.announced:
            if each.reference == reference and each.holds(day):
                return each.rate
        published_one = self.get(reference)
        found = published_one.on(day) if published_one else None
        return found.rate if found else None

    def with_announced(self, rates: Iterable[AnnouncedRate]) -> Self:
        """This table with rates of a company's own. ValueError where two of them hold on one day."""
        return type(self)(self.references, (*self.announced, *rates))

    def due_for_review(self, day: date) -> Iterator[tuple[str, str]]:
        """Id of each reference rate somebody must look up by a day, and the words; not those announced for the day."""
        for each in self.references:
            own = any(one.reference == each.id and one.holds(day) for one in self.announced)
            if not own and (words := each.due_for_review(day)):
                yield each.id, words


@lru_cache(maxsize=1)
def published() -> ReferenceRates:
    """The reference rates that come with Billow. ValueError names what is wrong with them."""
    text = resources.files("billing.interest.data").joinpath("reference_rates.toml").read_text("utf-8")
    return ReferenceRates(tuple(Reference.model_validate(row) for row in tomllib.loads(text)["reference"]))
