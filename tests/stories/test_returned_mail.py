"""An invoice comes back, or is proved to have arrived; through a real mail server and a real mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from activities.delivery.return_path import tokens_in
from activities.invoicing import polling
from activities.ledger.tables import ExceptionRow, MessageRow
from starter.local_stack.mailbox import StoredMessage
from tests.activities.delivery.returned_mail.bounces import of, plain, report
from tests.company import crm_client
from tests.imap_server import PASSWORD, USER, ImapServer
from tests.stories.story import Story

SENT = "payment of EUR 1,190.00"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[ImapServer]:
    monkeypatch.setenv("BILLOW_MB_USERNAME", USER)
    monkeypatch.setenv("BILLOW_MB_PASSWORD", PASSWORD)
    with ImapServer() as server:
        yield server


def begin(story: Story, mailbox: ImapServer) -> None:
    """The company has its mail come back to the mailbox."""
    at = {"host": "127.0.0.1", "port": str(mailbox.port), "security": "none"}
    story.company.company_file = {
        "connections": [{"id": "mb", "provider": "imap", "port": "returned mail", "settings": at}],
        "delivery": {"bounces_to": "bounces@issuer.example", "copies_to": ["copies@issuer.example"]},
    }
    story.begin()


def read(story: Story) -> int:
    """The mailbox is read now; how much it told."""
    at = datetime.now(UTC)
    (connection,) = polling.due(story.effects.ledger, at, at_once=True)
    polled = polling.poll(story.effects.ledger, connection, at)
    assert polled.problem == ""
    return polled.events


def about(mail: StoredMessage, *fates: dict[str, str]) -> bytes:
    """What the client's mail system reports of a mail it was sent, as far as it knows."""
    sender = mail.header("Return-Path").strip("<>")
    (token,) = tokens_in(sender)
    return report(*fates, to=sender, envid=token, message_id=mail.message_id)


async def test_came_back_and_was_mailed_again(story: Story, mailbox: ImapServer) -> None:
    """A bounce is an exception of the client's owner; the contact corrected, the invoice is mailed to the new one."""
    begin(story, mailbox)
    key = story.trigger("acme-care")
    await story.waits(key, SENT)
    (mail,) = story.mails("ap@client.example")
    assert mail.header("Return-Path").startswith("<bounces+") and "issuer.example" in mail.sender
    mailbox.deliver(about(mail, of("failed", "5.1.1", "550 5.1.1 no such user")))
    assert read(story) == 1
    await story.waits(key, "decision on: bounced")
    (raised,) = [each for each in story.trail(key) if each.event == "exception raised"]
    assert "invoice to ap@client.example came back: 5.1.1 550 5.1.1 no such user" in raised.facts["message"]
    await story.until(lambda: story.mails("pia@issuer.example"), "the owner is told")
    corrected = {"name": "Lea Brix", "email": "lea@client.example"}
    story.company.crm = [crm_client("C-1", "Acme GmbH", billing_contact=corrected)]
    story.company.write_sources()
    story.retry(key, "bounced")
    await story.until(lambda: story.mails("lea@client.example"), "mailed again")
    await story.waits(key, SENT)
    (again,) = story.mails("lea@client.example")
    assert again.header("Return-Path") != mail.header("Return-Path")
    mailbox.deliver(about(again, of("delivered", "2.0.0", to="lea@client.example")))
    assert read(story) == 1
    assert story.events(key)[-1] == "delivered"
    story.pay(key, "1190.00")
    await story.ends(key)


async def test_arrived_and_away(story: Story, mailbox: ImapServer) -> None:
    """A report of success makes it delivered; an out-of-office and a forged report change nothing."""
    begin(story, mailbox)
    key = story.trigger("acme-care")
    await story.waits(key, SENT)
    (mail,) = story.mails("ap@client.example")
    to = mail.header("Return-Path").strip("<>")
    away = plain("Back on Monday.", "Out of office", "Kim <ap@client.example>", to=to)
    forged = report(
        of("failed", "5.1.1"), to="bounces@issuer.example", envid=None, message_id=mail.message_id
    )
    mailbox.deliver(away, forged, about(mail, of("delivered", "2.0.0", "250 kept")))
    assert read(story) == 1
    with story.effects.ledger.transaction() as tx:
        message = tx.scalars(select(MessageRow).where(MessageRow.message_id == mail.message_id)).one()
        assert message.delivered_at is not None
        assert tx.scalars(select(ExceptionRow)).all() == []
    assert story.events(key)[-1] == "delivered"
