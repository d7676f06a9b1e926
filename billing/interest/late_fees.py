"""Late fees as a contract asks them, instead of interest by law."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from billing.interest.accrual import Interest, OpenAmount, Segment, accrue
from billing.interest.regimes import LateFee, by_contract
from billing.money import Money, rounded

_DAY = timedelta(days=1)


def late_fees(facts: OpenAmount, fee: LateFee, as_of: date) -> Interest:
    """The fixed fee once, and the percentage a year by the day, or a month for every whole month of delay, up to a day.

    Months are counted from the due date on; one that is not over yet costs nothing, for a contract that does not say
    so cannot be read to the debtor's cost. In each month the smallest open amount counts, and none
    in which the claim rests. Nothing while the days of
    grace last; after them the months count from the due date. Each month is rounded half away from zero.
    """
    currency = facts.due.currency
    if as_of <= facts.due_date + timedelta(days=fee.grace_days) or not facts.open_on(
        facts.first_late + timedelta(days=fee.grace_days)
    ):
        return Interest(currency=currency, as_of=as_of, law=fee.clause, per_day=Money.zero(currency))
    fixed = Money.of(rounded(fee.fixed, currency), currency) if fee.fixed else None
    if fee.percent_a_year:
        by_day = accrue(facts, by_contract(fee.percent_a_year, fee.clause, fee.day_count), as_of)
        if isinstance(by_day, Interest):
            return by_day.model_copy(update={"compensation": fixed})
    segments: list[Segment] = []
    month = 0
    while fee.percent_a_month and (until := _months_after(facts.due_date, month + 1)) <= as_of:
        since = _months_after(facts.due_date, month) + _DAY
        principal = min(
            facts.bears_on(day) for day in (since, *(each for each in facts.turns if since <= each <= until))
        )
        if principal:
            segments.append(
                Segment(
                    since=since,
                    until=until,
                    days=(until - since).days + 1,
                    principal=principal,
                    rate=fee.percent_a_month * 12,
                    divisor=0,
                    source=f"{fee.percent_a_month.normalize():f} % a month, {fee.clause}",
                    amount=rounded(principal * fee.percent_a_month / 100, currency),
                )
            )
        month += 1
    return Interest(
        currency=currency,
        as_of=as_of,
        law=fee.clause,
        segments=tuple(segments),
        compensation=fixed,
        per_day=Money.zero(currency),
    )


def _months_after(day: date, months: int) -> date:
    """The same day so many months later; the last day of a month that is too short."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
