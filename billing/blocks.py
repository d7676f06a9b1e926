"""Prepaid blocks of hours: how work draws them down, what lapses and what rolls over, which block comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.agreements import Overage, PrepaidBlock
from billing.change_orders import agreement_on
from billing.periods import months_after

_NONE = Decimal(0)


@dataclass(frozen=True, order=True)
class Use:
    """Hours of one entry that draw a block down."""

    day: date
    entry: str
    hours: Decimal


@dataclass(frozen=True)
class BoughtBlock:
    """A block with a living invoice: the day it was asked for fixes its size, `since` is when its time begins."""

    number: int
    asked: date
    since: date


@dataclass(frozen=True)
class DrawDown:
    """Where the blocks of an agreement stand, in hours; `used_up` counts those after which the next one was due."""

    bought: Decimal
    drawn: Decimal
    lapsed: Decimal
    rolled_over: Decimal
    expires: date | None
    used_up: int
    beyond: tuple[Use, ...]
    lines: tuple[Decimal, ...]
    size: Decimal

    @property
    def left(self) -> Decimal:
        """Hours paid and not used; below zero, hours used and not paid."""
        return self.bought - self.lapsed - self.drawn

    def line(self, blocks: int) -> Decimal:
        """The hours at which so many blocks count as used up, and the next one is due."""
        known = min(blocks, len(self.lines))
        return self.lines[known - 1] + self.size * (blocks - known)


@dataclass
class _Block:
    number: int
    hours: Decimal
    since: date | None
    expires: date | None
    bought: bool
    lapsed: Decimal = _NONE
    over: bool = False


def draw_down(
    agreement: PrepaidBlock, bought: Iterable[BoughtBlock], uses: Iterable[Use], as_of: date
) -> DrawDown:
    """The blocks after these uses, oldest hour first, as they stand on a day.

    Hours are drawn from the block that was bought first. On the day a block expires, what is left of it lapses, but
    for the hours that roll over: they are kept until the next block expires. Expiry alone makes no block due; the
    first hour after it does. Hours beyond all blocks are owed to the next block, or, where overage is billed by the
    hour, to nobody: they are `beyond`.
    """
    walk = _Walk(agreement, bought, as_of)
    for use in sorted(uses):
        walk.use(use)
    return walk.standing(as_of)


class _Walk:
    """Use after use, in the order of their days."""

    def __init__(self, agreement: PrepaidBlock, bought: Iterable[BoughtBlock], as_of: date) -> None:
        self._agreement = agreement
        self._size = agreement_on(agreement, as_of).hours
        self._blocks = self._in_order({each.number: each for each in bought})
        self._by_rate = agreement.overage is Overage.RATE
        self._drawn = self._rolled_over = _NONE
        self._used_up = 0
        self._beyond: list[Use] = []

    def _in_order(self, bought: dict[int, BoughtBlock]) -> list[_Block]:
        """Block 1 and all up to the last that was bought, first bought first; one nobody bought never expires."""
        months = self._agreement.expires_after_months
        blocks = []
        for number in range(1, max(bought, default=1) + 1):
            found = bought.get(number)
            hours = agreement_on(self._agreement, found.asked).hours if found else self._size
            expires = months_after(found.since, months) if found and months else None
            blocks.append(_Block(number, hours, found.since if found else None, expires, found is not None))
        return sorted(blocks, key=lambda each: (each.since or date.max, each.number))

    def use(self, use: Use) -> None:
        self._expire(use.day)
        drawn = use.hours
        if self._by_rate:
            drawn = max(_NONE, min(use.hours, self._covered(use.day) - self._drawn))
            if drawn < use.hours:
                self._beyond.append(Use(use.day, use.entry, use.hours - drawn))
        self._drawn += drawn
        while self._drawn >= self._line(self._used_up + 1):
            self._used_up += 1

    def _expire(self, day: date) -> None:
        for position, block in enumerate(self._blocks, start=1):
            if block.over or block.expires is None or block.expires > day:
                continue
            left = max(_NONE, self._capacity(position) - self._drawn)
            self._rolled_over = min(left, self._agreement.roll_over)
            block.lapsed, block.over = left - self._rolled_over, True

    def _covered(self, day: date) -> Decimal:
        """The hours of the first block, and of those bought by that day."""
        by_then = [
            each
            for position, each in enumerate(self._blocks)
            if position == 0 or (each.since and each.since <= day)
        ]
        return sum((each.hours - each.lapsed for each in by_then), _NONE)

    def _capacity(self, blocks: int) -> Decimal:
        """The hours of so many blocks, without what has lapsed; blocks to come have the size of today."""
        known = self._blocks[:blocks]
        to_come = self._size * (blocks - len(known))
        return sum((each.hours - each.lapsed for each in known), to_come)

    def _line(self, blocks: int) -> Decimal:
        return self._capacity(blocks) - self._agreement.replenish_at

    def standing(self, as_of: date) -> DrawDown:
        self._expire(as_of)
        bought = [each for each in self._blocks if each.bought]
        return DrawDown(
            bought=sum((each.hours for each in bought), _NONE),
            drawn=self._drawn,
            lapsed=sum((each.lapsed for each in bought), _NONE),
            rolled_over=self._rolled_over,
            expires=self._next_expiry(),
            used_up=self._used_up,
            beyond=tuple(self._beyond),
            lines=tuple(self._line(each) for each in range(1, len(self._blocks) + 1)),
            size=self._size,
        )

    def _next_expiry(self) -> date | None:
        """The day on which hours lapse next, if nobody works until then."""
        for position, block in enumerate(self._blocks, start=1):
            if block.bought and not block.over and block.expires and self._capacity(position) > self._drawn:
                return block.expires
        return None
