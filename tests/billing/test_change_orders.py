"""Change orders: what an agreement is on a day, with what was agreed since."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from billing.agreements import Agreement
from billing.change_orders import ChangeOrder, agreement_on, last_day, without_effect
from billing.fees import fee
from billing.periods import Period
from billing.rates import rate_on
from tests.billing.records import fixed_price, milestones, prepaid_block, retainer, time_and_materials

ORDER = {
    "id": "co-1",
    "effective": "2026-04-01",
    "reason": "More servers",
    "document": "CT-2",
    "proposed_by": "pia",
    "approved_by": "noor",
    "approved_on": "2026-03-20",
}
BEFORE, SINCE = date(2026, 3, 31), date(2026, 4, 1)
UNAPPROVED = {"approved_by": None, "approved_on": None}


def order(**changes: object) -> dict[str, Any]:
    """A change order of 1 April, approved."""
    return {**ORDER, **changes}


@pytest.mark.parametrize(
    ("agreement", "changes", "name", "before", "since"),
    [
        (retainer, {"amount": "1500.00"}, "amount", "1000.00", "1500.00"),
        (fixed_price, {"amount": "9900.00"}, "amount", "9200.00", "9900.00"),
        (time_and_materials, {"cap": "5000"}, "cap", None, "5000"),
        (time_and_materials, {"budget": "50000"}, "budget", None, "50000"),
        (time_and_materials, {"hours": "10"}, "included_hours", None, "10"),
        (prepaid_block, {"hours": "40"}, "hours", "20", "40"),
        (prepaid_block, {"price": "3800.00"}, "price", "2000.00", "3800.00"),
        (fixed_price, {"hours": "80"}, "scope_hours", None, "80"),
        (milestones, {"hours": "120"}, "scope_hours", None, "120"),
    ],
)
def test_a_figure_from_a_day_on(
    agreement: Any, changes: dict[str, Any], name: str, before: str | None, since: str
) -> None:
    """The figure holds from the order's day on, and not a day before; unapproved, never."""
    changed = agreement(change_orders=[order(**changes)])
    assert getattr(agreement_on(changed, BEFORE), name) == (Decimal(before) if before else None)
    assert getattr(agreement_on(changed, SINCE), name) == Decimal(since)
    assert (
        vars(agreement_on(changed, SINCE)).keys() == vars(changed).keys()
    )  # no model gets another one's fields
    proposed = agreement(change_orders=[order(**changes, **UNAPPROVED)])
    assert agreement_on(proposed, date(2030, 1, 1)) == proposed


def test_rates_by_role() -> None:
    """New roles come in, changed ones change, the others stay."""
    hours = time_and_materials(change_orders=[order(rates={"junior": "99.00", "principal": "180.00"})])
    assert rate_on(agreement_on(hours, BEFORE).rates, "principal", BEFORE) is None
    rates = agreement_on(hours, SINCE).rates
    assert [rate_on(rates, role, SINCE) for role in ("senior", "junior", "principal")] == [
        Decimal("120.00"),
        Decimal("99.00"),
        Decimal("180.00"),
    ]


def test_milestones_are_added() -> None:
    """Milestones come in from the order's day on, behind those there were."""
    shop = milestones(
        change_orders=[order(milestones=[{"id": "search", "title": "Search", "amount": "2000.00"}])]
    )
    assert [each.id for each in agreement_on(shop, BEFORE).milestones] == ["design", "launch"]
    assert [each.id for each in agreement_on(shop, SINCE).milestones] == ["design", "launch", "search"]


def test_several_orders() -> None:
    """Orders count by the day they come into force, however they are written; of one day, the last one written."""
    orders = [
        order(id="co-3", effective="2026-06-01", amount="3000.00"),
        order(id="co-1", effective="2026-04-01", amount="1500.00"),
        order(id="co-2", effective="2026-05-01", amount="2000.00"),
        order(id="co-4", effective="2026-05-01", amount="2500.00"),
    ]
    changed = retainer(change_orders=orders)
    found = [agreement_on(changed, date(2026, month, 1)).amount for month in (3, 4, 5, 6)]
    assert found == [Decimal("1000.00"), Decimal("1500.00"), Decimal("2500.00"), Decimal("3000.00")]


def test_folding_twice_is_folding_once() -> None:
    """What is folded in is no longer an order to come; what is not yet in force still is."""
    shop = milestones(
        change_orders=[
            order(milestones=[{"id": "search", "title": "Search", "amount": "2000.00"}]),
            order(id="co-2", effective="2026-09-01", hours="100"),
            order(id="co-3", **UNAPPROVED, hours="500"),
        ]
    )
    once = agreement_on(shop, SINCE)
    assert [each.id for each in once.change_orders] == ["co-2", "co-3"]
    assert agreement_on(once, SINCE) == once
    assert agreement_on(once, date(2026, 9, 1)) == agreement_on(shop, date(2026, 9, 1))


def test_a_folded_retainer_has_the_same_fees_from_then_on() -> None:
    """Index steps an order's fee contains are folded in with it: none is counted twice."""
    written = retainer(
        indexation=[
            {"since": since, "percent": "10", "source": "CPI"} for since in ("2026-02-01", "2026-07-01")
        ],
        change_orders=[order(amount="2000.00")],
    )
    folded = agreement_on(written, SINCE)
    for end, amount in (("2026-04-30", "2000.00"), ("2026-07-31", "2200.00")):
        last = date.fromisoformat(end)
        month = Period(start=last.replace(day=1), end=last)
        for agreement in (written, folded):
            assert [str(part.amount) for part in fee(agreement, month)] == [amount]


@pytest.mark.parametrize(
    ("end", "orders", "last"),
    [
        (None, [], None),
        ("2026-12-31", [], "2026-12-31"),
        ("2026-12-31", [{"end": "2027-12-31"}], "2027-12-31"),
        (None, [{"end": "2026-06-30"}], "2026-06-30"),
        ("2026-12-31", [{"end": "2027-12-31", **UNAPPROVED}], "2026-12-31"),
        ("2026-12-31", [{"amount": "1"}], "2026-12-31"),
        (  # extended, then cancelled; the later order decides, not the later day
            "2026-12-31",
            [
                {"end": "2026-08-15", "effective": "2026-07-01"},
                {"end": "2028-12-31", "effective": "2026-04-01"},
            ],
            "2026-08-15",
        ),
    ],
)
def test_the_last_day(end: str | None, orders: list[dict[str, Any]], last: str | None) -> None:
    """The latest approved order that names a last day decides, known from the first day on, in force yet or not."""
    agreement: Agreement = retainer(
        end=end, change_orders=[order(id=f"co-{n}", **each) for n, each in enumerate(orders)]
    )
    expected = date.fromisoformat(last) if last else None
    assert last_day(agreement) == expected
    assert agreement_on(agreement, date(2026, 1, 1)).end == expected


@pytest.mark.parametrize(
    ("agreement", "figures", "idle"),
    [
        (retainer, {"amount": "1", "rates": {"senior": "1"}, "end": "2027-01-01", "hours": "1"}, []),
        (retainer, {"price": "1", "cap": "1"}, ["cap", "price"]),
        (time_and_materials, {"amount": "1", "cap": "1"}, ["amount"]),
        (fixed_price, {"amount": "1", "hours": "1", "budget": "1"}, ["budget"]),
        (prepaid_block, {"hours": "1", "price": "1", "rates": {"senior": "1"}}, ["rates"]),
        (milestones, {"amount": "1", "milestones": [{"id": "x", "title": "X", "amount": "1"}]}, ["amount"]),
    ],
)
def test_figures_an_agreement_does_not_have(agreement: Any, figures: dict[str, Any], idle: list[str]) -> None:
    """A figure that the billing model has no use for is named, so that nobody believes it changed something."""
    changed = agreement(change_orders=[order(**figures)])
    assert without_effect(changed, changed.change_orders[0]) == idle
    agreement_on(changed, SINCE)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"approved_by": "pia"}, "'pia' proposed this change; somebody else approves it"),
        ({"approved_on": None}, "approved_by and approved_on go together"),
        ({"approved_by": None}, "approved_by and approved_on go together"),
        ({"document": ""}, "at least 1 character"),
        ({"amount": "0"}, "greater than 0"),
    ],
)
def test_what_is_no_change_order(changes: dict[str, Any], complaint: str) -> None:
    """Two people and a signed document stand behind a change order."""
    with pytest.raises(ValidationError, match=complaint):
        ChangeOrder.model_validate(order(**changes))
