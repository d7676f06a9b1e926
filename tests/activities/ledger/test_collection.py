"""What stops collection: holds, promises, disputes, another due date; open items of the system before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.ledger import (
    collection,
    commands,
    company_records,
    dispute_commands,
    invoices,
    open_items,
    opening_items,
)
from activities.ledger.database import Ledger
from billing.approval_policy import Channel
from billing.errors import NotAllowed, Refused, WrongState
from billing.opening_item import OpeningItem
from tests.activities.ledger.conftest import at_once, breaks, events, everything, rows
from tests.starter.web.story import COMPANY, NOW, Story

Command = Callable[..., Any]
LENA: dict[str, Any] = {"by": "lena", "channel": Channel.CLI, "at": NOW}
COMMANDS: dict[str, tuple[Command, dict[str, Any], str, str]] = {
    "hold": (commands.hold, {"until": NOW + timedelta(days=3), "reason": "talks"}, "held", "blocked"),
    "promise": (commands.promise, {"on": date(2026, 12, 9), "note": ""}, "payment promised", "promised"),
    "dispute": (commands.dispute, {"reason": "too much"}, "disputed", "disputed"),
    "due date": (
        commands.change_due_date,
        {"to": date(2026, 12, 24), "reason": "agreed"},
        "due date changed",
        "not due",
    ),
}


@pytest.fixture
def number(story: Story) -> str:
    return story.issued("one")


def status(ledger: Ledger, reference: str) -> str:
    with ledger.transaction() as tx:
        return invoices.find(tx, reference).collection_status


@pytest.mark.parametrize("name", COMMANDS)
def test_command(story: Story, number: str, name: str) -> None:
    """A command is audited, seen in the status, and wakes the invoice."""
    command, given, event, after = COMMANDS[name]
    woken = rows(story.ledger, "select count(*) from outbox")[0][0]
    assert command(story.ledger, number, **{**LENA, **given}) == number
    assert events(story.ledger, number)[-1] == event
    assert status(story.ledger, number) == after
    assert rows(story.ledger, "select count(*) from outbox") == [(woken + 1,)]
    assert breaks(story.ledger, number) == []


def test_agreed_due_date_is_matched(story: Story) -> None:
    """Among what a client owes, payments settle first what is due first, by the dates agreed with it since."""
    first, second = story.issued("one"), story.issued("two")
    commands.change_due_date(story.ledger, first, to=date(2026, 12, 24), reason="agreed", **LENA)
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, first)
        items = open_items.of_issuer(tx, row.issuer or "").of_client(row.client, row.currency or "")
    assert [each.number for each in items] == [second, first]
    assert items[-1].due == date(2026, 12, 24)


@pytest.mark.parametrize("name", ["hold", "promise", "due date"])
def test_a_second_click(story: Story, number: str, name: str) -> None:
    """The same again, by another person and a minute later, is no second event, and wakes nobody."""
    command, given, event, _ = COMMANDS[name]
    command(story.ledger, number, **{**LENA, **given})
    before = everything(story.ledger)
    later = {**LENA, "by": "uma", "at": NOW + timedelta(minutes=1)}
    assert command(story.ledger, number, **{**later, **given}) == number
    assert everything(story.ledger) == before
    changed: dict[str, dict[str, Any]] = {
        "hold": {"reason": "more talks"},
        "promise": {"on": date(2026, 12, 10)},
    }
    command(story.ledger, number, **{**later, **given, **changed.get(name, {"to": date(2026, 12, 28)})})
    assert events(story.ledger, number).count(event) == 2


def test_the_same_plan_again(story: Story, number: str) -> None:
    """A plan that holds is not agreed a second time, nor mailed; another reason or day is another plan."""
    with story.ledger.transaction() as tx:
        whole = invoices.find(tx, number).open_amount
    parts = [(date(2026, 12, 10), Decimal(100)), (date(2027, 1, 10), whole - 100)]
    given = {**LENA, "parts": parts, "reason": "short of cash"}
    dispute_commands.agree_plan(story.ledger, number, **given)
    before = everything(story.ledger)
    dispute_commands.agree_plan(story.ledger, number, **{**given, "at": NOW + timedelta(minutes=1)})
    assert everything(story.ledger) == before
    dispute_commands.agree_plan(story.ledger, number, **{**given, "reason": "asked again"})
    assert events(story.ledger, number).count("payment plan agreed") == 2


def test_made_anew_once(story: Story) -> None:
    """A draft that is to be made anew is not asked for a second time by the same person."""
    story.drafted("draft")
    for _ in range(2):
        commands.fetch_again(story.ledger, "manual/draft", **LENA)
    assert events(story.ledger, "manual/draft").count("fetch again") == 1


REFUSED: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    *[(name, {"by": "nobody"}, NotAllowed, "'nobody' is not a person") for name in COMMANDS],
    ("hold", {"reason": " "}, Refused, "needs a reason"),
    ("hold", {"until": NOW}, Refused, "must end in the future"),
    ("hold", {"until": NOW + timedelta(days=366)}, Refused, "after a year at the latest"),
    ("dispute", {"reason": ""}, Refused, "say why"),
    ("promise", {"on": date(2026, 11, 19)}, Refused, "not past"),
    ("promise", {"on": date(2027, 11, 21)}, Refused, "within a year"),
    ("promise", {"on": date.max}, Refused, "within a year"),
    ("due date", {"reason": ""}, Refused, "needs a reason"),
    ("due date", {"to": date(2026, 11, 19)}, Refused, "before the issue date"),
    ("due date", {"to": date(2027, 11, 21)}, Refused, "within a year"),
    ("due date", {"to": date.max}, Refused, "within a year"),
]


@pytest.mark.parametrize(("name", "change", "error", "message"), REFUSED)
def test_refused(
    story: Story, number: str, name: str, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    """A command a rule refuses says why and changes nothing."""
    command, given, _, _ = COMMANDS[name]
    before = everything(story.ledger)
    with pytest.raises(error, match=message):
        command(story.ledger, number, **{**LENA, **given, **change})
    assert everything(story.ledger) == before


@pytest.mark.parametrize("name", [*COMMANDS, "release"])
@pytest.mark.parametrize(("state", "message"), [("draft", "only an issued invoice"), ("closed", "is closed")])
def test_refused_in_state(story: Story, number: str, name: str, state: str, message: str) -> None:
    """What is not issued yet, or closed, is not collected."""
    story.drafted("draft")
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        row.closed_at, row.collection_status = NOW, "closed"
    command, given = (commands.release, {}) if name == "release" else COMMANDS[name][:2]
    before = everything(story.ledger)
    with pytest.raises(WrongState, match=message):
        command(story.ledger, "manual/draft" if state == "draft" else number, **{**LENA, **given})
    assert everything(story.ledger) == before


@pytest.mark.parametrize(
    ("client", "at", "on", "accepted"),
    [
        # 23:30 in Los Angeles is the next day in UTC; half past midnight in Tokyo is the day before
        ("west", "2026-11-21T07:30+00:00", date(2026, 11, 20), True),
        ("west", "2026-11-21T07:30+00:00", date(2026, 11, 19), False),
        ("kawa", "2026-11-20T15:30+00:00", date(2026, 11, 20), False),
        ("kawa", "2026-11-20T15:30+00:00", date(2026, 11, 21), True),
    ],
)
def test_promise_for_today(story: Story, client: str, at: str, on: date, accepted: bool) -> None:
    """A promise may name the client's today, and no day that is past where the client is."""
    west = COMPANY.clients[0].model_copy(update={"id": "west", "zone": "America/Los_Angeles"})
    company = COMPANY.model_copy(update={"clients": (*COMPANY.clients, west)})
    number = story.issued("one", client="kawa")
    given = {**LENA, "at": datetime.fromisoformat(at)}
    with story.ledger.transaction() as tx:
        invoices.find(tx, number, lock=True).client = client
    company_records.apply_company(story.ledger, company, "company", "lena", NOW)
    if accepted:
        commands.promise(story.ledger, number, on=on, **given)
    else:
        with pytest.raises(Refused, match="not past"):
            commands.promise(story.ledger, number, on=on, **given)


@pytest.mark.parametrize("name", ["promise", "dispute", "nothing"])
@pytest.mark.parametrize("late", [0, 30])
def test_release(story: Story, number: str, name: str, late: int) -> None:
    """A released invoice stands where it stood but for the hold: still disputed, still promised, else due or not."""
    given = {**LENA, "at": NOW + timedelta(days=late)}
    if name != "nothing":
        command, change, _, after = COMMANDS[name]
        change = {**change, "on": date(2026, 12, 31)} if name == "promise" else change
        command(story.ledger, number, **{**given, **change})
    else:
        after = "due" if late else "not due"
    commands.hold(story.ledger, number, until=NOW + timedelta(days=60), reason="talks", **given)
    assert status(story.ledger, number) == "blocked"
    commands.release(story.ledger, number, **given)
    assert status(story.ledger, number) == after
    with pytest.raises(WrongState, match="not on hold"):
        commands.release(story.ledger, number, **given)


def test_release_keeps_the_level(story: Story, number: str) -> None:
    """An invoice reminded before its hold is reminded after it, and no promise that is past is kept."""
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        collection.done(tx, row, "reminder-1", planned_for=NOW, message=None, at=NOW)
        row.promised_for = NOW.date() - timedelta(days=1)
    commands.hold(story.ledger, number, until=NOW + timedelta(days=60), reason="talks", **LENA)
    commands.release(story.ledger, number, **LENA)
    assert status(story.ledger, number) == "reminded"


def item(**changes: Any) -> OpeningItem:
    given = {
        "number": "R-17",
        "client": "nordlicht",
        "title": "Before",
        "issue_date": "2026-09-01",
        "due_date": "2026-09-15",
        "currency": "EUR",
        "net": "100.00",
        "tax": "19.00",
        "gross": "119.00",
        "paid": "19.00",
        "levels_sent": 1,
    }
    return OpeningItem.model_validate(given | changes)


def taken_over(ledger: Ledger, opening: OpeningItem) -> bool:
    with ledger.transaction() as tx:
        current = company_records.current(tx)
        return opening_items.import_opening_item(
            tx, opening, current.company, current.version, by="lena", at=NOW
        )


def test_opening_item(story: Story) -> None:
    """An open item is taken over with what was paid and sent; again, it is left as it is."""
    assert taken_over(story.ledger, item())
    before = everything(story.ledger)
    assert not taken_over(story.ledger, item())
    assert not taken_over(story.ledger, item(paid="0.00", title="Other"))
    assert everything(story.ledger) == before
    assert events(story.ledger, "R-17") == ["taken over", "payment received"]
    with story.ledger.transaction() as tx:
        facts = collection.facts(tx, invoices.find(tx, "R-17"))
    assert (f"{facts.open_amount:.2f}", facts.done) == ("100.00", frozenset({"reminder-1"}))
    assert breaks(story.ledger, "R-17") == []


def test_opening_item_at_once(story: Story) -> None:
    """An open item taken over by several at once is taken over by one."""
    got = at_once(5, lambda _: taken_over(story.ledger, item()))
    assert sorted(map(str, got)) == ["False"] * 4 + ["True"], got


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"client": "ateliers"}, "R-17 stands on an invoice of nordlicht already"),
        ({"number": "r-17"}, "differs from R-17 only in capitals"),
        ({"number": "X", "client": "nobody"}, "there is no client 'nobody'"),
        ({"number": "X", "due_date": "9999-12-31"}, "within a year"),
    ],
)
def test_opening_item_refused(story: Story, change: dict[str, Any], message: str) -> None:
    """An open item that cannot be told from another one, or cannot be, is refused and changes nothing."""
    taken_over(story.ledger, item())
    before = everything(story.ledger)
    with pytest.raises(Refused, match=message):
        taken_over(story.ledger, item(**change))
    assert everything(story.ledger) == before
