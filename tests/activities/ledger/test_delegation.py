"""Absences in the ledger: who is asked instead, and who may still decide."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from activities.ledger import absences, approvals, commands, delegation, invoices, views
from billing.approval_policy import Channel, Verdict
from billing.errors import NotAllowed, NotFound, Refused, WrongState
from tests.activities.ledger.conftest import at_once, events, rows
from tests.starter.web.story import COMPANY, NOW, Story

TODAY = NOW.date()


def announce(
    story: Story, person: str = "tom", delegate: str = "uma", days: tuple[int, int] = (0, 3), **more: Any
) -> int:
    """Sets an absence by days from today; how many approvals were handed over."""
    first, last = (TODAY + timedelta(days=each) for each in days)
    given = {"by": person, "for_others": False, "at": NOW, **more}
    return delegation.announce(story.ledger, person, delegate, first, last, **given)[1]


def asked(story: Story, key: str = "one") -> list[str]:
    """Who has been asked about the draft."""
    [(found,)] = rows(
        story.ledger,
        "select a.asked from approvals as a join invoices as i on i.id = a.invoice where i.billing_key = :key",
        key=f"manual/{key}",
    )
    names: list[str] = found
    return names


def told(story: Story) -> list[str]:
    """Who has got a mail that asks for an approval."""
    return [
        to
        for (to,) in rows(
            story.ledger, "select recipient from messages where event = 'approval-request' order by recipient"
        )
    ]


def decide(story: Story, by: str, at: datetime = NOW) -> None:
    commands.decide(story.ledger, "manual/one", Verdict.APPROVE, by=by, channel=Channel.WEB, at=at)


def test_delegate_decides(story: Story) -> None:
    """Nobody but the delegate decides in somebody's place, and only on those days."""
    story.asked("one")
    with pytest.raises(NotAllowed, match="'uma' is not an approver"):
        decide(story, "uma")
    announce(story, days=(1, 2))
    with pytest.raises(NotAllowed, match="'uma' is not an approver"):
        decide(story, "uma")
    decide(story, "uma", NOW + timedelta(days=1))
    assert events(story.ledger, "manual/one")[-1] == "approved"


def test_what_waits_is_handed_over(story: Story) -> None:
    """With an absence that begins today the delegate is asked about what waits, once, and told by mail."""
    story.asked("one")
    story.asked("two", by="uma")  # four eyes: Uma asked for it herself
    assert announce(story) == 1
    assert asked(story) == ["tom", "rosa", "uma"]
    assert asked(story, "two") == ["tom", "rosa"]
    assert told(story).count("uma@elbwerk.example") == 1
    assert events(story.ledger, "manual/one")[-1] == "approval handed over"
    with story.ledger.transaction() as tx:
        assert [each.billing_key for each in views.inbox(tx, "uma", NOW)] == ["manual/one"]


def test_asked_later(story: Story) -> None:
    """Who is away when a draft is asked about is asked together with the delegate."""
    announce(story)
    story.asked("one")
    assert asked(story) == ["tom", "uma", "rosa"]


def test_away_before_the_answer(story: Story) -> None:
    """Where the absence begins while a question waits, the delegate is asked when those asked are reminded."""
    story.asked("one")
    announce(story, days=(1, 2))
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, "manual/one", lock=True)
        approvals.attend(tx, row, COMPANY, at=NOW + timedelta(hours=20))
    assert asked(story) == ["tom", "rosa", "uma"]
    assert told(story).count("uma@elbwerk.example") == 1


def test_ended(story: Story) -> None:
    """From the day it is ended on the delegate decides nothing new; an absence ends once."""
    announce(story)
    [(absence,)] = rows(story.ledger, "select id from absences")
    with pytest.raises(NotAllowed, match="ended by an admin"):
        delegation.end(story.ledger, absence, by="lena", for_others=False, at=NOW)
    delegation.end(story.ledger, absence, by="tom", for_others=False, at=NOW)
    story.asked("one")
    assert asked(story) == ["tom", "rosa"]
    with pytest.raises(WrongState, match="over already"):
        delegation.end(story.ledger, absence, by="tom", for_others=False, at=NOW)
    with pytest.raises(NotFound, match="no absence 99"):
        delegation.end(story.ledger, 99, by="tom", for_others=False, at=NOW)


def test_of_others(story: Story) -> None:
    """An absence of somebody else is set by an admin alone; it says who set it."""
    with pytest.raises(NotAllowed, match="set by an admin"):
        announce(story, by="rosa")
    announce(story, delegate="rosa", by="uma", for_others=True)
    assert rows(story.ledger, "select person, set_by from absences") == [("tom", "uma")]


def test_refused(story: Story) -> None:
    """The rules of `billing.absences` are asked with what the ledger knows."""
    announce(story)
    for person, delegate, said in (
        ("tom", "rosa", "is set already"),
        ("rosa", "tom", "Tom Iversen is away"),
        ("uma", "rosa", "relies on Uma Keller"),
        ("rosa", "lena", "has the role operator"),
    ):
        with pytest.raises(Refused, match=said):
            announce(story, person, delegate)
    assert len(rows(story.ledger, "select 1 from absences")) == 1


def test_at_once(story: Story) -> None:
    """Of two clicks only one sets the absence."""
    got = at_once(2, lambda _: announce(story))
    assert sorted(type(each).__name__ for each in got) == ["Refused", "int"]


def test_day_of_the_company(story: Story) -> None:
    """An absence begins at midnight where the company is at home, not in London."""
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # already the 21st in Berlin
    assert absences.today(COMPANY, late) == date(2026, 11, 21)
