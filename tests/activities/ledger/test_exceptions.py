"""Exceptions: raised once, decided once, closed when what they found is gone."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from activities.ledger import commands, exceptions, invoices
from activities.ledger.exceptions import Resolution
from billing.approval_policy import Channel
from billing.errors import NotAllowed, NotFound, Refused, WrongState
from billing.exceptions import Finding, ReasonCode
from tests.activities.ledger.conftest import at_once, breaks, events, everything, rows
from tests.starter.web.story import COMPANY, NOW, Story

DIFFERS = Finding(
    code=ReasonCode.SOURCES_DIFFER, message="CRM says more", field="value", left="CRM 2", right="PSA 1"
)
NO_TAX = Finding(code=ReasonCode.TAX_UNKNOWN, message="no rate for XX", field="tax")


@pytest.fixture
def draft(story: Story) -> int:
    return story.drafted("one")


def reconciled(story: Story, *findings: Finding) -> list[tuple[Any, ...]]:
    """Code and resolution of every exception, after these are the findings."""
    with story.ledger.transaction() as tx:
        exceptions.reconcile(tx, invoices.find(tx, "manual/one", lock=True), findings, COMPANY, at=NOW)
    return rows(story.ledger, "select code, resolution from exceptions order by id")


def resolve(story: Story, exception: int, resolution: Resolution, **changes: Any) -> str:
    given = {"by": "tom", "channel": Channel.WEB, "reason": "looked at it", "at": NOW, **changes}
    return commands.resolve(story.ledger, exception, resolution, **given)


def test_reconcile(story: Story, draft: int) -> None:
    """The open exceptions are the findings: new ones raised, the same ones left alone, vanished ones closed."""
    assert reconciled(story, DIFFERS) == [("sources-differ", None)]
    before = everything(story.ledger)
    assert reconciled(story, DIFFERS) == [("sources-differ", None)]
    assert everything(story.ledger) == before
    assert reconciled(story, NO_TAX) == [("sources-differ", "repaired"), ("tax-unknown", None)]
    assert reconciled(story) == [("sources-differ", "repaired"), ("tax-unknown", "repaired")]
    assert reconciled(story, DIFFERS)[-1] == ("sources-differ", None)
    assert events(story.ledger, "manual/one")[1:] == [
        "exception raised",
        "exception repaired",
        "exception raised",
        "exception repaired",
        "exception raised",
    ]
    assert breaks(story.ledger, "manual/one") == []


def test_raised_twice(story: Story, draft: int) -> None:
    """The same finding raised again, also at once, is one exception and one mail to its owner."""

    def raise_it(_: int) -> None:
        with story.ledger.transaction() as tx:
            exceptions.raise_one(tx, invoices.locked(tx, draft), DIFFERS, COMPANY, at=NOW)

    assert at_once(6, raise_it) == [None] * 6
    assert rows(story.ledger, "select owner from exceptions") == [("lena",)]
    assert rows(story.ledger, "select count(*) from outbox where kind = 'notice'") == [(1,)]


def test_accept(story: Story, draft: int) -> None:
    """An accepted difference does not hold the invoice again; whoever accepted has taken part in the draft."""
    exception = story_exception(story, DIFFERS)
    assert resolve(story, exception, Resolution.ACCEPT) == "manual/one"
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, "manual/one")
        assert row.took_part == ["lena", "tom"]
        same_again = DIFFERS.model_copy(update={"message": "in other words"})
        assert exceptions.unaccepted(row, [DIFFERS, same_again, NO_TAX]) == [NO_TAX]
        other = DIFFERS.model_copy(update={"left": "CRM 3"})
        assert exceptions.unaccepted(row, [other]) == [other]


def story_exception(story: Story, finding: Finding) -> int:
    reconciled(story, finding)
    return int(rows(story.ledger, "select max(id) from exceptions")[0][0])


@pytest.mark.parametrize(
    ("finding", "resolution", "change", "error", "message"),
    [
        (NO_TAX, Resolution.ACCEPT, {}, Refused, "tax-unknown cannot be accepted as it is"),
        (DIFFERS, Resolution.ACCEPT, {"reason": " "}, Refused, "say why"),
        (DIFFERS, Resolution.VOID, {"reason": ""}, Refused, "say why"),
        (DIFFERS, Resolution.RETRY, {"by": "mallory"}, NotAllowed, "'mallory' is not a person"),
        (DIFFERS, Resolution.OVERRIDE, {}, Refused, "say what to set"),
    ],
)
def test_refused(
    story: Story,
    draft: int,
    finding: Finding,
    resolution: Resolution,
    change: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    """A resolution a rule refuses says why and changes nothing."""
    exception = story_exception(story, finding)
    before = everything(story.ledger)
    with pytest.raises(error, match=message):
        resolve(story, exception, resolution, **change)
    assert everything(story.ledger) == before


@pytest.mark.parametrize("exception", [0, -1, 4711, 2**63, 2**80])
def test_unknown(story: Story, exception: int) -> None:
    """An exception that does not exist is told, whatever its number."""
    with pytest.raises(NotFound, match="`billow inbox` lists"):
        resolve(story, exception, Resolution.RETRY)


def test_decided_twice(story: Story, draft: int) -> None:
    """Of decisions made at once one counts; the others are told who was faster, and change nothing."""
    exception = story_exception(story, DIFFERS)
    got = at_once(5, lambda _: resolve(story, exception, Resolution.ACCEPT))
    assert got.count("manual/one") == 1
    assert sum(isinstance(each, WrongState) for each in got) == 4
    before = everything(story.ledger)
    with pytest.raises(WrongState, match="decided already: accepted: looked at it, by tom"):
        resolve(story, exception, Resolution.VOID)
    assert everything(story.ledger) == before
    assert events(story.ledger, "manual/one").count("exception: accept") == 1


@pytest.mark.parametrize("rebill", [False, True])
def test_void(story: Story, draft: int, rebill: bool) -> None:
    """Voiding ends the draft and with it every exception it has."""
    reconciled(story, DIFFERS, NO_TAX)
    first = int(rows(story.ledger, "select min(id) from exceptions")[0][0])
    resolve(story, first, Resolution.VOID, rebill=rebill)
    assert rows(story.ledger, "select distinct resolution, resolved_by from exceptions") == [
        ("voided", "tom")
    ]
    assert rows(story.ledger, "select document_status, rebill from invoices") == [("voided draft", rebill)]
    assert breaks(story.ledger, "manual/one") == []


def test_void_of_an_issued_invoice(story: Story) -> None:
    """What is issued is not voided; the refusal names the credit note."""
    number = story.issued("one")
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        finding = Finding(code=ReasonCode.NOT_DELIVERED, message="no such mailbox")
        exceptions.raise_one(tx, row, finding, COMPANY, at=NOW)
        exception = invoices.open_exceptions(tx, row)[0].id
    before = everything(story.ledger)
    with pytest.raises(WrongState, match="correct it with a credit note"):
        resolve(story, exception, Resolution.VOID)
    assert everything(story.ledger) == before


def test_step_and_person_at_once(story: Story, draft: int) -> None:
    """A step that closes an exception while a person decides it ends, and so does the person: nobody deadlocks."""
    exception = story_exception(story, Finding(code=ReasonCode.STEP_FAILED, message="it broke"))
    got: list[object] = []

    def decided() -> None:
        try:
            got.append(resolve(story, exception, Resolution.RETRY))
        except WrongState as error:
            got.append(error)

    person = Thread(target=decided)
    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, draft)
        person.start()
        while not rows(story.ledger, "select 1 from pg_stat_activity where wait_event_type = 'Lock'"):
            assert person.is_alive(), got
        exceptions.close_repaired(tx, row, at=NOW)
    person.join(30)
    assert [type(each) for each in got] == [WrongState]
