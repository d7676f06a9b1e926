"""Notices in the chat come with the fact, beside those by mail; neither channel repeats or delays the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from activities.delivery.mail import STAFF_EVENTS
from activities.invoicing.chat_notices import TITLES
from activities.ledger import (
    approvals,
    company_exceptions,
    company_records,
    exceptions,
    invoices,
    notices,
    outbox,
)
from activities.ledger.database import Ledger
from activities.ledger.tables import ExceptionRow, OutboxRow
from billing.company import Company
from billing.connections import Connection
from billing.exceptions import Finding, ReasonCode
from tests.activities.delivery.slack_workspace import Workspace
from tests.mail_server import MailServer
from tests.starter.web.story import COMPANY, Story
from workers.assembly import effects
from workers.outbox_dispatcher import OutboxDispatcher
from workers.settings import Settings

NOW = datetime.now(UTC)
"""Notices grow stale by the real clock."""

CHAT = Connection.model_validate(
    {"id": "chat", "provider": "slack", "port": "chat", "settings": {"members": "tom=U0TOM"}}
)


class Office:
    """A company with a chat."""

    def __init__(self, settings: Settings, workspace: Workspace) -> None:
        outside = effects(settings)
        self.ledger: Ledger = outside.ledger
        self.workspace, self.story = workspace, Story(outside.ledger, NOW)
        self.company: Company = COMPANY.model_copy(update={"connections": (CHAT,)})
        company_records.apply_company(self.ledger, self.company, "company", "lena", NOW)
        self.dispatcher = OutboxDispatcher(cast(Any, None), outside)

    def exception(self, key: str) -> None:
        made = self.story.drafted(key)
        finding = Finding(code=ReasonCode.SOURCES_DIFFER, message="CRM says 8,500.00 EUR", field="value")
        with self.ledger.transaction() as tx:
            exceptions.raise_one(tx, invoices.locked(tx, made), finding, self.company, at=NOW)

    def leak(self, subject: str) -> None:
        finding = Finding(code=ReasonCode.PERIOD_UNBILLED, message="1,000.00 EUR unbilled", field=subject)
        with self.ledger.transaction() as tx:
            company_exceptions.raise_one(tx, subject, finding, self.company, at=NOW)

    def waiting(self, kind: str = outbox.CHAT) -> int:
        with self.ledger.transaction() as tx:
            return outbox.waiting(tx, kind)

    def change(self, **values: Any) -> None:
        """Changes all rows that wait for the chat."""
        with self.ledger.transaction() as tx:
            waits = (OutboxRow.kind == outbox.CHAT, OutboxRow.done_at.is_(None))
            tx.execute(update(OutboxRow).where(*waits).values(**values))

    def exceptions(self) -> list[ExceptionRow]:
        with self.ledger.transaction() as tx:
            query = select(ExceptionRow).where(ExceptionRow.subject == "integration/chat")
            return list(tx.scalars(query))


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    workspace = Workspace()
    monkeypatch.setenv("BILLOW_CHAT_WEBHOOK_URL", workspace.url)
    with workspace.server:
        yield workspace
    assert workspace.server.refused == []


@pytest.fixture
def office(settings: Settings, workspace: Workspace) -> Iterator[Office]:
    office = Office(settings, workspace)
    yield office
    office.ledger.close()


async def test_told_in_both(office: Office, workspace: Workspace, smtp: MailServer) -> None:
    """An approval asked and an exception are in the chat and in the mail; the chat has no amounts and no names."""
    made = office.story.drafted("one")
    with office.ledger.transaction() as tx:
        tier = office.company.approvals.tiers[0]
        approvals.ask(tx, invoices.locked(tx, made), tier, office.company, at=NOW)
    office.exception("two")
    assert await office.dispatcher.carry_chats() == 3
    asked = "<@U0TOM>: *Approval wanted*\nmanual/one, client nordlicht\nuntil 20"
    assert sum(each.startswith(asked) for each in workspace.texts) == 1
    assert sum("Lena Brandt: *Decision wanted: sources differ*" in each for each in workspace.texts) == 1
    assert not any(
        said in text for text in workspace.texts for said in ("8,500", "Nordlicht Verlag", "@nordlicht")
    )
    assert office.waiting() == 0 and office.waiting(outbox.NOTICE) == 3
    assert await office.dispatcher.carry_notices() == 3
    assert len(smtp.messages()) == 3 and len(workspace.texts) == 3


async def test_no_chat(office: Office, workspace: Workspace) -> None:
    """A company without one has nothing waiting for it; taken out, what waited is let go."""
    office.exception("one")
    company_records.apply_company(office.ledger, COMPANY, "company", "lena", NOW + timedelta(hours=1))
    office.company = COMPANY
    office.exception("two")
    assert office.waiting() == 1 and office.waiting(outbox.NOTICE) == 2
    await office.dispatcher.carry_chats()
    assert office.waiting() == 0 and workspace.texts == []


async def test_one_fails(office: Office, workspace: Workspace, smtp: MailServer) -> None:
    """A chat that is away delays no mail, and a mail server that is away no chat; neither repeats."""
    office.exception("one")
    workspace.next(503, "down")
    await office.dispatcher.carry_chats()
    await office.dispatcher.carry_notices()
    assert (office.waiting(), office.waiting(outbox.NOTICE), len(smtp.messages())) == (1, 0, 1)
    office.change(not_before=NOW - timedelta(days=900))
    smtp.down()
    office.exception("two")
    await office.dispatcher.carry_notices()
    await office.dispatcher.carry_chats()
    assert (office.waiting(), office.waiting(outbox.NOTICE), len(workspace.texts)) == (0, 1, 2)
    assert len(smtp.messages()) == 1


async def test_too_many(office: Office, workspace: Workspace) -> None:
    """Told to wait, all wait: the others are not tried in the meantime."""
    for n in range(5):
        office.exception(f"e{n}")
    workspace.next(429, "rate_limited", Retry_After="600")
    await office.dispatcher.carry_chats()
    assert await office.dispatcher.carry_chats() == 0
    assert len(workspace.server.asked) == 1 and office.waiting() == 5
    with office.ledger.transaction() as tx:
        rows = tx.scalars(select(OutboxRow).where(OutboxRow.kind == outbox.CHAT)).all()
        assert all(
            (row.not_before - row.written_at) > timedelta(minutes=9) or row.written_at == NOW for row in rows
        )
    office.change(not_before=NOW - timedelta(days=900))
    assert await office.dispatcher.carry_chats() == 5 and len(workspace.texts) == 5


async def test_webhook_gone(office: Office, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook that is gone is one exception, by mail, however many notices wait; set anew, they go out."""
    monkeypatch.setenv("BILLOW_CHAT_WEBHOOK_URL", workspace.url + "X")
    office.exception("one")
    office.exception("two")
    await office.dispatcher.carry_chats()
    for _ in range(3):
        office.change(not_before=NOW - timedelta(days=900))
        await office.dispatcher.carry_chats()
    (found,) = office.exceptions()
    assert "no_service; make a new incoming webhook" in str(found.finding["message"])
    assert "XXXX" not in str(found.finding) and office.waiting(outbox.NOTICE) == 3
    monkeypatch.setenv("BILLOW_CHAT_WEBHOOK_URL", workspace.url)
    office.change(not_before=NOW - timedelta(days=900))
    await office.dispatcher.carry_chats()
    assert office.waiting() == 0 and len(workspace.texts) == 3
    assert [each.resolution for each in office.exceptions()] == ["repaired"]


async def test_stale(office: Office, workspace: Workspace) -> None:
    """A chat that comes back after more than a day is not flooded with what mail has told long since."""
    office.exception("one")
    office.change(written_at=NOW - timedelta(days=900))
    await office.dispatcher.carry_chats()
    assert office.waiting() == 0 and workspace.texts == []


async def test_a_hundred_leaks(office: Office, workspace: Workspace) -> None:
    """A night that finds a hundred leaks is one message."""
    for n in range(100):
        office.leak(f"leak/{n}")
    await office.dispatcher.carry_chats()
    assert office.waiting() == 0
    (text,) = workspace.texts
    assert "Decision wanted*\n100 of them\n" in text and "1,000" not in text


async def test_crash_after_posting(
    office: Office, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies once Slack has taken it repeats that one, and no other."""
    office.exception("one")
    office.exception("two")
    crashes = [True]
    done = outbox.done

    def dying(row: OutboxRow) -> None:
        if crashes and row.kind == outbox.CHAT:
            crashes.pop()
            raise KeyboardInterrupt
        done(row)

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "done", dying)
        with pytest.raises(KeyboardInterrupt):
            office.dispatcher._carry_one(outbox.CHAT, office.dispatcher._post)
    await office.dispatcher.carry_chats()
    # the link in a text is signed anew each time, and bears the second it was signed in
    told = [text.splitlines()[1] for text in workspace.texts]
    assert sorted(told) == ["manual/one, client nordlicht"] * 2 + ["manual/two, client nordlicht"]


def test_events_have_titles() -> None:
    """Every event our people are written about has a title of its own in the chat."""
    assert set(TITLES) == set(STAFF_EVENTS) and notices.COMPANY_EXCEPTION in STAFF_EVENTS
