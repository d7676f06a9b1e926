"""What a period of a retainer costs: by days, exact to the cent, at the price of each day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.agreements import Retainer
from billing.fees import fee, price_on, prices
from billing.money import total
from billing.periods import Period, full_period
from tests.billing.properties import examples
from tests.billing.records import retainer

CADENCES = ["month", "quarter", "half-year", "year", "90 days", "2 weeks"]


def order(key: str, effective: str | date, *, approved: bool = True, **figures: object) -> dict[str, Any]:
    """A change order, approved unless said otherwise."""
    approval = {"approved_by": "noor", "approved_on": "2025-12-01"} if approved else {}
    return {
        "id": key,
        "effective": effective,
        "reason": "More servers",
        "document": "CT-2",
        "proposed_by": "pia",
        **approval,
        **figures,
    }


def step(since: str | date, percent: str, source: str = "CPI") -> dict[str, Any]:
    return {"since": since, "percent": percent, "source": source}


def parts(agreement: Retainer, start: str, end: str) -> list[tuple[str, str, str]]:
    """The parts of a period: days, amount, why."""
    period = Period(start=date.fromisoformat(start), end=date.fromisoformat(end))
    return [(str(each.period), str(each.amount), each.why) for each in fee(agreement, period)]


def amounts(agreement: Retainer, start: str, end: str) -> list[str]:
    return [amount for _, amount, _ in parts(agreement, start, end)]


@pytest.mark.parametrize(
    ("every", "start", "end"),
    [
        ("month", "2026-01-01", "2026-01-31"),
        ("month", "2026-02-01", "2026-02-28"),
        ("month", "2028-02-01", "2028-02-29"),
        ("quarter", "2026-01-01", "2026-03-31"),
        ("half-year", "2026-07-01", "2026-12-31"),
        ("year", "2028-01-01", "2028-12-31"),
        ("90 days", "2026-01-01", "2026-03-31"),
    ],
)
def test_a_whole_period_costs_the_fee(every: str, start: str, end: str) -> None:
    """However long it is, a whole period costs its fee, and there is nothing to explain."""
    assert parts(retainer(every=every), start, end) == [(f"{start} to {end}", "1000.00", "")]


@pytest.mark.parametrize(
    ("every", "start", "end", "amount", "why"),
    [
        ("month", "2026-01-17", "2026-01-31", "483.87", "15 of 31 days"),  # 1,000 × 15 / 31 = 483.870…
        ("month", "2026-03-01", "2026-03-15", "483.87", "15 of 31 days"),
        ("month", "2026-03-16", "2026-03-31", "516.13", "16 of 31 days"),  # 516.129…
        ("month", "2026-02-01", "2026-02-14", "500.00", "14 of 28 days"),
        ("month", "2028-02-01", "2028-02-14", "482.76", "14 of 29 days"),  # leap year: 482.758…
        ("month", "2028-02-29", "2028-02-29", "34.48", "1 of 29 days"),  # 34.482…
        ("quarter", "2026-01-01", "2026-02-14", "500.00", "45 of 90 days"),  # 31 + 14 of 31 + 28 + 31
        ("quarter", "2028-01-01", "2028-02-14", "494.51", "45 of 91 days"),  # 494.505…
        ("half-year", "2026-01-01", "2026-03-31", "497.24", "90 of 181 days"),  # 497.237…
        ("year", "2026-01-01", "2026-03-14", "200.00", "73 of 365 days"),  # 31 + 28 + 14
        ("year", "2028-01-01", "2028-03-01", "166.67", "61 of 366 days"),  # 31 + 29 + 1; 1,000 / 6
        ("90 days", "2026-01-01", "2026-01-09", "100.00", "9 of 90 days"),
    ],
)
def test_days_of_a_period(every: str, start: str, end: str, amount: str, why: str) -> None:
    """Days of a period cost their share by calendar days of that very period, whatever month or year it is."""
    assert parts(retainer(every=every), start, end) == [(f"{start} to {end}", amount, why)]


def test_a_first_period_that_is_cut_is_a_share_of_the_whole_one() -> None:
    """The days count against the period from anchor to anchor, not against the month, nor the days that are left."""
    renewed_in_july = retainer(every="year", start="2026-03-15", anchor="2026-07-01", amount="3650.00")
    # 15 March to 30 June: 17 + 30 + 31 + 30 = 108 of 365 days at 10.00 a day
    assert amounts(renewed_in_july, "2026-03-15", "2026-06-30") == ["1080.00"]
    begun_on_the_17th = retainer(start="2026-01-17")
    assert parts(begun_on_the_17th, "2026-01-17", "2026-02-16")[0][1:] == ("1000.00", "")
    assert parts(begun_on_the_17th, "2026-02-17", "2026-02-28")[0][1:] == ("428.57", "12 of 28 days")


@pytest.mark.parametrize(
    ("currency", "amount", "thirds"),
    [
        ("EUR", "100.00", ["33.33", "33.34", "33.33"]),  # 33.333 → 33.33; 66.667 → 66.67; 100
        ("EUR", "0.02", ["0.01", "0.00", "0.01"]),  # 0.0067 → 0.01; 0.0133 → 0.01; 0.02
        ("JPY", "100", ["33", "34", "33"]),
        ("KWD", "100.000", ["33.333", "33.334", "33.333"]),
    ],
)
def test_cents_that_do_not_divide(currency: str, amount: str, thirds: list[str]) -> None:
    """Thirty days in three: each a third in the currency's smallest unit, together the fee."""
    agreement = retainer(currency=currency, amount=amount, start="2026-04-01")
    found = [
        *amounts(agreement, "2026-04-01", "2026-04-10"),
        *amounts(agreement, "2026-04-11", "2026-04-20"),
        *amounts(agreement, "2026-04-21", "2026-04-30"),
    ]
    assert found == thirds


def test_the_fee_from_an_index_step_on() -> None:
    """A step on the first day of a period raises that period; each later one rests on the fee before it, rounded."""
    indexed = retainer(
        amount="999.99", indexation=[step("2026-07-01", "3.2", "CPI May 2026"), step("2027-07-01", "2.15")]
    )
    assert parts(indexed, "2026-06-01", "2026-06-30")[0][1:] == ("999.99", "")
    # 999.99 × 1.032 = 1,031.98968; 1,031.99 × 1.0215 = 1,054.177785
    assert parts(indexed, "2026-07-01", "2026-07-31")[0][1:] == (
        "1031.99",
        "indexed by 3.2 % since 2026-07-01 (CPI May 2026)",
    )
    assert amounts(indexed, "2027-07-01", "2027-07-31") == ["1054.18"]


def test_half_a_cent_of_a_step_is_rounded_away_from_zero() -> None:
    """An indexed fee is rounded half away from zero: 0.50 raised by 1 % is 0.505, 0.51."""
    assert amounts(
        retainer(amount="0.50", indexation=[step("2026-02-01", "1")]), "2026-02-01", "2026-02-28"
    ) == ["0.51"]


def test_a_fee_may_be_indexed_down() -> None:
    """A step below zero lowers the fee, and is written with its sign."""
    cheaper = retainer(indexation=[step("2026-02-01", "-1.50")])
    assert parts(cheaper, "2026-02-01", "2026-02-28")[0][1:] == (
        "985.00",
        "indexed by -1.5 % since 2026-02-01 (CPI)",
    )


def test_a_step_in_the_middle_of_a_period() -> None:
    """Each stretch is priced by its own days at its own fee, and told apart."""
    indexed = retainer(indexation=[step("2026-03-11", "10")])
    assert parts(indexed, "2026-03-01", "2026-03-31") == [
        ("2026-03-01 to 2026-03-10", "322.58", "10 of 31 days"),  # 1,000 × 10 / 31 = 322.580…
        (
            "2026-03-11 to 2026-03-31",
            "745.16",  # 1,100 × 21 / 31 = 745.161…
            "21 of 31 days; indexed by 10 % since 2026-03-11 (CPI)",
        ),
    ]


def test_steps_in_any_order() -> None:
    """Steps count by date, however they are written."""
    forwards = [step("2026-02-01", "10"), step("2026-03-01", "20")]
    assert prices(retainer(indexation=forwards)) == prices(retainer(indexation=[*reversed(forwards)]))
    assert price_on(retainer(indexation=forwards), date(2026, 3, 1)).amount == Decimal("1320.00")


@pytest.mark.parametrize(
    ("since", "amount"), [("2025-07-01", "1000.00"), ("2026-01-01", "1000.00"), ("2026-01-02", "1100.00")]
)
def test_a_step_on_or_before_the_start(since: str, amount: str) -> None:
    """The fee of an agreement is the one it starts with: a step up to that day is in it already."""
    assert price_on(retainer(indexation=[step(since, "10")]), date(2026, 6, 1)).amount == Decimal(amount)


def test_a_change_order_in_the_middle_of_a_period() -> None:
    """Up to the day before, the old fee by its days; from the day on, the new one by the rest."""
    changed = retainer(change_orders=[order("co-1", "2026-03-16", amount="1500.00")])
    assert parts(changed, "2026-02-01", "2026-02-28")[0][1:] == ("1000.00", "")
    assert parts(changed, "2026-03-01", "2026-03-31") == [
        ("2026-03-01 to 2026-03-15", "483.87", "15 of 31 days"),  # 1,000 × 15 / 31
        (
            "2026-03-16 to 2026-03-31",
            "774.19",
            "16 of 31 days; change order co-1",
        ),  # 1,500 × 16 / 31 = 774.193…
    ]
    assert parts(changed, "2026-04-01", "2026-04-30")[0][1:] == ("1500.00", "change order co-1")


def test_a_change_order_nobody_approved() -> None:
    """Unapproved, it changes no fee; nor does one about something else than the fee."""
    orders = [
        order("co-1", "2026-03-16", approved=False, amount="1500.00"),
        order("co-2", "2026-03-16", end="2026-12-31"),
    ]
    assert parts(retainer(change_orders=orders), "2026-03-01", "2026-03-31")[0][1:] == ("1000.00", "")


def test_change_orders_and_steps_together() -> None:
    """An order replaces the fee with the steps in it, one of its own day too; later steps rest on the order's fee."""
    agreement = retainer(
        indexation=[step("2026-02-01", "10"), step("2026-03-01", "50"), step("2026-04-01", "10")],
        change_orders=[order("co-1", "2026-03-01", amount="2000.00")],
    )
    assert [(str(each.since), str(each.amount)) for each in prices(agreement)[1:]] == [
        ("2026-02-01", "1100.00"),
        ("2026-03-01", "2000.00"),
        ("2026-04-01", "2200.00"),
    ]


def test_a_change_that_changes_nothing_cuts_nothing() -> None:
    """A fee that stays the same is one part: it costs no cent of rounding."""
    same = retainer(
        amount="100.00",
        indexation=[step("2026-04-11", "0")],
        change_orders=[order("co-1", "2026-04-21", amount="100.00")],
    )
    assert parts(same, "2026-04-01", "2026-04-30") == [("2026-04-01 to 2026-04-30", "100.00", "")]


def test_several_periods_at_once() -> None:
    """What reaches over several periods costs each of them."""
    assert amounts(retainer(), "2026-01-31", "2026-03-01") == ["32.26", "1000.00", "32.26"]


FEES = st.decimals("0.01", "99999.99", places=2)
DAYS = st.integers(-500, 500)


@given(
    st.dates(date(2024, 1, 1), date(2031, 12, 31)),
    st.sampled_from(CADENCES),
    FEES,
    DAYS,
    st.lists(st.tuples(DAYS, st.decimals("-20", "20", places=2)), max_size=3),
    st.lists(st.tuples(DAYS, FEES, st.booleans()), max_size=3),
    st.lists(st.integers(1, 400), max_size=6),
    st.integers(-400, 800),
)
@examples(300)
def test_a_period_in_pieces_costs_what_it_costs_in_one(
    start: date,
    every: str,
    amount: Decimal,
    anchor: int,
    steps: list[tuple[int, Decimal]],
    orders: list[tuple[int, Decimal, bool]],
    cuts: list[int],
    asked: int,
) -> None:
    """However a whole period is cut, and wherever its fee changes, its pieces sum to the whole, to the cent."""
    agreement = retainer(
        start=start,
        every=every,
        amount=amount,
        anchor=start + timedelta(days=anchor),
        indexation=[step(start + timedelta(days=days), str(percent)) for days, percent in steps],
        change_orders=[
            order(f"co-{n}", start + timedelta(days=days), approved=approved, amount=changed)
            for n, (days, changed, approved) in enumerate(orders)
        ],
    )
    whole = full_period(start + timedelta(days=anchor), every, start + timedelta(days=asked))
    bounds = sorted({whole.start + timedelta(days=cut % whole.days) for cut in cuts} | {whole.start})
    pieces = [
        Period(start=begins, end=(following or whole.end + timedelta(days=1)) - timedelta(days=1))
        for begins, following in zip(bounds, [*bounds[1:], None], strict=True)
    ]
    in_one = fee(agreement, whole)
    in_pieces = [part for piece in pieces for part in fee(agreement, piece)]
    assert total(part.amount for part in in_pieces) == total(part.amount for part in in_one)
    assert sum(part.period.days for part in in_pieces) == whole.days
    assert all(part.amount >= 0 for part in in_pieces)
    if len(in_one) == 1:
        assert in_one[0].amount == price_on(agreement, whole.start).amount
    # rounding is never carried along: each piece is within a cent of its own share
    for part in in_pieces:
        share = price_on(agreement, part.period.start).amount * part.period.days / whole.days
        assert abs(part.amount - share) <= Decimal("0.01")
