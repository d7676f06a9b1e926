"""A simulation month by month: what is issued, what is paid, what is held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.periods import months_after
from billing.simulation.outcome import HELD, ISSUED, PAID, Simulated, Simulation, sums


@dataclass(frozen=True)
class Month:
    """The steps of a calendar month, and its sums by currency; tax included."""

    first: date
    steps: tuple[Simulated, ...]
    issued: dict[str, Decimal] = field(init=False)
    paid: dict[str, Decimal] = field(init=False)
    held: dict[str, Decimal] = field(init=False)

    def __post_init__(self) -> None:
        for name, act in (("issued", ISSUED), ("paid", PAID), ("held", HELD)):
            object.__setattr__(self, name, sums(self.steps, act))

    @property
    def currencies(self) -> list[str]:
        return sorted({*self.issued, *self.paid, *self.held})


def by_month(simulation: Simulation, zone: str) -> list[Month]:
    """Every month of the simulation, also those in which nothing happens; days are counted in the zone."""
    local = ZoneInfo(zone)
    found: dict[date, list[Simulated]] = {first: [] for first in _firsts(simulation, local)}
    for step in simulation.steps:
        found.setdefault(step.at.astimezone(local).date().replace(day=1), []).append(step)
    return [Month(first, tuple(steps)) for first, steps in sorted(found.items())]


def _firsts(simulation: Simulation, local: ZoneInfo) -> Iterator[date]:
    first = simulation.start.astimezone(local).date().replace(day=1)
    while first < simulation.until.astimezone(local).date():
        yield first
        first = months_after(first, 1)
