"""What is claimed under a dunning policy: by law or by contract, never both, and by instalment."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.dunning_policy import DunningPolicy
from billing.interest.accrual import Change, Interest, InterestUnknown, OpenAmount, Rest
from billing.interest.claim import claim
from billing.interest.instalments import by_instalment
from billing.money import Money

HALVES = ((date(2025, 6, 30), Decimal(3000)), (date(2025, 7, 31), Decimal(3000)))
AS_OF = date(2025, 8, 31)


def owed(
    *paid: tuple[date, str], issuer: str = "DE", parts: Any = HALVES, as_of: date = AS_OF, **policy: Any
) -> Interest:
    facts = OpenAmount(
        due=Money.of(6000, "EUR"),
        due_date=date(2025, 6, 30),
        changes=tuple(Change(on=day, amount=Decimal(amount)) for day, amount in paid),
    )
    found = claim(facts, DunningPolicy.model_validate({"id": "standard", **policy}), issuer, as_of, parts)
    assert isinstance(found, Interest), found
    return found


def lines(found: Interest) -> list[tuple[str, int, str]]:
    return [(f"{each.principal.normalize():f}", each.days, str(each.amount)) for each in found.segments]


@pytest.mark.parametrize(
    ("paid", "expected", "compensation", "per_day"),
    [
        # 3000 × 10.27 % × 62/365 = 52.33; × 31/365 = 26.17; 0.84 a day each
        ((), [("3000", 62, "52.33"), ("3000", 31, "26.17")], "80", "1.68"),
        # the first is paid in time, so only the second is late
        (((date(2025, 6, 30), "3000"),), [("3000", 31, "26.17")], "40", "0.84"),
        # what comes on 10 August covers the rest of the first, then part of the second
        (
            ((date(2025, 6, 30), "1000"), (date(2025, 8, 10), "2500")),
            [("2000", 41, "23.07"), ("3000", 10, "8.44"), ("2500", 21, "14.77")],
            "80",
            "0.70",
        ),
        (((date(2025, 6, 30), "6000"),), [], None, "0"),
    ],
    ids=["nothing paid", "the first in time", "across both", "all in time"],
)
def test_instalments_by_hand(
    paid: Any, expected: list[tuple[str, int, str]], compensation: str | None, per_day: str
) -> None:
    """Each instalment is late from the day after its own due date, and what comes covers the earliest first."""
    found = owed(*paid)
    assert lines(found) == expected
    assert (found.compensation and found.compensation.amount) == (compensation and Decimal(compensation))
    assert found.per_day.amount == Decimal(per_day)


def test_an_instalment_keeps_the_rate_of_its_own_default() -> None:
    """Under Irish law the first of two instalments keeps 11.15 %, the second, late since July, bears 10.15 %."""
    parts = ((date(2025, 6, 15), Decimal(3000)), (date(2025, 7, 15), Decimal(3000)))
    found = owed(issuer="IE", parts=parts)
    assert [str(each.rate) for each in found.segments] == ["11.15", "10.15"]
    assert found.compensation == Money.of(140, "EUR")  # EUR 70 for each 3,000


@pytest.mark.parametrize(
    ("policy", "law"),
    [
        ({}, "§ 288(2), (5) BGB"),
        ({"interest_law": "FR"}, "Art. L441-10 II, D441-5 Code de commerce"),
        ({"late_fee": {"clause": "clause 9", "fixed": "25"}}, "clause 9"),
        ({"interest_law": "FR", "late_fee": {"clause": "clause 9", "fixed": "25"}}, "clause 9"),
    ],
)
def test_which_law(policy: dict[str, Any], law: str) -> None:
    """The contract's fee goes before the law the policy names, and that before the law of the issuer's country."""
    found = owed(**policy)
    assert found.law == law
    assert (found.compensation == Money.of(25, "EUR")) == ("late_fee" in policy)


def test_late_fee_by_the_month() -> None:
    """1.5 % a month: two months for the first instalment, one for the second, and the fixed fee once."""
    found = owed(late_fee={"clause": "clause 9", "percent_a_month": "1.5", "fixed": "25"})
    assert [str(each.amount) for each in found.segments] == ["45.00", "45.00", "45.00"]
    assert found.compensation == Money.of(25, "EUR")


def test_no_law_stops() -> None:
    """Where no law is known the reason says what to write."""
    facts = OpenAmount(due=Money.of(1, "USD"), due_date=date(2025, 6, 30))
    found = claim(facts, DunningPolicy(id="standard"), "US", AS_OF)
    assert isinstance(found, InterestUnknown)
    assert "no law on late payment is known for US: write the late_fee" in found.reason


@pytest.mark.parametrize(
    ("rests", "expected"),
    [
        (((date(2025, 8, 6), date(2025, 8, 15)),), [("3650", 5, "5.14"), ("3650", 16, "16.43")]),
        (((date(2025, 8, 11), None),), [("3650", 10, "10.27")]),
        (((date(2025, 7, 1), date(2025, 8, 31)),), []),
        (((date(2025, 7, 1), date(2025, 7, 31)),), [("3650", 31, "31.84")]),
    ],
    ids=["ten days", "still in dispute", "all the time", "before it was late"],
)
def test_a_claim_that_rests(
    rests: tuple[tuple[date, date | None], ...], expected: list[tuple[str, int, str]]
) -> None:
    """Days on which the claim rests cost nothing: 3,650 at 10.27 % is 1.027 a day, due on 31 July, up to 31 August."""
    facts = OpenAmount(
        due=Money.of(3650, "EUR"),
        due_date=date(2025, 7, 31),
        rests=tuple(Rest(since=since, until=until) for since, until in rests),
    )
    found = claim(facts, DunningPolicy(id="standard"), "DE", AS_OF)
    assert isinstance(found, Interest)
    assert lines(found) == expected
    assert (found.per_day.amount == 0) == (rests[0][1] is None or not expected)


def test_late_fees_rest_too() -> None:
    """A month in which the claim rests, if only for a day, costs no late fee."""
    facts = OpenAmount(
        due=Money.of(1000, "USD"),
        due_date=date(2026, 1, 31),
        rests=(Rest(since=date(2026, 2, 10), until=date(2026, 2, 10)),),
    )
    policy = DunningPolicy.model_validate(
        {"id": "standard", "late_fee": {"clause": "clause 9", "percent_a_month": "1"}}
    )
    found = claim(facts, policy, "US", date(2026, 3, 31))
    assert isinstance(found, Interest)
    assert [(each.since, str(each.amount)) for each in found.segments] == [(date(2026, 3, 1), "10.00")]


amounts = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(5000), places=2)
days = st.dates(date(2025, 1, 1), date(2025, 12, 31))
some = st.lists(st.tuples(days, amounts), max_size=4)


@given(st.lists(st.tuples(days, amounts), min_size=1, max_size=4), some)
def test_instalments_share_everything(
    parts: list[tuple[date, Decimal]], paid: list[tuple[date, Decimal]]
) -> None:
    """Once all are due, what is open of the instalments sums to what is open of the whole."""
    whole = OpenAmount(
        due=Money.of(sum((amount for _, amount in parts), Decimal(0)), "EUR"),
        due_date=min(due for due, _ in parts),
        changes=tuple(Change(on=on, amount=amount) for on, amount in paid),
    )
    after = date(2026, 1, 1)
    assert sum((each.open_on(after) for each in by_instalment(whole, parts)), Decimal(0)) == whole.open_on(
        after
    )
    assert sum((each.due.amount for each in by_instalment(whole, parts)), Decimal(0)) == whole.due.amount
