"""What an agreement still bills, and what that waits for; its terms in words."""

# ruff: noqa: E501 (a table of cases is read by its columns)

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.agreement_terms import in_words, terms
from billing.agreements import Agreement, agreement_adapter
from billing.calendars import Calendar
from billing.outlook import next_to_bill, outlook
from billing.periods import Period
from billing.taken import NOTHING, Taken

TODAY = date(2026, 3, 10)
CALENDAR = Calendar(zone="Europe/Berlin")
BASE: dict[str, dict[str, Any]] = {
    "retainer": {"every": "month", "amount": "310"},
    "time and materials": {"project": "P-1", "rates": {"dev": "100"}},
    "expenses": {"project": "P-2"},
    "milestone": {"project": "P-3", "milestones": [{"id": "m1", "title": "One", "amount": "500"}, {"id": "m2", "title": "Two", "amount": "700", "progress": 40}]},
    "fixed price": {"project": "P-4", "amount": "900", "contract": "CT-1", "deal": "D-1"},
    "prepaid block": {"project": "P-5", "hours": "40", "price": "4000", "contract": "CT-1", "deal": "D-1"},
}  # fmt: skip


def agreement(model: str, **changes: Any) -> Agreement:
    plain = {"id": "a", "client": "acme", "title": "T", "currency": "EUR", "start": date(2026, 2, 1)}
    return agreement_adapter.validate_python({**plain, "model": model, **BASE[model], **changes})


def taken(*keys: str) -> Taken:
    return Taken(keys=frozenset(f"a/{key}" for key in keys))


FEBRUARY = Period(start=date(2026, 2, 1), end=date(2026, 2, 28))
BILLED = Taken(keys=frozenset({"a/fee/2026-02-01"}), periods={"fee": (FEBRUARY,)})


@pytest.mark.parametrize(
    ("model", "changes", "done", "expected"),
    [
        ("retainer", {}, NOTHING, ["a/fee/2026-02-01 2026-02-01 310.00", "a/fee/2026-03-01 2026-03-01 310.00", "a/fee/2026-04-01 2026-04-01 310.00"]),
        ("retainer", {}, BILLED, ["a/fee/2026-03-01 2026-03-01 310.00", "a/fee/2026-04-01 2026-04-01 310.00"]),
        ("retainer", {"end": "2026-03-10"}, BILLED, ["a/fee/2026-03-01 2026-03-01 100.00"]),
        ("retainer", {"end": "2026-02-28"}, BILLED, []),
        ("retainer", {"trigger": "manual"}, BILLED, ["a/fee/2026-03-01 somebody who asks 310.00"]),
        ("retainer", {"project": "P", "included_hours": "5", "rates": {"dev": "9"}, "start": "2026-03-01"}, NOTHING, ["a/fee/2026-03-01 2026-03-01 310.00", "a/fee/2026-04-01 2026-04-01 310.00", "a/overage/2026-03-01 2026-04-01 None"]),
        ("time and materials", {"start": "2026-03-01"}, NOTHING, ["a/time/2026-03-01 2026-04-01 None"]),
        ("time and materials", {"trigger": "project completed"}, NOTHING, ["a/completion project P-1 to be completed None"]),
        ("time and materials", {"trigger": "spend reached", "bill_at": "5000"}, taken("spend-1"), ["a/spend-2 unbilled work of EUR 5,000 None", "a/completion project P-1 to be completed None"]),
        ("expenses", {"start": "2026-03-01"}, NOTHING, ["a/expenses/2026-03-01 2026-04-01 None"]),
        ("milestone", {}, NOTHING, ["a/m1 milestone m1 to be signed off 500", "a/m2 progress of 40 % 700"]),
        ("milestone", {}, taken("m1", "m2"), []),
        ("milestone", {"trigger": "manual"}, taken("m1"), ["a/m2 somebody who asks 700"]),
        ("fixed price", {}, NOTHING, ["a/price project P-4 to be completed 900"]),
        ("fixed price", {"trigger": "contract signed"}, NOTHING, ["a/price contract CT-1 to be signed 900"]),
        ("fixed price", {"trigger": "deal won"}, NOTHING, ["a/price deal D-1 to be won 900"]),
        ("fixed price", {"trigger": "manual"}, NOTHING, ["a/price somebody who asks 900"]),
        ("fixed price", {}, taken("price"), []),
        ("prepaid block", {}, NOTHING, ["a/block-1 contract CT-1 to be signed 4000"]),
        ("prepaid block", {}, taken("block-1"), ["a/block-2 block-1 to be used up 4000"]),
        ("prepaid block", {"overage": "hold"}, taken("block-1"), ["a/block-2 somebody who asks 4000"]),
        ("prepaid block", {"overage": "rate", "overage_rate": "120", "start": "2026-03-01"}, taken("block-1"), ["a/overage/2026-03-01 2026-04-01 None", "a/block-2 somebody who asks 4000"]),
    ],
)  # fmt: skip
def test_what_is_still_to_be_billed(
    model: str, changes: dict[str, Any], done: Taken, expected: list[str]
) -> None:
    """By the calendar everything due and the next period of each item; else what it waits for; with the amount if known."""
    found = outlook(agreement(model, **changes), TODAY, CALENDAR, done, 1)
    assert [
        f"{each.occasion.billing_key} {each.since or each.waits_for} {each.amount}" for each in found
    ] == expected
    first = next_to_bill(agreement(model, **changes), TODAY, CALENDAR, done)
    assert first == (found[0] if found else None)


@pytest.mark.parametrize(
    ("model", "changes", "name", "said"),
    [
        ("retainer", {}, "Fee", "EUR 310.00"),
        ("retainer", {}, "Billed", "every month, in advance, on its first day"),
        ("retainer", {"every": "90 days", "timing": "in arrears"}, "Billed", "every 90 days, in arrears, the day after its last"),
        ("retainer", {"bill_on": "last business day", "anchor": "2026-01-01", "every": "quarter"}, "Billed", "every quarter, reckoned from 2026-01-01, in advance, on the last business day of the month"),
        ("retainer", {"trigger": "manual"}, "Billed", "every month, in advance, on its first day, when somebody asks"),
        ("retainer", {"indexation": [{"since": "2026-03-01", "percent": "2.5", "source": "CPI"}]}, "Fee", "EUR 317.75 (indexed by 2.5 % since 2026-03-01 (CPI))"),
        ("retainer", {"indexation": [{"since": "2027-03-01", "percent": "2.5", "source": "CPI"}]}, "Then", "EUR 317.75 from 2027-03-01 (indexed by 2.5 % since 2027-03-01 (CPI))"),
        ("retainer", {"end": "2027-01-31"}, "Runs", "from 2026-02-01 to 2027-01-31"),
        ("retainer", {"discount": "2.50"}, "Discount", "2.5 % off the net"),
        ("retainer", {"terms": {"net_days": 7}}, "Terms", "net 7 days, instead of the client's"),
        ("time and materials", {"cap": "5000", "budget": "60000"}, "At most", "EUR 5,000.00 for a period"),
        ("time and materials", {"rates": {"dev": [{"since": "2026-02-01", "price": "90"}, {"since": "2026-03-01", "price": "95"}], "lead": [{"since": "2027-01-01", "price": "140"}]}}, "Rates", "dev EUR 95.00, lead later"),
        ("time and materials", {"included_hours": "5.0"}, "Included", "5 hours of each period"),
        ("time and materials", {"group_by": ["task", "day"]}, "Lines", "one for each task and day"),
        ("time and materials", {"leftovers": "bill"}, "Leftovers", "unbilled work of earlier periods: billed along"),
        ("time and materials", {"trigger": "spend reached", "bill_at": "5000"}, "Billed", "each time EUR 5,000.00 are unbilled"),
        ("expenses", {"markup": "5", "cap": "900"}, "Price", "as spent, and 5 % on top, at most EUR 900.00 a period"),
        ("milestone", {"scope_hours": "120"}, "Scope", "120 hours; more is held for a person"),
        ("milestone", {}, "Price", "EUR 1,200.00 in 2 milestones"),
        ("fixed price", {"trigger": "deal won"}, "Billed", "when its deal is won"),
        ("prepaid block", {"replenish_at": "4"}, "Used up", "the next block is billed when 4 hours are left"),
        ("prepaid block", {"overage": "rate", "overage_rate": "120"}, "Used up", "more hours cost EUR 120.00 each, billed by the month"),
        ("prepaid block", {"expires_after_months": 12, "roll_over": "10"}, "Expires", "after 12 months, 10 hours are kept"),
        ("prepaid block", {}, "Papers", "contract CT-1 · deal D-1 · project P-5"),
    ],
)  # fmt: skip
def test_terms_in_words(model: str, changes: dict[str, Any], name: str, said: str) -> None:
    """Each term is one line a person understands who never saw the file."""
    assert next(value for key, value in terms(agreement(model, **changes), TODAY) if key == name) == said


def test_terms_fold_in_what_is_in_force() -> None:
    """An approved change order of a day past counts, one to come or not approved does not."""
    order = {"reason": "r", "document": "d", "proposed_by": "eva"}
    approved = {"approved_by": "ole", "approved_on": "2026-02-01"}
    made = agreement(
        "fixed price",
        change_orders=[
            {**order, **approved, "id": "one", "effective": "2026-03-01", "amount": "950"},
            {**order, **approved, "id": "two", "effective": "2026-04-01", "amount": "990"},
            {**order, "id": "three", "effective": "2026-03-05", "amount": "1990"},
        ],
    )
    assert terms(made, TODAY)[0] == ("Price", "EUR 950.00")
    assert terms(made, date(2026, 4, 1))[0] == ("Price", "EUR 990.00")


def test_a_change_order_in_words() -> None:
    """Everything an order changes is named, with amounts in the agreement's currency."""
    order = agreement(
        "milestone",
        change_orders=[
            {"id": "one", "reason": "r", "document": "d", "proposed_by": "eva", "effective": "2026-03-01", "end": "2027-01-31", "hours": Decimal(80), "milestones": [{"id": "m3", "title": "Three", "amount": "90"}]}
        ],
    ).change_orders[0]  # fmt: skip
    assert in_words(order, "EUR") == "80 hours, end 2027-01-31, milestone m3 EUR 90.00"
