"""Late fees by contract, worked by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from billing.interest.accrual import Change, OpenAmount
from billing.interest.late_fees import late_fees
from billing.interest.regimes import LateFee
from billing.money import Money

DUE = date(2026, 1, 31)


def owed(fee: dict[str, str | int], as_of: date, *paid: tuple[date, int]) -> tuple[list[str], str | None]:
    """The months' fees and the fixed fee for USD 1,000 due on 31 January 2026."""
    facts = OpenAmount(
        due=Money.of(1000, "USD"),
        due_date=DUE,
        changes=tuple(Change(on=day, amount=Decimal(amount)) for day, amount in paid),
    )
    found = late_fees(facts, LateFee.model_validate({"clause": "clause 9", **fee}), as_of)
    fixed = None if found.compensation is None else str(found.compensation.amount)
    return [str(each.amount) for each in found.segments], fixed


@pytest.mark.parametrize(
    ("fee", "as_of", "months", "fixed"),
    [
        ({"percent_a_month": "1.5"}, date(2026, 2, 27), [], None),
        ({"percent_a_month": "1.5"}, date(2026, 2, 28), ["15.00"], None),
        ({"percent_a_month": "1.5"}, date(2026, 3, 30), ["15.00"], None),
        ({"percent_a_month": "1.5"}, date(2026, 3, 31), ["15.00", "15.00"], None),
        ({"fixed": "25"}, date(2026, 1, 31), [], None),
        ({"fixed": "25"}, date(2026, 2, 1), [], "25.00"),
        ({"fixed": "25", "grace_days": 10}, date(2026, 2, 10), [], None),
        ({"fixed": "25", "grace_days": 10}, date(2026, 2, 11), [], "25.00"),
        ({"fixed": "25", "percent_a_month": "1"}, date(2026, 3, 1), ["10.00"], "25.00"),
        ({"percent_a_year": "18", "day_count": "360"}, date(2026, 3, 2), ["15.00"], None),
        ({"percent_a_year": "18", "day_count": "365"}, date(2026, 3, 2), ["14.79"], None),
        ({"percent_a_year": "18", "fixed": "25", "grace_days": 10}, date(2026, 2, 10), [], None),
        ({"percent_a_year": "18", "fixed": "25", "grace_days": 10}, date(2026, 2, 11), ["5.42"], "25.00"),
        ({"percent_a_month": "0.333"}, date(2026, 3, 1), ["3.33"], None),
    ],
)
def test_months_and_fixed_fee(
    fee: dict[str, str | int], as_of: date, months: list[str], fixed: str | None
) -> None:
    """Whole months from the due date count, or days by the year; the fixed fee once, after the days of grace."""
    assert owed(fee, as_of) == (months, fixed)


def test_part_payment() -> None:
    """A payment within a month counts for the whole of it: the smallest open amount bears the fee."""
    assert owed({"percent_a_month": "1.5"}, date(2026, 3, 31), (date(2026, 2, 15), 400)) == (
        ["9.00", "9.00"],
        None,
    )


def test_paid_within_grace() -> None:
    """Who pays within the days of grace owes no fee, however late it is asked for."""
    assert owed({"fixed": "25", "grace_days": 10}, date(2026, 6, 1), (date(2026, 2, 10), 1000)) == ([], None)


def test_a_fee_must_ask_something() -> None:
    """A late fee without a figure, or of more than ten per cent a month, is refused."""
    with pytest.raises(ValidationError, match="fixed, or both"):
        LateFee(clause="clause 9")
    with pytest.raises(ValidationError, match="not both"):
        LateFee(clause="clause 9", percent_a_month=Decimal(1), percent_a_year=Decimal(12))
    with pytest.raises(ValidationError, match="less than or equal to 10"):
        LateFee(clause="clause 9", percent_a_month=Decimal(11))
