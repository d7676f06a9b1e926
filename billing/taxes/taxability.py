"""Which services a state or province taxes, where laws name them one by one: dated data, each row with its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache

from pydantic import Field

from billing.money import Figure
from billing.taxes import dated
from billing.taxes.dated import Dated
from billing.taxes.facts import ServiceKind


class ServiceRule(Dated):
    """Whether a service is taxed in a place. No row means that nobody has settled it: stop."""

    service: ServiceKind
    taxed: bool
    share: Figure = Field(
        default=Decimal(100), gt=0, le=100, description="per cent of the charge that is taxed"
    )

    @property
    def place(self) -> tuple[str, ...]:
        return (self.country, self.region, self.service)

    @property
    def says(self) -> str:
        return "taxed" if self.taxed else "not taxed"


def _read() -> tuple[ServiceRule, ...]:
    return tuple(
        ServiceRule.model_validate({**row, "service": service})
        for row in (dict(each) for each in dated.packaged("service"))
        for service in row.pop("services")
    )


@lru_cache(maxsize=1)
def _by_place() -> dict[tuple[str, ...], tuple[ServiceRule, ...]]:
    rows = _read()
    if wrong := list(dated.problems(rows)):
        raise ValueError("; ".join(wrong))
    found: dict[tuple[str, ...], tuple[ServiceRule, ...]] = {}
    for each in rows:
        found[each.place] = (*found.get(each.place, ()), each)
    return found


def find(day: date, country: str, region: str, service: ServiceKind) -> ServiceRule | None:
    """What a place says of a service on a day; None where no text settles it."""
    rows = _by_place().get((country, region, service), ())
    return next((each for each in rows if each.holds(day)), None)


def problems(rows: Iterable[ServiceRule] | None = None) -> Iterator[str]:
    """Overlaps and gaps of the rows given, else of those that come with Billow."""
    return dated.problems(_read() if rows is None else rows)


def due_for_review(day: date, rows: Iterable[ServiceRule] | None = None) -> Iterator[str]:
    """Which rows to look up again by a day, of those given, else of those that come with Billow."""
    return dated.due_for_review(_read() if rows is None else rows, day)
