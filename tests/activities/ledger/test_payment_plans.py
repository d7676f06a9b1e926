"""Payment plans: dates and amounts agreed after issue take the place of the due date."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.ledger import collection, commands, dispute_commands, instalments, invoices
from billing.errors import NotAllowed, Refused, WrongState
from billing.instalments import monthly
from billing.money import Money
from tests.activities.ledger.conftest import breaks, events, everything, rows
from tests.starter.web.story import NOW, Story

LENA: dict[str, Any] = {"by": "lena", "channel": "cli", "at": NOW}
GROSS = Decimal("8500.00")
THREE = (
    (date(2026, 12, 10), Decimal("3000.00")),
    (date(2027, 1, 10), Decimal("3000.00")),
    (date(2027, 2, 10), Decimal("2500.00")),
)


@pytest.fixture
def number(story: Story) -> str:
    return story.issued("one")


def agree(story: Story, number: str, **changes: Any) -> None:
    dispute_commands.agree_plan(
        story.ledger, number, **{"parts": THREE, "reason": "cash is short", **LENA, **changes}
    )


def stands(story: Story, number: str, today: date) -> tuple[str, str, str]:
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        due = row.agreed_due_date or row.due_date
        return f"{due}", row.collection_status, f"{instalments.asked_amount(tx, row, today):.2f}"


def pay(story: Story, number: str, amount: str, days: int = 0) -> None:
    at = NOW + timedelta(days=days)
    commands.pay(story.ledger, number, Decimal(amount), "EUR", received_on=at.date(), **{**LENA, "at": at})


def test_takes_the_place_of_the_due_date(story: Story, number: str) -> None:
    """What is due, and from when it is late, follows the first part that is not covered; money back opens it again."""
    agree(story, number)
    assert stands(story, number, date(2026, 12, 1)) == ("2026-12-10", "not due", "3000.00")
    assert stands(story, number, date(2027, 1, 10))[2] == "6000.00"
    pay(story, number, "3000")
    assert stands(story, number, date(2026, 12, 1)) == ("2027-01-10", "not due", "3000.00")
    pay(story, number, "-1")
    assert stands(story, number, date(2026, 12, 1)) == ("2026-12-10", "not due", "1.00")
    pay(story, number, "5501")
    assert stands(story, number, date(2026, 12, 1)) == ("2027-02-10", "not due", "0.00")
    assert breaks(story.ledger, number) == []


def test_what_was_paid_before_is_not_in_the_plan(story: Story, number: str) -> None:
    """A plan divides what is open when it is agreed; a credit note later covers parts like money does."""
    pay(story, number, "2500")
    agree(story, number, parts=THREE[:2])
    assert stands(story, number, date(2026, 12, 1)) == ("2026-12-10", "not due", "3000.00")
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        row.credited = Decimal(3000)
        instalments.move_on(tx, row, NOW)
    assert stands(story, number, date(2026, 12, 1)) == ("2027-01-10", "not due", "3000.00")


def test_levels_begin_anew(story: Story, number: str) -> None:
    """A client who was reminded before is reminded anew of a part it misses; ended, the plan gives back the level."""
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        collection.done(tx, row, "reminder-1", planned_for=NOW, message=None, at=NOW)
    agree(story, number)
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        assert collection.facts(tx, row).done == frozenset()
        collection.done(tx, row, "reminder-1", planned_for=NOW, message=None, at=NOW)
        assert collection.facts(tx, row).done == {"reminder-1"}
    agree(story, number, reason="a week later")
    dispute_commands.end_plan(story.ledger, number, reason="two parts missed", **LENA)
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        assert collection.facts(tx, row).done == {"reminder-1"}
        assert (row.agreed_due_date, instalments.plan(tx, row)) == (NOW.date(), None)
    assert rows(story.ledger, "select ended_because from payment_plans order by id") == [
        ("another plan was agreed",),
        ("another due date was agreed",),
    ]


def test_another_due_date_ends_it(story: Story, number: str) -> None:
    """Once another due date is agreed, all is due then."""
    agree(story, number)
    commands.change_due_date(story.ledger, number, to=date(2026, 12, 24), reason="by phone", **LENA)
    assert stands(story, number, date(2026, 12, 1)) == ("2026-12-24", "not due", "8500.00")
    with pytest.raises(WrongState, match="has no payment plan"):
        dispute_commands.end_plan(story.ledger, number, reason="again", **LENA)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"parts": THREE[:1]}, Refused, "2 to 60 parts"),
        ({"parts": THREE[:2]}, Refused, "come to EUR 6,000.00, but EUR 8,500.00 are open"),
        ({"parts": (THREE[1], THREE[0], THREE[2])}, Refused, "must rise"),
        (
            {"parts": ((date(2026, 11, 19), Decimal(500)), (date(2026, 12, 1), Decimal(8000)))},
            Refused,
            "is past",
        ),
        (
            {"parts": ((date(2026, 12, 1), Decimal(500)), (date(2036, 12, 1), Decimal(8000)))},
            Refused,
            "three years",
        ),
        (
            {"parts": ((date(2026, 12, 1), Decimal(0)), (date(2027, 1, 1), GROSS))},
            Refused,
            "more than nothing",
        ),
        ({"parts": ((date(2026, 12, 1), Decimal("0.001")), THREE[2])}, Refused, "no amount"),
        ({"reason": ""}, Refused, "needs a reason"),
        ({"by": "client:nordlicht", "channel": "portal"}, NotAllowed, "not a person"),
    ],
)
def test_refused(
    story: Story, number: str, change: dict[str, Any], error: type[Exception], said: str
) -> None:
    """A plan that cannot be, does not add up, or that nobody here agreed to changes nothing."""
    before = everything(story.ledger)
    with pytest.raises(error, match=said):
        agree(story, number, **change)
    assert everything(story.ledger) == before


def test_promises_and_disputes(story: Story, number: str) -> None:
    """A plan takes the place of what was promised, and waits for a dispute; the client is told of it once."""
    commands.promise(story.ledger, number, on=date(2026, 12, 1), **LENA)
    agree(story, number)
    assert rows(story.ledger, "select outcome from promises") == [("withdrawn",)]
    assert rows(story.ledger, "select count(*) from messages where event = 'payment-plan'") == [(1,)]
    assert events(story.ledger, number)[-1] == "payment plan agreed"
    commands.dispute(story.ledger, number, reason="hours", **LENA)
    with pytest.raises(WrongState, match="is disputed"):
        agree(story, number)


def test_monthly() -> None:
    """Equal parts a month apart; the 31st is the last day of a shorter month; cents go to the earlier parts."""
    assert [
        (day.isoformat(), f"{part:.2f}") for day, part in monthly(Money.of(100, "EUR"), 3, date(2027, 1, 31))
    ] == [("2027-01-31", "33.34"), ("2027-02-28", "33.33"), ("2027-03-31", "33.33")]
