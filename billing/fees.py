"""What a period of a retainer costs: by days where it is cut, at the price of each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from billing.agreements import IndexStep, Retainer
from billing.change_orders import ChangeOrder
from billing.money import rounded
from billing.periods import Period, full_period, periods


@dataclass(frozen=True)
class FeePart:
    """Days of one price: what they cost, net, in whole smallest units, and why it is not simply the fee."""

    period: Period
    amount: Decimal
    why: str


@dataclass(frozen=True)
class Price:
    """The fee of a whole period from a day on, net, in whole smallest units of the currency."""

    since: date
    amount: Decimal
    why: str


def prices(agreement: Retainer) -> list[Price]:
    """Every fee the agreement has had and will have, as far as it is agreed, the oldest first.

    An index step adjusts the fee before it and rounds, half away from zero. An approved change order replaces the
    fee. Either names a fee that holds from its day on, as the agreement's own does from its start: a step on or
    before that day is in it already and changes nothing.
    """
    orders: list[IndexStep | ChangeOrder] = [
        each for each in agreement.change_orders if each.amount is not None and each.approved_by
    ]
    steps = [each for each in agreement.indexation if each.since > agreement.start]
    found = [Price(date.min, rounded(agreement.amount, agreement.currency), "")]
    # a step comes before the change order of its day, which replaces it
    for change in sorted([*steps, *orders], key=_since):
        changed = _changed(found[-1], change, agreement.currency)
        if found[-1].since == changed.since:
            found.pop()
        if found[-1].amount != changed.amount:
            found.append(changed)
    return found


def price_on(agreement: Retainer, day: date) -> Price:
    """The fee of a whole period as it is on a day."""
    return next(each for each in reversed(prices(agreement)) if each.since <= day)


def fee(agreement: Retainer, period: Period) -> tuple[FeePart, ...]:
    """What a period costs, in one part for each price in it, oldest first.

    A whole period (between two of the agreement's own bounds) costs its fee. Days of it cost their share by
    calendar days: what the whole costs up to their last day, rounded, less what it costs up to the day before their
    first. However a period is cut, its parts therefore sum to the whole to the cent. Where the fee changes within
    the period, each of the two stretches is priced so by its own days.
    """
    anchor = agreement.anchor or agreement.start
    known = prices(agreement)
    parts: list[FeePart] = []
    for piece in periods(period.start, agreement.every, period.end, period.end, anchor):
        whole = full_period(anchor, agreement.every, piece.start)
        for price, following in zip(known, [*known[1:], None], strict=True):
            ends = following.since - timedelta(days=1) if following else date.max
            stretch = _common(whole, price.since, ends)
            part = _common(piece, price.since, ends)
            if stretch is None or part is None:
                continue
            up_to = _share(price, Period(start=stretch.start, end=part.end).days, whole, agreement.currency)
            before = _share(price, (part.start - stretch.start).days, whole, agreement.currency)
            parts.append(FeePart(part, up_to - before, _why(price, part, whole)))
    return tuple(parts)


def _since(change: IndexStep | ChangeOrder) -> date:
    return change.since if isinstance(change, IndexStep) else change.effective


def _changed(before: Price, change: IndexStep | ChangeOrder, currency: str) -> Price:
    if isinstance(change, IndexStep):
        percent = f"{change.percent.normalize():f} %"
        amount = before.amount * (100 + change.percent) / 100
        why = f"indexed by {percent} since {change.since.isoformat()} ({change.source})"
    else:
        amount, why = change.amount or before.amount, f"change order {change.id}"
    return Price(_since(change), rounded(amount, currency), why)


def _common(period: Period, start: date, end: date) -> Period | None:
    start, end = max(period.start, start), min(period.end, end)
    return Period(start=start, end=end) if start <= end else None


def _share(price: Price, days: int, whole: Period, currency: str) -> Decimal:
    return rounded(price.amount * days / whole.days, currency)


def _why(price: Price, part: Period, whole: Period) -> str:
    days = "" if part == whole else f"{part.days} of {whole.days} days"
    return "; ".join(each for each in (days, price.why) if each)
