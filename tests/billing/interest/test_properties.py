"""What holds for every amount, period and payment."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.interest.accrual import Change, Interest, InterestUnknown, OpenAmount, accrue
from billing.interest.late_fees import late_fees
from billing.interest.regimes import LateFee, Regime, covered, regime_of
from billing.money import Money

KNOWN_FROM, KNOWN_UNTIL = date(2023, 1, 1), date(2025, 6, 30)
CENT = Decimal("0.01")

amounts = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10_000_000), places=2)
regimes = st.sampled_from(sorted(covered() - {"NL"})).map(lambda country: regime_of(country) or _none())
due_dates = st.dates(KNOWN_FROM, KNOWN_UNTIL - timedelta(days=2))
payments = st.lists(st.builds(Change, on=st.dates(KNOWN_FROM, KNOWN_UNTIL), amount=amounts), max_size=5).map(
    tuple
)


def _none() -> Regime:
    raise LookupError


def _owed(facts: OpenAmount, regime: Regime, as_of: date) -> Interest:
    found = accrue(facts, regime, as_of)
    assert isinstance(found, Interest), found
    return found


def _item(amount: Decimal, due: date, changes: tuple[Change, ...] = ()) -> OpenAmount:
    return OpenAmount(due=Money.of(amount, "EUR"), due_date=due, changes=changes)


@given(amounts, due_dates, payments, regimes, st.integers(0, 900))
def test_never_negative_and_lines_add_up(
    amount: Decimal, due: date, paid: tuple[Change, ...], regime: Regime, days: int
) -> None:
    """No line is below zero, the lines follow one another, and their days are at most the days of the delay."""
    as_of = min(due + timedelta(days=days), KNOWN_UNTIL)
    found = _owed(_item(amount, due, paid), regime, as_of)
    assert all(each.amount >= 0 and each.rate >= 0 and each.principal > 0 for each in found.segments)
    assert found.total.amount == sum((each.amount for each in found.segments), Decimal(0))
    assert sum(each.days for each in found.segments) <= max((as_of - due).days, 0)
    ends = [each.until for each in found.segments]
    assert all(after.since > end for after, end in zip(found.segments[1:], ends, strict=False))


@given(amounts, due_dates, payments, regimes, st.randoms(use_true_random=False))
def test_order_of_payments_is_irrelevant(
    amount: Decimal, due: date, paid: tuple[Change, ...], regime: Regime, chance: object
) -> None:
    """Payments told in another order cost the same interest, line by line."""
    shuffled = list(paid)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _owed(_item(amount, due, paid), regime, KNOWN_UNTIL) == _owed(
        _item(amount, due, tuple(shuffled)), regime, KNOWN_UNTIL
    )


@given(amounts, due_dates, regimes, st.integers(1, 400))
def test_payment_in_full_ends_it(amount: Decimal, due: date, regime: Regime, days: int) -> None:
    """After payment in full nothing more accrues, and the interest is that of the day of payment."""
    paid_on = min(due + timedelta(days=days), KNOWN_UNTIL)
    paid = _item(amount, due, (Change(on=paid_on, amount=amount),))
    at_the_end = _owed(paid, regime, KNOWN_UNTIL)
    assert at_the_end.total == _owed(_item(amount, due), regime, paid_on).total
    assert at_the_end.per_day == Money.zero("EUR") or paid_on == KNOWN_UNTIL


@given(amounts, due_dates, regimes, st.integers(1, 400), st.integers(1, 400))
def test_a_cut_moves_a_cent_at_most(
    amount: Decimal, due: date, regime: Regime, first: int, second: int
) -> None:
    """A payment of a cent taken back at once cuts a period in two: the sum moves by a cent at most."""
    as_of = min(due + timedelta(days=first + second), KNOWN_UNTIL)
    whole = _owed(_item(amount, due), regime, as_of)
    cut_on = due + timedelta(days=min(first, (as_of - due).days))
    nothing = (Change(on=cut_on, amount=CENT), Change(on=cut_on, amount=-CENT))
    cut = _owed(_item(amount, due, nothing), regime, as_of)
    assert abs(cut.total.amount - whole.total.amount) <= CENT
    assert cut.compensation == whole.compensation


@given(amounts, due_dates, regimes, st.integers(1, 400))
def test_longer_and_more_never_cost_less(amount: Decimal, due: date, regime: Regime, days: int) -> None:
    """A day more of delay, or a cent more of debt, never costs less."""
    as_of = min(due + timedelta(days=days), KNOWN_UNTIL - timedelta(days=1))
    now = _owed(_item(amount, due), regime, as_of).total.amount
    assert _owed(_item(amount, due), regime, as_of + timedelta(days=1)).total.amount >= now
    assert _owed(_item(amount + CENT, due), regime, as_of).total.amount >= now


@given(amounts, st.dates(date(2027, 1, 1), date(2028, 12, 31)), regimes)
def test_unknown_rates_stop(amount: Decimal, due: date, regime: Regime) -> None:
    """Default that begins after the last known rate is never reckoned with an old one."""
    found = accrue(_item(amount, due), regime, due + timedelta(days=200))
    assert isinstance(found, InterestUnknown) == bool(regime.reference)


@given(amounts, due_dates, payments, st.integers(0, 900))
def test_late_fees_count_whole_months(
    amount: Decimal, due: date, paid: tuple[Change, ...], days: int
) -> None:
    """A fee by the month never exceeds its percentage of the amount for each month that is over."""
    fee = LateFee(clause="clause 9", percent_a_month=Decimal("1.5"))
    found = late_fees(_item(amount, due, paid), fee, due + timedelta(days=days))
    assert len(found.segments) <= days // 28
    assert all(0 <= each.amount <= amount * Decimal("0.015") + CENT for each in found.segments)
