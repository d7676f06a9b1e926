"""Reading a meter: what its entries come to, and which lines that has reached."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import count

from billing.agreements import Agreement, FixedPrice, Milestones, Overage, PrepaidBlock, TimeAndMaterials
from billing.blocks import BoughtBlock, DrawDown, Use, draw_down
from billing.change_orders import agreement_on
from billing.exceptions import ReasonCode
from billing.leftovers import whole_period
from billing.meter_entries import DECIMALS, Held, Measure, MeterEntry, held
from billing.metering import Line, Meter, bills_spend, progress_lines
from billing.rates import Rates, rate_on

Crossed = Collection[str]

_NONE, _HUNDREDTH = Decimal(0), Decimal("0.01")


def read(
    agreement: Agreement,
    measure: Measure,
    entries: Iterable[MeterEntry],
    bought: Iterable[BoughtBlock],
    today: date,
    crossed: Crossed = frozenset(),
) -> Meter:
    """The meter over the live entries of an agreement: the same whatever order they came in.

    Its lines are those that are reached, and on to the first that never was: `crossed` names those that were.
    """
    ordered = sorted(entries, key=lambda each: (each.day or today, each.source, each.id))
    now = agreement_on(agreement, today)
    if isinstance(agreement, TimeAndMaterials):
        return _spend(agreement, ordered, today, crossed)
    if isinstance(now, Milestones) and measure is Measure.PROGRESS:
        return _progress(now, ordered, today)
    counted, out = _counted(now, measure, ordered, today)
    used = sum((_quantity(each) for each in counted), _NONE)
    if isinstance(agreement, PrepaidBlock):
        uses = [Use(each.day or today, f"{each.source}/{each.id}", _quantity(each)) for each in counted]
        drawn = draw_down(agreement, bought, (each for each in uses if each.hours), today)
        return Meter(measure, used, tuple(_block_lines(agreement, drawn, crossed)), out, drawn)
    scope = now.scope_hours if isinstance(now, Milestones | FixedPrice) else None
    return Meter(measure, used, (_limit("scope", scope, used),) if scope else (), out)


def _quantity(entry: MeterEntry) -> Decimal:
    return entry.quantity or _NONE


def _counted(
    now: Agreement, measure: Measure, entries: Sequence[MeterEntry], today: date
) -> tuple[list[MeterEntry], tuple[tuple[MeterEntry, Held], ...]]:
    """The entries of a measure that count, and those that are held."""
    counted, out = [], []
    for each in entries:
        if each.measure is measure:
            why = held(now, each, None, today)
            counted.append(each) if why is None else out.append((each, why))
    return counted, tuple(out)


def _limit(name: str, most: Decimal, value: Decimal) -> Line:
    """A limit is crossed once it is passed. Its name has its height, so that a raised one is another line."""
    return Line(f"{name}-{most.normalize():f}", most, value, value > most, code=ReasonCode.CAP_EXCEEDED)


def _block_lines(agreement: PrepaidBlock, blocks: DrawDown, crossed: Crossed) -> Iterator[Line]:
    """Every line that is reached, and on to the first that never was."""
    if agreement.overage is Overage.RATE:
        return
    code = ReasonCode.BLOCK_USED_UP if agreement.overage is Overage.HOLD else None
    last = _NONE
    for used_up in count(1):
        name, at, reached = f"block-{used_up + 1}", blocks.line(used_up), used_up <= blocks.used_up
        yield Line(name, at, blocks.drawn, reached, None if code else name, code, last)
        if not reached and name not in crossed:
            return
        last = at


def _spend(
    agreement: TimeAndMaterials, entries: Sequence[MeterEntry], today: date, crossed: Crossed
) -> Meter:
    """Hours at the rate of their day, and amounts as they are; of each period the included hours first, for nothing."""
    now = agreement_on(agreement, today)
    rates: dict[date, Rates] = {}
    out: list[tuple[MeterEntry, Held]] = []
    by_period: dict[date, Decimal] = {}
    free: dict[date, Decimal] = {}
    for each in entries:
        day = each.day or today
        if day not in rates:
            rates[day] = agreement_on(agreement, day).rates
        why = held(now, each, rates[day], today)
        if why is not None:
            out.append((each, why))
            continue
        period, share = whole_period(agreement, day)
        amount = _quantity(each)
        if each.measure is Measure.HOURS:
            if period.start not in free:
                included = agreement_on(agreement, period.start).included_hours or _NONE
                free[period.start] = (included * share).quantize(_HUNDREDTH, ROUND_HALF_UP)
            included = min(amount, free[period.start])
            free[period.start] -= included
            amount = (amount - included) * (rate_on(rates[day], each.role, day) or _NONE)
        by_period[period.start] = by_period.get(period.start, _NONE) + amount
    spent = sum(by_period.values(), _NONE).quantize(DECIMALS, ROUND_HALF_UP)
    return Meter(Measure.SPEND, spent, tuple(_spend_lines(now, spent, by_period, crossed)), tuple(out))


def _spend_lines(
    agreement: TimeAndMaterials, spent: Decimal, by_period: dict[date, Decimal], crossed: Crossed
) -> Iterator[Line]:
    if bills_spend(agreement) and agreement.bill_at is not None:
        for number in count(1):
            name, at = f"spend-{number}", number * agreement.bill_at
            yield Line(name, at, spent, spent >= at, name, last=at - agreement.bill_at)
            if spent < at and name not in crossed:
                break
    if agreement.budget is not None:
        yield _limit("budget", agreement.budget, spent)
    if agreement.cap is not None:
        for period, amount in by_period.items():
            yield _limit(f"cap-{period}", agreement.cap, amount)


def _progress(now: Milestones, entries: Sequence[MeterEntry], today: date) -> Meter:
    """The last word of the newest day counts, the highest where a day has several.

    A milestone's own progress comes first; where nobody reports it, the project's counts for it.
    """
    counted, out = _counted(now, Measure.PROGRESS, entries, today)
    latest: dict[str | None, tuple[date, Decimal]] = {}
    for each in counted:
        said = (each.day or today, _quantity(each))
        latest[each.milestone] = max(latest.get(each.milestone, said), said)
    project = latest.get(None, (today, _NONE))
    lines = []
    for milestone, at in progress_lines(now):
        value = latest.get(milestone, project)[1]
        lines.append(Line(milestone, at, value, value >= at, milestone))
    return Meter(Measure.PROGRESS, project[1], tuple(lines), out)
