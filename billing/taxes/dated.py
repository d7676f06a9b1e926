"""Rows of tax data that hold from a day to a day, each with its source and the day on which to look it up again."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from importlib import resources
from itertools import groupby
from typing import Any, Self

from pydantic import Field, model_validator

from billing.parties import CountryCode, Strict


class Dated(Strict):
    """In force from `since` to `until`, both included; `source` is the law or the authority."""

    country: CountryCode
    region: str = ""
    since: date
    until: date | None = None
    source: str = Field(min_length=1)
    reviewed: date = Field(description="day on which somebody last looked it up")
    review_by: date = Field(description="day from which it is to be looked up again")

    @model_validator(mode="after")
    def _looked_up_before_the_next_review(self) -> Self:
        if self.review_by <= self.reviewed:
            raise ValueError(
                f"review_by {self.review_by} is not after reviewed {self.reviewed}: {self.source}"
            )
        return self

    @property
    def place(self) -> tuple[str, ...]:
        return (self.country, self.region)

    @property
    def says(self) -> str:
        """What the row says, for messages."""
        raise NotImplementedError

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


def problems(rows: Iterable[Dated]) -> Iterator[str]:
    """Overlaps and gaps between the rows of one place, and rows that end before they begin."""
    ordered = sorted(rows, key=lambda each: (each.place, each.since))
    for place, group in groupby(ordered, key=lambda each: each.place):
        name = " ".join(part for part in place if part)
        before: Dated | None = None
        for each in group:
            if each.until is not None and each.until < each.since:
                yield f"{name}: ends {each.until}, before it begins on {each.since}"
            if before is not None:
                if before.until is None or before.until >= each.since:
                    yield f"{name}: {before.says} and {each.says} both hold on {each.since}"
                elif before.until + timedelta(days=1) != each.since:
                    yield (
                        f"{name}: nothing holds from {before.until + timedelta(days=1)} "
                        f"to {each.since - timedelta(days=1)}"
                    )
            before = each


def due_for_review(rows: Iterable[Dated], day: date) -> Iterator[str]:
    """The rows still in force that somebody should have looked up again by a day, oldest review first."""
    due = [each for each in rows if each.review_by <= day and (each.until is None or each.until >= day)]
    for each in sorted(due, key=lambda row: (row.review_by, row.place)):
        name = " ".join(part for part in each.place if part)
        yield (
            f"{name}: {each.says} was last looked up on {each.reviewed}; "
            f"look it up again ({each.source}) and move its review date"
        )


def packaged(table: str) -> Sequence[dict[str, Any]]:
    """All rows of a table in the data files beside this module, file by file."""
    found: list[dict[str, Any]] = []
    for entry in sorted(resources.files("billing.taxes.data").iterdir(), key=lambda each: each.name):
        if entry.name.endswith(".toml"):
            found += tomllib.loads(entry.read_text("utf-8")).get(table, [])
    return found
