"""What an edit of the rules changes: two simulations from one instant, compared act by act."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from billing.simulation.outcome import ISSUED, Simulated, Simulation, Waiting, sums

Key = tuple[str, str, int]


class Change(StrEnum):
    """How an invoice differs (added, gone, changed), and how one of its acts does (all but changed)."""

    ADDED = "added"
    GONE = "gone"
    CHANGED = "changed"
    MOVED = "moved"
    AMOUNT = "other amount"
    WHO = "other person"
    WHY = "other reason"


@dataclass(frozen=True)
class Difference:
    """One act of one invoice under the rules in force and under the edited ones; None where it does not happen."""

    billing_key: str
    act: str
    changes: tuple[Change, ...]
    before: Simulated | None
    after: Simulated | None

    @property
    def at(self) -> datetime:
        """The earlier of the two instants."""
        return min(each.at for each in (self.before, self.after) if each is not None)


@dataclass(frozen=True)
class Comparison:
    """Everything that differs, in order of time, and what waits for an event under one of the two only."""

    before: Simulation
    after: Simulation
    differences: tuple[Difference, ...]
    no_longer_waiting: tuple[Waiting, ...]
    newly_waiting: tuple[Waiting, ...]

    @property
    def empty(self) -> bool:
        return not (self.differences or self.no_longer_waiting or self.newly_waiting)

    @property
    def invoices(self) -> Mapping[str, Change]:
        """The billing keys that differ, in order of time: added, gone, or changed."""
        were = {each.billing_key for each in self.before.steps}
        are = {each.billing_key for each in self.after.steps}
        found: dict[str, Change] = {}
        for each in self.differences:
            key = each.billing_key
            found.setdefault(
                key, Change.ADDED if key not in were else Change.GONE if key not in are else Change.CHANGED
            )
        return found

    @property
    def issued(self) -> dict[str, Decimal]:
        """How much more is invoiced by the edited rules, by currency; less is below zero, the same is left out."""
        before, after = sums(self.before.steps, ISSUED), sums(self.after.steps, ISSUED)
        more = {
            currency: after.get(currency, Decimal(0)) - before.get(currency, Decimal(0))
            for currency in sorted({*before, *after})
        }
        return {currency: amount for currency, amount in more.items() if amount}


def compare(before: Simulation, after: Simulation) -> Comparison:
    """What differs between the rules in force and the edited ones, simulated from one instant to another."""
    were, are = _by_key(before.steps), _by_key(after.steps)
    differences = [
        Difference(key[0], key[1], changes, was, now)
        for key in {**were, **are}
        if (changes := _changes(was := were.get(key), now := are.get(key)))
    ]
    return Comparison(
        before,
        after,
        tuple(sorted(differences, key=lambda each: (each.at, each.billing_key))),
        tuple(each for each in before.waiting if each not in after.waiting),
        tuple(each for each in after.waiting if each not in before.waiting),
    )


def _by_key(steps: Iterable[Simulated]) -> dict[Key, Simulated]:
    """The acts by invoice, name, and how often that was done before: approvers may be reminded twice."""
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[Key, Simulated] = {}
    for each in steps:
        seen[each.billing_key, each.act] += 1
        found[each.billing_key, each.act, seen[each.billing_key, each.act]] = each
    return found


def _changes(before: Simulated | None, after: Simulated | None) -> tuple[Change, ...]:
    if before is None or after is None:
        return (Change.ADDED,) if before is None else (Change.GONE,)
    differs = {
        Change.MOVED: before.at != after.at,
        Change.AMOUNT: before.amount != after.amount,
        Change.WHO: before.who != after.who,
        Change.WHY: before.why != after.why,
    }
    return tuple(change for change, found in differs.items() if found)
