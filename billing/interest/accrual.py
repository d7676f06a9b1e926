"""Interest on an open amount, in segments: a new one where the rate, the open amount or the divisor changes.

Each segment is rounded half away from zero, and the total is their sum: every line of a statement can be worked out
again with a pocket calculator, and the lines add up. A period cut in two differs by one smallest unit at most. A
dispute does not stop interest by law: if the client was right, a credit takes the claim and its interest. A company may
let it rest all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from billing.interest.reference_rates import ReferenceRates, published
from billing.interest.regimes import DayCount, Regime
from billing.money import Currency, Figure, Money, smallest_unit, total

_DAY = timedelta(days=1)


class Value(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True)


class Change(Value):
    """What the open amount falls by on a day; below zero when money is taken back.

    A payment counts from the day after it came: the day itself is still late. A credit says the amount was never owed:
    it counts from the beginning.
    """

    on: date
    amount: Figure
    kind: Literal["payment", "credit"] = "payment"


class Rest(Value):
    """Days, both included, on which a claim bears no interest because the creditor says so; without end: until now."""

    since: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


class OpenAmount(Value):
    """What was due when, and what has come since; in one currency, in any order."""

    due: Money
    due_date: date
    changes: tuple[Change, ...] = ()
    rests: tuple[Rest, ...] = ()

    def bears_on(self, day: date) -> Decimal:
        """The principal that bears interest on a day: what is open, but nothing while the claim rests."""
        return Decimal(0) if any(each.holds(day) for each in self.rests) else self.open_on(day)

    @property
    def turns(self) -> set[date]:
        """The days from which another principal bears interest."""
        return (
            {each.on + _DAY for each in self.changes if each.kind == "payment"}
            | {each.since for each in self.rests}
            | {each.until + _DAY for each in self.rests if each.until is not None}
        )

    def open_on(self, day: date) -> Decimal:
        """What is open on a late day; never below zero: what was paid too much earns nothing."""
        gone = total(
            each.amount
            for each in self.changes
            if each.kind == "credit" or each.on < max(day, self.first_late)
        )
        return max(self.due.amount - gone, Decimal(0))

    @property
    def first_late(self) -> date:
        """The day after the due date: the first one that bears interest (Art. 3(3) Directive 2011/7/EU)."""
        return self.due_date + _DAY


class Segment(Value):
    """Interest from a day to a day, both included, at one rate (per cent a year) on one principal."""

    since: date
    until: date
    days: int
    principal: Figure
    rate: Figure
    divisor: int = Field(description="days of the year; 0 where a contract counts in months")
    source: str
    amount: Figure
    reference: str = Field(default="", description="id of the reference rate in it; empty for an agreed rate")
    reference_rate: Figure | None = None
    read_on: date | None = None


class Interest(Value):
    """What late payment has cost up to a day, that day included. The compensation may be in a currency of its own."""

    currency: Currency
    as_of: date
    law: str
    segments: tuple[Segment, ...] = ()
    compensation: Money | None = None
    per_day: Money
    note: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def total(self) -> Money:
        """The interest alone."""
        return Money.of(total(each.amount for each in self.segments), self.currency)


class InterestUnknown(Value):
    """A figure is missing: nothing is claimed, a person must look it up."""

    reason: str


def accrue(
    facts: OpenAmount, regime: Regime, as_of: date, rates: ReferenceRates | None = None
) -> Interest | InterestUnknown:
    """Simple interest and compensation from the day after the due date up to `as_of`, that day included.

    Interest stands at nothing while nothing is open. `InterestUnknown` if a reference rate is not known for some day
    that bears interest, and for a second year where the law compounds.
    """
    table = rates or published()
    segments: list[Segment] = []
    for since, until in _spans(facts, regime, as_of):
        principal = facts.bears_on(since)
        if not principal:
            continue
        if regime.compounds_yearly and until >= _a_year_after(facts.first_late):
            return InterestUnknown(
                reason=f"{regime.country}: after a year interest is added to the debt ({regime.law}); "
                "reckon it by hand from then on"
            )
        found = _rate(regime, since, facts.first_late, table)
        if isinstance(found, InterestUnknown):
            return found
        days, divisor = (until - since).days + 1, regime.day_count.days_of(since.year)
        exact = _interest(principal, found.rate, days, divisor)
        segments.append(
            Segment(
                since=since,
                until=until,
                days=days,
                principal=principal,
                rate=found.rate,
                divisor=divisor,
                source=found.source,
                amount=_rounded(exact, facts.due.currency),
                reference=regime.reference,
                reference_rate=found.reference_rate,
                read_on=found.read_on,
            )
        )
    return Interest(
        currency=facts.due.currency,
        as_of=as_of,
        law=regime.law,
        segments=tuple(segments),
        compensation=_compensation(segments, facts.due.currency, regime),
        per_day=Money.of(_per_day(facts, segments, as_of), facts.due.currency),
        note=regime.note,
        warnings=tuple(words for each, words in table.due_for_review(as_of) if each == regime.reference),
    )


def _spans(facts: OpenAmount, regime: Regime, as_of: date) -> Iterator[tuple[date, date]]:
    """First and last day of each stretch with one principal, one rate and one divisor."""
    first = facts.first_late
    starts = {first} | facts.turns
    for year in range(first.year, as_of.year + 1):
        if regime.day_count is DayCount.ACTUAL or (regime.refixed and regime.reference):
            starts.add(date(year, 1, 1))
        if regime.refixed and regime.reference:
            starts.add(date(year, 7, 1))
    ordered = sorted(day for day in starts if first <= day <= as_of)
    for position, since in enumerate(ordered):
        yield since, ordered[position + 1] - _DAY if position + 1 < len(ordered) else as_of


class _Rate(NamedTuple):
    rate: Decimal
    source: str
    reference_rate: Decimal | None = None
    read_on: date | None = None


def _rate(regime: Regime, day: date, first_late: date, table: ReferenceRates) -> _Rate | InterestUnknown:
    if not regime.reference:
        return _Rate(regime.rate(Decimal(0)), regime.law)
    reference = table.get(regime.reference)
    if reference is None:
        return InterestUnknown(reason=f"{regime.country}: there is no reference rate {regime.reference!r}")
    read_on = regime.read_on(regime.half_year(day, first_late))
    found = table.on(reference.id, read_on)
    if found is None:
        return InterestUnknown(
            reason=f"{regime.country}: {reference.name} on {read_on} is not known; "
            f"look it up ({reference.source}) and add it to reference_rates of the dunning policy"
        )
    source = f"{reference.name} {found} % on {read_on} + {regime.margin.normalize():f}"
    return _Rate(regime.rate(found), source, found, read_on)


def _interest(principal: Decimal, rate: Decimal, days: int, divisor: int) -> Fraction:
    return Fraction(principal) * Fraction(rate) * days / (100 * divisor)


def _rounded(exact: Fraction, currency: str) -> Decimal:
    """Half away from zero, from the exact value: a quotient cut short could be taken for a half."""
    unit = smallest_unit(currency)
    return int(exact / Fraction(unit) + Fraction(1, 2)) * unit


def _per_day(facts: OpenAmount, segments: list[Segment], as_of: date) -> Decimal:
    """What one more day costs at the last rate; nothing once nothing is open."""
    open_now = facts.bears_on(as_of + _DAY)
    if not segments or not open_now:
        return Decimal(0)
    last = segments[-1]
    return _rounded(_interest(open_now, last.rate, 1, last.divisor), facts.due.currency)


def _compensation(segments: list[Segment], currency: str, regime: Regime) -> Money | None:
    """The fixed sum for what was open when default began, whatever was paid later."""
    return regime.compensation_for(Money.of(segments[0].principal, currency)) if segments else None


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 3, 1)
