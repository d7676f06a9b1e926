"""What meters must come to, worked out the plain way: a dictionary, sums, and a set of lines that ever were reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from billing.meter_entries import MeterEntry

BLOCK, HOLD, SPEND, BUILD = "acme-block", "acme-hold", "acme-spend", "acme-build"
AGREEMENTS = (BLOCK, HOLD, SPEND, BUILD)
HOURS, PRICE = 10, 100


class Contradiction(Exception):
    """One revision says two things."""


@dataclass
class Said:
    """What is known of an entry: the newest revision, and what it says."""

    revision: int
    entry: MeterEntry
    deleted: bool

    def follow(self, entry: MeterEntry) -> None:
        """Brings it to what another message says."""
        revision = entry.revision
        if revision is not None and revision < self.revision:
            return
        same = self.deleted if entry.deleted else not self.deleted and _content(entry) == _content(self.entry)
        if not same and revision == self.revision:
            raise Contradiction
        self.revision = revision or self.revision
        self.deleted = entry.deleted
        if not entry.deleted:
            self.entry = entry


def _content(entry: MeterEntry) -> tuple[object, ...]:
    return (entry.agreement, entry.measure, entry.day, entry.quantity, entry.role, entry.milestone)


@dataclass
class Model:
    """One ledger, as it must be."""

    today: date
    said: dict[str, Said] = field(default_factory=dict)
    fired: dict[str, set[str]] = field(default_factory=lambda: {each: set() for each in AGREEMENTS})
    made: Counter[str] = field(default_factory=Counter)
    living: set[str] = field(default_factory=set)
    waived: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    replenish_at: Decimal = Decimal(0)
    bill_at: Decimal = Decimal(1000)
    build_at: int = 80

    def take(self, entries: Iterable[MeterEntry]) -> None:
        """Takes messages in, in this order, without looking at lines. `Contradiction` leaves everything as it was."""
        after = {key: Said(each.revision, each.entry, each.deleted) for key, each in self.said.items()}
        for entry in entries:
            if entry.id in after:
                after[entry.id].follow(entry)
            else:
                after[entry.id] = Said(entry.revision or 0, entry, entry.deleted)
        self.said = after

    def live(self, agreement: str) -> list[MeterEntry]:
        """The entries of an agreement that are not deleted."""
        return [
            each.entry
            for each in self.said.values()
            if each.entry.agreement == agreement and not each.deleted
        ]

    def _counted(self, entries: Iterable[MeterEntry]) -> list[MeterEntry]:
        return [
            each
            for each in entries
            if each.quantity is not None
            and each.quantity >= 0
            and (each.day is None or each.day <= self.today)
            and (each.agreement != SPEND or each.role == "dev")
        ]

    def value(self, agreement: str, live: Iterable[MeterEntry]) -> Decimal:
        """Where the meter stands: the sum of what counts; of progress, the last word about the project."""
        counted = self._counted(live)
        if agreement == BUILD:
            return _progress(counted, None)
        hours = sum((each.quantity or Decimal(0) for each in counted), Decimal(0))
        return hours * PRICE if agreement == SPEND else hours

    def reached(self, agreement: str, live: Iterable[MeterEntry]) -> set[str]:
        """The lines that these entries reach."""
        live = list(live)
        value, counted = self.value(agreement, live), self._counted(live)
        if agreement == BUILD:
            lines = {"plan": 30, "build": self.build_at}
            return {name for name, at in lines.items() if _progress(counted, name) >= at}
        if agreement == SPEND:
            return {f"spend-{n}" for n in range(1, 200) if value >= n * self.bill_at}
        lines_of = range(1, 60) if value > 0 else ()
        return {f"block-{n + 1}" for n in lines_of if value >= n * HOURS - self.replenish_at}

    def look(self) -> None:
        """Fires what is reached now and never was."""
        for agreement in AGREEMENTS:
            self.fire(agreement, self.reached(agreement, self.live(agreement)))

    def fire(self, agreement: str, reached: set[str]) -> None:
        """Lines are reached: those that never were are billed, of spend with the last of them, or told."""
        new = sorted(reached - self.fired[agreement], key=lambda name: (len(name), name))
        self.fired[agreement] |= reached
        if agreement == HOLD:
            self.told |= {line for line in new if f"{HOLD}/{line}" not in self.living - self.waived}
            return
        for line in new[-1:] if agreement == SPEND else new:
            self.ask(f"{agreement}/{line}")

    def ask(self, key: str) -> None:
        """An invoice is asked for by its key: made if there is none that lives or was waived."""
        if key not in self.living:
            self.made[key] += 1
            self.living.add(key)

    def void(self, key: str, *, rebill: bool) -> None:
        """A draft is voided: its key is free again, or taken for good."""
        if rebill:
            self.living.discard(key)
        else:
            self.waived.add(key)


def _progress(counted: list[MeterEntry], milestone: str | None) -> Decimal:
    said = [
        (each.day or date.min, each.quantity or Decimal(0)) for each in counted if each.milestone == milestone
    ]
    if not said and milestone is not None:
        return _progress(counted, None)
    return max(said, default=(date.min, Decimal(0)))[1]
