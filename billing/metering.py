"""Meters: hours, spend and progress under an agreement, and the lines at which something is billed or told."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from billing.agreements import Agreement, FixedPrice, Milestones, PrepaidBlock, TimeAndMaterials, Trigger
from billing.blocks import DrawDown
from billing.change_orders import agreement_on
from billing.exceptions import ReasonCode
from billing.meter_entries import Held, Measure, MeterEntry

CAP = "cap"
"""The kind of lines that limit a period; `cap-<first day>-<height>` is their name."""

_NONE, _WHOLE = Decimal(0), Decimal(100)


@dataclass(frozen=True)
class Line:
    """A threshold of an agreement. Reached, its item is billed, or, without item, a person is told why."""

    name: str
    threshold: Decimal
    value: Decimal
    reached: bool
    item: str | None = None
    code: ReasonCode | None = None
    last: Decimal = field(default=_NONE, compare=False)

    @property
    def kind(self) -> str:
        """The first word of its name, such as `block`, `spend` or `cap`; of progress, of the milestone's id."""
        return self.name.partition("-")[0]

    @property
    def missing(self) -> Decimal:
        """What is still missing to the line."""
        return max(_NONE, self.threshold - self.value)

    @property
    def percent(self) -> int:
        """How far the meter has come from the line before to this one."""
        way = self.threshold - self.last
        return int(max(_NONE, min(_WHOLE, (self.value - self.last) * 100 / way))) if way > 0 else 100


@dataclass(frozen=True)
class Meter:
    """Where a meter stands: all lines it has reached and, of each kind, the next one."""

    measure: Measure
    value: Decimal
    lines: tuple[Line, ...]
    held: tuple[tuple[MeterEntry, Held], ...]
    blocks: DrawDown | None = None


@dataclass(frozen=True)
class MeterStanding:
    """Where a meter stands, for people: hours, a net amount or per cent, as `measure` says.

    `held` entries do not count yet, `next` is the nearest line to come, `blocks` are those of prepaid hours.
    """

    agreement: str
    measure: Measure
    used: Decimal
    held: tuple[tuple[MeterEntry, Held], ...] = ()
    next: Line | None = None
    blocks: DrawDown | None = None


def measures(agreement: Agreement, today: date) -> tuple[Measure, ...]:
    """What is metered under an agreement, as it is on a day; nothing if it has no line."""
    match now := agreement_on(agreement, today):
        case PrepaidBlock():
            return (Measure.HOURS,)
        case TimeAndMaterials() if bills_spend(now) or now.budget or now.cap:
            return (Measure.SPEND,)
        case Milestones() | FixedPrice():
            hours = (Measure.HOURS,) if now.scope_hours else ()
            by_progress = isinstance(now, Milestones) and any(progress_lines(now))
            return (*((Measure.PROGRESS,) if by_progress else ()), *hours)
    return ()


def bills_spend(agreement: TimeAndMaterials) -> bool:
    """Whether it is billed each time the spend has come so far."""
    return agreement.trigger is Trigger.SPEND and agreement.bill_at is not None


def progress_lines(agreement: Milestones) -> Iterator[tuple[str, Decimal]]:
    """Milestones that progress bills, with the per cent at which it does; none if only a person who asks bills them."""
    for each in agreement.milestones if agreement.trigger is not Trigger.MANUAL else ():
        if each.progress is not None or agreement.trigger is Trigger.PROGRESS:
            yield each.id, Decimal(each.progress or 100)


def misplaced(agreement: Agreement, metered: tuple[Measure, ...], entry: MeterEntry) -> str | None:
    """Why an entry has no place under an agreement, as it is today, that meters this; None if it has one."""
    if not metered:
        return f"agreement {agreement.id!r} has no meter: nothing of it is billed or told by a threshold"
    wanted = {*metered, *((Measure.HOURS,) if Measure.SPEND in metered else ())}
    if entry.measure not in wanted:
        return (
            f"agreement {agreement.id!r} does not meter {entry.measure}; write {' or '.join(sorted(wanted))}"
        )
    if entry.milestone and entry.measure is Measure.PROGRESS and isinstance(agreement, Milestones):
        known = [each.id for each in agreement.milestones]
        if entry.milestone not in known:
            return (
                f"agreement {agreement.id!r} has no milestone {entry.milestone!r}; it has: {', '.join(known)}"
            )
    return None


def standing(agreement: str, meter: Meter, crossed: Collection[str]) -> MeterStanding:
    """Where a meter stands, for people; a line that was crossed once does not come again.

    Of the caps of periods only that of the newest comes next: of the others little can change.
    """
    newest = max((each.name for each in meter.lines if each.kind == CAP), default="")
    to_come = [
        each
        for each in meter.lines
        if not each.reached and each.name not in crossed and (each.kind != CAP or each.name == newest)
    ]
    nearest = min(to_come, key=lambda each: each.missing, default=None)
    return MeterStanding(agreement, meter.measure, meter.value, meter.held, nearest, meter.blocks)
