"""Promises to pay: made, moved, kept, broken, and remembered by client."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.ledger import commands, company_records, dispute_commands, invoices, promises
from activities.ledger.promises import PromiseRecord
from billing.errors import Refused, WrongState
from tests.activities.ledger.conftest import events, everything
from tests.starter.web.story import COMPANY, NOW, Story

LENA: dict[str, Any] = {"by": "lena", "channel": "cli", "at": NOW}
TODAY = NOW.date()


@pytest.fixture
def number(story: Story) -> str:
    return story.issued("one")


def promise(story: Story, number: str, days: int, at: datetime = NOW) -> None:
    commands.promise(story.ledger, number, on=TODAY + timedelta(days=days), **{**LENA, "at": at})


def follow(story: Story, number: str, *, is_over: bool) -> PromiseRecord:
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        promises.follow(tx, row, is_over=is_over, at=NOW + timedelta(days=30))
        return promises.record_of(tx, row.client)


@pytest.mark.parametrize(
    ("paid", "on", "is_over", "record", "event"),
    [
        ("all", 5, False, PromiseRecord(kept=1), "promise kept"),
        ("all", 5, True, PromiseRecord(kept=1), "promise kept"),
        ("all", 6, True, PromiseRecord(broken=1), "promise broken"),  # a day too late
        ("10.00", 2, False, PromiseRecord(open=1), "payment received"),
        ("10.00", 2, True, PromiseRecord(broken=1), "promise broken"),
        (None, 0, False, PromiseRecord(open=1), "payment promised"),
        (None, 0, True, PromiseRecord(broken=1), "promise broken"),
    ],
)
def test_kept_or_broken(
    story: Story, number: str, paid: str | None, on: int, is_over: bool, record: PromiseRecord, event: str
) -> None:
    """Kept is what came whole by the day that was promised, whenever it was booked; else broken, once it is over."""
    promise(story, number, 5)
    if paid:
        with story.ledger.transaction() as tx:
            open_amount = invoices.find(tx, number).open_amount
        given = {**LENA, "at": NOW + timedelta(days=8), "received_on": TODAY + timedelta(days=on)}
        commands.pay(story.ledger, number, open_amount if paid == "all" else Decimal(paid), "EUR", **given)
    assert follow(story, number, is_over=is_over) == record
    assert events(story.ledger, number)[-1] == event


def test_moved(story: Story, number: str) -> None:
    """Another day moves the promise, and both are remembered; the same day again changes nothing."""
    promise(story, number, 5)
    promise(story, number, 9)
    before = everything(story.ledger)
    promise(story, number, 9)
    assert everything(story.ledger) == before
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        assert promises.record_of(tx, row.client) == PromiseRecord(moved=1, open=1)
        assert row.promised_for == TODAY + timedelta(days=9)
        assert [each.outcome for each in promises.of_invoice(tx, row)] == ["moved", None]


def test_policy(story: Story, number: str) -> None:
    """More promises than the policy lets, or further ahead, are refused; a withdrawn one does not count."""
    policies = tuple(
        each.model_copy(update={"promises_per_invoice": 2, "promise_within_days": 14})
        for each in COMPANY.dunning
    )
    company_records.apply_company(
        story.ledger, COMPANY.model_copy(update={"dunning": policies}), "company", "lena", NOW
    )
    with pytest.raises(Refused, match="takes promises of up to 14 days"):
        promise(story, number, 15)
    promise(story, number, 3)
    dispute_commands.withdraw_promise(story.ledger, number, reason="noted by mistake", **LENA)
    promise(story, number, 4)
    promise(story, number, 5)
    with pytest.raises(Refused, match="no further promise is taken"):
        promise(story, number, 6)


def test_withdrawn(story: Story, number: str) -> None:
    """What was noted by mistake stops nothing any more; without a promise there is nothing to withdraw."""
    promise(story, number, 5)
    dispute_commands.withdraw_promise(story.ledger, number, reason="another invoice was meant", **LENA)
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        assert (row.promised_for, row.collection_status) == (None, "not due")
    with pytest.raises(WrongState, match="no payment is promised"):
        dispute_commands.withdraw_promise(story.ledger, number, reason="again", **LENA)


def test_disputed_meanwhile(story: Story, number: str) -> None:
    """Nobody breaks a promise to pay what is disputed, and none is taken for it."""
    promise(story, number, 5)
    commands.dispute(story.ledger, number, reason="hours", **LENA)
    with pytest.raises(WrongState, match="decide that first"):
        promise(story, number, 6)
    assert follow(story, number, is_over=True) == PromiseRecord()


def test_by_day_of_the_client(story: Story, number: str) -> None:
    """A promise of a client by the portal is its own, by the words of its record."""
    given: dict[str, Any] = {"by": "client:nordlicht", "channel": "portal", "at": NOW}
    commands.promise(story.ledger, number, on=date(2026, 12, 1), **given)
    with story.ledger.transaction() as tx:
        (made,) = promises.of_invoice(tx, invoices.find(tx, number))
        assert (made.made_by, made.channel) == ("client:nordlicht", "portal")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (PromiseRecord(open=1), "made no promise before"),
        (PromiseRecord(kept=1, open=1), "kept 1 promise"),
        (PromiseRecord(kept=2, broken=1, moved=3), "kept 2 promises, broken 1, moved 3"),
    ],
)
def test_in_words(record: PromiseRecord, said: str) -> None:
    """A record reads like a sentence, whatever it counts."""
    assert record.in_words == said
