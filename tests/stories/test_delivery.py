"""The mail server refuses, postpones, or is away; the invoice reaches the client once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activities.invoicing import speaking
from activities.ledger.tables import MessageRow
from tests.company import crm_client
from tests.stories.story import Story


def message(story: Story, key: str, event: str) -> MessageRow:
    """The one message about that, sent or not."""
    with story.effects.ledger.transaction() as tx:
        return tx.get_one(MessageRow, f"invoice-{story.row(key).id}/{event}")


async def tried(story: Story, key: str, event: str, times: int = 1) -> None:
    """Waits until the message has been tried that often, and the attempt is over."""

    def attempts() -> bool:
        with story.effects.ledger.transaction() as tx:
            found = tx.get(MessageRow, f"invoice-{story.row(key).id}/{event}")
            return found is not None and found.attempts >= times

    await story.until(attempts, f"try {times} of {event}")


def finding(story: Story, key: str) -> str:
    """What the newest exception says."""
    return str([each for each in story.trail(key) if each.event == "exception raised"][-1].facts["message"])


async def test_mail_server_down_for_over_a_day(story: Story) -> None:
    """After a day of trying a person is told which server is away; once it is mended, retry sends the one message."""
    story.begin()
    story.smtp.down()
    key = story.trigger("acme-care")
    await tried(story, key, "invoice")
    message_id = message(story, key, "invoice").message_id
    story.not_before(message(story, key, "invoice").prepared_at + timedelta(hours=23))
    await story.skip(key, timedelta(minutes=10))
    row = await story.waits(key, "decision on: not-delivered")
    tries = message(story, key, "invoice").attempts
    story.retry(key, "not-delivered")
    await tried(story, key, "invoice", tries + 1)
    await story.waits(key, "decision on: not-delivered")
    assert story.events(key).count("exception raised") == 1
    assert row.delivered_at is None and row.number is not None
    assert f"{story.smtp.host}:{story.smtp.port} takes no connections" in finding(story, key)
    story.smtp.up()
    story.retry(key, "not-delivered")
    await story.waits(key, "payment of EUR 1,190.00")
    (mail,) = story.mails("ap@client.example")
    assert mail.message_id == message_id
    assert "exception repaired" in story.events(key)
    await story.until(lambda: len(story.mails("pia@issuer.example")) == 1, "the owner was told")


@pytest.mark.parametrize("reply", ["451 4.7.1 try again later", "421 4.3.2 closing"])
async def test_postponed(story: Story, reply: str) -> None:
    """A server that says later gets the same message again later; nobody has to do anything."""
    story.begin()
    story.smtp.answer(reply)
    key = story.trigger("acme-care")
    await tried(story, key, "invoice")
    await story.skip(key, timedelta(minutes=1))
    await story.waits(key, "payment of EUR 1,190.00")
    sent = message(story, key, "invoice")
    assert [mail.message_id for mail in story.mails()] == [sent.message_id]
    assert sent.attempts == 2 and "exception raised" not in story.events(key)


async def test_address_refused(story: Story) -> None:
    """An address the server does not know is for a person; corrected in the CRM and retried, it goes out once."""
    wrong = {"name": "Kim Vogel", "email": "kim@bounce.test"}
    story.company.crm = [crm_client("C-1", "Acme GmbH", billing_contact=wrong)]
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "decision on: not-delivered")
    assert "kim@bounce.test" in finding(story, key) and "CRM" in finding(story, key)
    first = message(story, key, "invoice").message_id
    story.retry(key, "not-delivered")
    await tried(story, key, "invoice", 2)
    await story.waits(key, "decision on: not-delivered")
    assert story.events(key).count("exception raised") == 1
    story.company.crm = [crm_client("C-1", "Acme GmbH")]
    story.company.write_sources()
    story.retry(key, "not-delivered")
    await story.waits(key, "payment of EUR 1,190.00")
    (mail,) = story.mails("ap@client.example")
    assert mail.message_id == first
    assert story.events(key).count("sent") == story.events(key).count("exception repaired") == 1
    story.pay(key, "1190.00")
    await story.ends(key)
    await story.recorded(key, "address-refused", actions=19, kilobytes=20)


async def test_address_refused_and_nobody_answers(story: Story) -> None:
    """The owner is reminded half-way, then it goes up the line; each look tries the address once, not for ever."""
    wrong = {"name": "Kim Vogel", "email": "kim@bounce.test"}
    story.company.crm = [crm_client("C-1", "Acme GmbH", billing_contact=wrong)]
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "decision on: not-delivered")
    for tries, event in ((2, "exception reminded"), (3, "exception escalated")):
        await story.until_next(key)
        await story.until(lambda event=event: event in story.events(key), event)  # type: ignore[misc]
        row = await story.waits(key, "decision on: not-delivered")
        assert row.next_at is not None and row.next_at > await story.now(key)
        assert message(story, key, "invoice").attempts == tries
    await story.until(lambda: story.mails("noor@issuer.example"), "the superior is told")


@pytest.mark.parametrize("reply", ["552 5.3.4 too big", "554 5.7.1 looks like spam"])
async def test_content_refused(story: Story, reply: str) -> None:
    """A message the server refuses for good is for a person, with the server's words; retried, it goes out once."""
    story.begin()
    story.smtp.answer(reply)
    key = story.trigger("acme-care")
    await story.waits(key, "decision on: not-delivered")
    assert reply in finding(story, key)
    assert not story.mails("ap@client.example")
    story.retry(key, "not-delivered")
    await story.waits(key, "payment of EUR 1,190.00")
    assert len(story.mails("ap@client.example")) == 1


async def test_copy_refused(story: Story) -> None:
    """A copy the server refuses keeps the invoice from nobody else, and the audit trail names it."""
    story.company.crm = [crm_client("C-1", "Acme GmbH", copies_to=["boss@bounce.test"])]
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    (sent,) = [each for each in story.trail(key) if each.event == "sent"]
    assert sent.facts["refused_copies"] == ["boss@bounce.test"]
    assert len(story.mails("ap@client.example")) == 1


@pytest.mark.parametrize("event", ["invoice", "reminder-1"])
async def test_crash_between_sending_and_recording(
    story: Story, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    """A worker that dies when the server has taken the mail repeats it under its own Message-ID, never a second one."""
    crashes = 1
    recorded = speaking.handed_over

    def crashing(tx: Any, rows: Any, message: MessageRow, *rest: Any) -> None:
        nonlocal crashes
        if message.event == event and crashes:
            crashes -= 1
            raise RuntimeError("the worker dies here")
        recorded(tx, rows, message, *rest)

    monkeypatch.setattr(speaking, "handed_over", crashing)
    story.begin()
    key = story.trigger("acme-care")
    if event == "reminder-1":
        await story.waits(key, "payment of EUR 1,190.00")
        await story.until_next(key)
    await story.until(lambda: crashes == 0, "the crash")
    await story.skip(key, timedelta(minutes=1))
    await story.until(lambda: story.events(key).count("sent") == (2 if event == "reminder-1" else 1), "sent")
    await story.waits(key, "payment of EUR 1,190.00")
    ids = [mail.message_id for mail in story.mails("ap@client.example")]
    assert ids.count(message(story, key, event).message_id) == 2
    assert len(set(ids)) == (2 if event == "reminder-1" else 1)
    assert story.events(key).count("reminder-1") == (1 if event == "reminder-1" else 0)
