"""Disputes: whole or by lines, with an owner and a deadline, until somebody has decided."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.archive import after_issue
from activities.ledger import (
    audit_trail,
    collection,
    commands,
    dispute_commands,
    disputes,
    instalments,
    invoices,
    number_series,
    views,
)
from activities.ledger.tables import DisputeRow
from billing.dispute import DisputeCode, Outcome
from billing.draft import line
from billing.errors import NotAllowed, Refused, WrongState
from tests.activities.ledger.conftest import breaks, events, everything, rows
from tests.starter.web.story import COMPANY, NOW, Story

LENA: dict[str, Any] = {"by": "lena", "channel": "cli", "at": NOW}
CLIENT: dict[str, Any] = {"by": "client:nordlicht", "channel": "portal", "at": NOW}


@pytest.fixture
def number(story: Story) -> str:
    """An issued invoice of three lines, 19 % tax: 1,190.00, 595.00 and 119.00, together 1,904.00 euros."""
    made = story.drafted("one")
    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, made)
        draft = invoices.draft_of(row)
        lines = tuple(line(f"Work {net}", Decimal(1), "day", Decimal(net), "EUR") for net in (1000, 500, 100))
        taxes = (draft.taxes[0].model_copy(update={"rate": Decimal(19), "taxable": Decimal(1600)}),)
        changes = {
            "lines": lines,
            "taxes": taxes,
            "net": Decimal(1600),
            "tax": Decimal(304),
            "gross": Decimal(1904),
        }
        invoices.put_draft(tx, row, draft.model_copy(update=changes))
        number = number_series.issue(tx, row, at=NOW)
        row.document_status = "issued"
        row.delivered_at = NOW
        return number


def stands(story: Story, number: str) -> dict[str, Any]:
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        return {
            "status": row.collection_status,
            "asked": f"{instalments.asked_amount(tx, row, date(2027, 1, 1)):.2f}",
            "disputed": f"{disputes.amount_of(row).amount:.2f}",
            "rested": row.rested_days,
            "notice": row.notice_until,
        }


def told(story: Story, event: str) -> int:
    return len(rows(story.ledger, "select 1 from messages where event = :event", event=event))


@pytest.mark.parametrize(
    ("lines", "disputed", "asked", "status"),
    [
        ((), "1904.00", "1904.00", "disputed"),
        ((2,), "595.00", "1309.00", "not due"),
        ((3, 2, 2), "714.00", "1190.00", "not due"),
        ((1, 2, 3), "1904.00", "1904.00", "disputed"),
    ],
)
def test_what_is_disputed(
    story: Story, number: str, lines: tuple[int, ...], disputed: str, asked: str, status: str
) -> None:
    """Disputed lines are worth their gross amount; what nobody disputes stays due; all lines are the whole invoice."""
    dispute_commands.dispute(story.ledger, number, reason="wrong hours", lines=lines, **LENA)
    found = stands(story, number)
    assert (found["disputed"], found["asked"], found["status"]) == (disputed, asked, status)
    assert breaks(story.ledger, number) == []


def test_rest_paid(story: Story, number: str) -> None:
    """Once the undisputed rest is paid, all that is open is disputed."""
    dispute_commands.dispute(story.ledger, number, reason="wrong hours", lines=[2], **LENA)
    commands.pay(story.ledger, number, Decimal("1309.00"), "EUR", received_on=NOW.date(), **LENA)
    found = stands(story, number)
    assert (found["disputed"], found["asked"]) == ("595.00", "0.00")
    with story.ledger.transaction() as tx:
        assert collection.wholly_disputed(invoices.find(tx, number))


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"lines": [4]}, Refused, "there is no line 4; the invoice has lines 1 to 3"),
        ({"lines": [0, 9]}, Refused, "there is no line 0, 9"),
        ({"reason": " "}, Refused, "say why"),
        ({"by": "nobody"}, NotAllowed, "'nobody' is not a person"),
        ({"by": "client:nordlicht"}, NotAllowed, "not a person"),
        ({"by": "client:ateliers", "channel": "portal"}, NotAllowed, "not a person"),
    ],
)
def test_refused(story: Story, number: str, given: dict[str, Any], error: type[Exception], said: str) -> None:
    """What a rule refuses changes nothing; a client may speak for itself alone, and by the portal alone."""
    before = everything(story.ledger)
    with pytest.raises(error, match=said):
        dispute_commands.dispute(story.ledger, number, **{"reason": "hours", **LENA, **given})
    assert everything(story.ledger) == before


def test_by_the_client(story: Story, number: str) -> None:
    """A client who disputes by the portal is answered, the account manager told; a second click is refused."""
    dispute_commands.dispute(story.ledger, number, reason="hours", code=DisputeCode.QUANTITY, **CLIENT)
    assert (told(story, "dispute-received"), told(story, "dispute")) == (1, 1)
    with pytest.raises(WrongState, match="disputed already, since 2026-11-20: hours"):
        dispute_commands.dispute(story.ledger, number, reason="hours", **CLIENT)
    assert (told(story, "dispute-received"), told(story, "dispute")) == (1, 1)
    with story.ledger.transaction() as tx:
        event = audit_trail.trail(tx, invoices.find(tx, number).id)[-1]
    assert (event.actor, event.channel, event.facts["code"]) == ("client:nordlicht", "portal", "quantity")


def test_not_told_of_what_one_noted(story: Story, number: str) -> None:
    """An account manager who notes a dispute gets no mail about it, nor does the client unless asked for."""
    owner = next(each.account_manager for each in COMPANY.clients if each.id == "nordlicht")
    given = {**LENA, "by": owner}
    dispute_commands.dispute(story.ledger, number, reason="hours", **given)
    assert (told(story, "dispute-received"), told(story, "dispute")) == (0, 0)
    dispute_commands.withdraw_dispute(story.ledger, number, **given)
    dispute_commands.dispute(story.ledger, number, reason="hours", tell_client=True, **given)
    assert told(story, "dispute-received") == 1


@pytest.mark.parametrize(
    ("opened", "ended", "lines", "rested"),
    [
        # due on 4 December 2026: days before it are not late ones
        (0, 10, (), 0),
        (0, 20, (), 6),
        (20, 27, (), 7),
        (20, 20, (), 0),
        (20, 27, (2,), 0),  # the rest went on being reminded
    ],
)
def test_missed_days(
    story: Story, number: str, opened: int, ended: int, lines: tuple[int, ...], rested: int
) -> None:
    """Rejected: the client is written to and has a week; levels come later by the late days of the whole dispute."""
    at, end = NOW + timedelta(days=opened), NOW + timedelta(days=ended)
    dispute_commands.dispute(story.ledger, number, reason="hours", lines=lines, **{**LENA, "at": at})
    dispute_commands.end_dispute(story.ledger, number, answer="all were agreed", **{**LENA, "at": end})
    found = stands(story, number)
    assert (found["rested"], found["notice"]) == (rested, end + timedelta(days=7))
    assert (found["disputed"], found["asked"]) == ("0.00", "1904.00")
    assert told(story, "dispute-rejected") == 1
    assert events(story.ledger, number)[-1] == "dispute ended"


def test_ended_twice(story: Story, number: str) -> None:
    """A dispute that is over cannot end again, and none is rejected without an answer."""
    dispute_commands.dispute(story.ledger, number, reason="hours", **LENA)
    with pytest.raises(Refused, match="the client is told"):
        dispute_commands.end_dispute(story.ledger, number, answer=" ", **LENA)
    dispute_commands.end_dispute(story.ledger, number, answer="agreed", **LENA)
    with pytest.raises(WrongState, match="is not disputed"):
        dispute_commands.end_dispute(story.ledger, number, answer="agreed", **LENA)


def test_nobody_decides(story: Story, number: str) -> None:
    """At the deadline the owner is asked again, at the next one those above; never nobody."""
    dispute_commands.dispute(story.ledger, number, reason="hours", **LENA)
    owners = []
    for week in (1, 2, 3):
        at = NOW + timedelta(days=7 * week)
        with story.ledger.transaction() as tx:
            row = invoices.find(tx, number, lock=True)
            disputes.attend(tx, row, COMPANY, at=at - timedelta(minutes=1))
            assert events(story.ledger, number).count("dispute brought up again") == week - 1
            disputes.attend(tx, row, COMPANY, at=at)
            found = disputes.current(tx, row)
            assert found is not None and found.deadline == row.disputed_until == at + timedelta(days=7)
            owners.append(found.owner)
    first = next(each.account_manager for each in COMPANY.clients if each.id == "nordlicht")
    assert owners[0] == first and owners[1] != first


def test_ended_for_others(story: Story, number: str) -> None:
    """A credit that ends a dispute leaves what is still owed to be paid after decent notice."""
    dispute_commands.dispute(story.ledger, number, reason="hours", lines=[2], **LENA)
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        row.credited = Decimal(595)
        disputes.end(tx, row, COMPANY, outcome=Outcome.CREDITED, **LENA)
    found = stands(story, number)
    assert (found["asked"], found["notice"], told(story, "dispute-rejected")) == (
        "1309.00",
        NOW + timedelta(days=7),
        0,
    )
    with story.ledger.transaction() as tx:
        assert tx.query(DisputeRow).one().outcome == "credited"


def test_words_can_be_erased(story: Story, number: str) -> None:
    """What a client wrote, and was answered, is told with the trail but does not stand in it: erased, it is gone, the
    seals stay, and the chain holds."""
    dispute_commands.dispute(story.ledger, number, reason="Jane Roe said eight hours.", **CLIENT)
    dispute_commands.end_dispute(story.ledger, number, answer="John Doe says ten.", **LENA)
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        kept = json.dumps([each.facts for each in audit_trail.trail(tx, row.id)])
        assert "Roe" not in kept and "Doe" not in kept
        assert hashlib.sha256(b"Jane Roe said eight hours.").hexdigest() in kept
        told = " ".join(each.line for each in views.timeline_of(tx, row))
        assert "Jane Roe said eight hours." in told and "John Doe says ten." in told
        after_issue.empty_words(tx, row)
        tx.flush()
        told = " ".join(each.line for each in views.timeline_of(tx, row))
        assert "Roe" not in told and "Doe" not in told and "sha256" not in told
        assert audit_trail.verify(tx, row.id) == []
