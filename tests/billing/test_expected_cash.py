"""The day on which money can be expected, and what has none; figures by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.expected_cash import Basis, Owed, days_sales_outstanding, expected, expected_on

TODAY = date(2026, 11, 18)  # a Wednesday: its week begins on the 16th


def owed(due: int, amount: str = "100", promised: int | None = None, **more: object) -> Owed:
    """An amount due on a day of November, or, above 30, of December."""
    day = _day(due)
    return Owed("nordlicht", Decimal(amount), day, _day(promised) if promised else None, **more)  # type: ignore[arg-type]


def _day(number: int) -> date:
    return date(2026, 11, number) if number <= 30 else date(2026, 12, number - 30)


@pytest.mark.parametrize(
    ("about", "habit", "day", "basis"),
    [
        (owed(20), 0, 20, Basis.DUE),
        (owed(20), -5, 20, Basis.DUE),  # who pays early is still expected on the due date
        (owed(20), 6, 26, Basis.HABIT),
        (owed(18), 0, 18, Basis.DUE),
        (owed(10), 20, 30, Basis.HABIT),  # late, but not later than usual
        (owed(10), 7, None, Basis.LATE),  # the 17th was yesterday
        (owed(10, promised=25), 20, 25, Basis.PROMISE),
        (owed(10, promised=17), 20, 30, Basis.HABIT),  # a promise that was broken says nothing any more
        (owed(25, planned=True), 9, 25, Basis.PLAN),
        (owed(10, planned=True), 30, None, Basis.LATE),
        (owed(25, promised=27, stopped=Basis.DISPUTED), 0, None, Basis.DISPUTED),
    ],
)
def test_day(about: Owed, habit: int, day: int | None, basis: Basis) -> None:
    """A promise goes before a plan, a plan before due date and habit; what should have come has no day."""
    assert expected_on(about, habit, TODAY) == (_day(day) if day else None, basis)


def test_weeks() -> None:
    """Amounts stand in the week from their Monday, nothing is lost, and the quarter has an end."""
    rows = [
        owed(18, "10"),
        owed(22, "20"),
        owed(23, "40"),
        owed(20, "80", promised=24),
        owed(1, "160"),
        Owed("nordlicht", Decimal(320), date(2027, 2, 14)),
        Owed(
            "nordlicht", Decimal(640), date(2027, 2, 15)
        ),  # 13 weeks from the 16th of November end before it
    ]
    found = expected(rows, {}, TODAY)
    assert [each.together for each in found.weeks if each.amounts] == [30, 120, 320]
    assert found.weeks[0].begins == date(2026, 11, 16)
    assert found.weeks[1].amounts == {Basis.DUE: 40, Basis.PROMISE: 80}
    assert found.later == 640 and found.undated == {Basis.LATE: Decimal(160)}


@pytest.mark.parametrize(
    ("open_now", "issued", "days"), [("25388", "50898", 45), ("0", "100", 0), ("100", "0", None)]
)
def test_dso(open_now: str, issued: str, days: int | None) -> None:
    """Open over gross issued, times 90: 25,388 / 50,898 x 90 = 44.9; none without sales."""
    assert days_sales_outstanding(Decimal(open_now), Decimal(issued), 90) == days
