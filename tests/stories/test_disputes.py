"""Disputes by line and rejected, promises moved, instalments agreed after issue, and bank data that are too old."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from activities.ledger import (
    bank_data,
    commands,
    company_exceptions,
    credit_holds,
    dispute_commands,
    promises,
)
from activities.ledger.promises import PromiseRecord
from activities.ledger.tables import BankStatementRow
from billing.approval_policy import Channel
from tests.company import client
from tests.stories.story import Story, now
from tests.stories.test_credit_notes import one_off
from tests.stories.test_due_dates import next_reminder
from tests.stories.test_outages import berlin, business_days, levels, reminded


def by_pia() -> dict[str, Any]:
    return {"by": "pia", "channel": Channel.CLI, "at": now()}


def mail_text(story: Story, index: int) -> str:
    return " ".join(story.mails("ap@client.example")[index].text.split())


async def test_line_disputed(story: Story) -> None:
    """One line is disputed: the rest is reminded, for its amount alone; once it is paid, the clock stands still."""
    days = business_days(story)
    levels(story, days[0], days[2])
    story.begin()
    key = one_off(story, "1000.00", "500.00")
    await story.waits(key, "payment of EUR 1,785.00")
    disputed_at = await story.now(key)
    dispute_commands.dispute(
        story.effects.ledger, key, reason="not ordered", lines=[2], **{**by_pia(), "at": disputed_at}
    )
    await story.waits(key, "payment of EUR 1,190.00")
    await story.until_next(key)  # the dispute comes up again before the invoice is late
    await story.happens(key, "dispute brought up again")
    while not reminded(story, key):
        await story.until_next(key)
        await story.waits(key, "payment of EUR 1,190.00")
    assert "€1,190.00 has not reached us" in mail_text(story, -1) and "€1,785.00 has" not in mail_text(
        story, -1
    )
    assert "You have objected to €595.00 of it" in mail_text(story, -1)
    story.pay(key, "1190.00")
    row = await story.waits(key, "payment of EUR 0.00; disputed")
    assert (row.collection_status, row.payment_status) == ("disputed", "partly paid")
    dispute_commands.withdraw_dispute(story.effects.ledger, key, **by_pia())
    await story.waits(key, "payment of EUR 595.00")
    story.pay(key, "595.00")
    assert (await story.ends(key)).state == "settled: paid"
    await story.recorded(key, "line-disputed", actions=30, kilobytes=24)


async def test_dispute_rejected(story: Story) -> None:
    """The claim stands: the client is told why, has a week, and is then reminded at the level where it stood."""
    days = business_days(story)
    levels(story, days[0], days[2])
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    await next_reminder(story, key, 1)
    at = await story.now(key)
    commands.dispute(story.effects.ledger, key, reason="hours missing", **{**by_pia(), "at": at})
    await story.waits(key, "disputed")
    await story.skip(key, timedelta(days=3))
    at = await story.now(key)
    commands.end_dispute(story.effects.ledger, key, answer="All hours were agreed.", **{**by_pia(), "at": at})
    row = await story.waits(key, "payment of EUR 1,190.00")
    assert (row.collection_status, row.rested_days) == ("reminded", 3)
    assert row.next_at is not None and row.next_at >= at + timedelta(days=7)
    await story.until(lambda: len(story.mails("ap@client.example")) == 3, "the answer")
    assert "All hours were agreed." in mail_text(story, -1) and "hours missing" in mail_text(story, -1)
    await next_reminder(story, key, 2)
    assert reminded(story, key)[1].hour == 9
    story.pay(key, "1190")
    assert (await story.ends(key)).state == "settled: paid"
    await story.recorded(key, "dispute-rejected", actions=24, kilobytes=20)


async def test_promise_moved(story: Story) -> None:
    """A promise that is moved, then broken: no reminder before the day after the second, and all is remembered."""
    days = business_days(story)
    levels(story, days[0], days[9])
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    for day in (days[2], days[4]):
        commands.promise(story.effects.ledger, key, on=day, **by_pia())
        await story.waits(key, f"payment promised for {day.isoformat()}")
    await story.skip(key, berlin(days[4], 23) - await story.now(key))
    assert not reminded(story, key)
    await next_reminder(story, key, 1)
    assert [at.date() for at in reminded(story, key)] == [days[5]]
    assert "promise broken" in story.events(key)
    with story.effects.ledger.transaction() as tx:
        assert promises.record_of(tx, "acme") == PromiseRecord(broken=1, moved=1)
    story.pay(key, "1190")
    await story.ends(key)
    await story.recorded(key, "promise-moved", actions=20, kilobytes=16)


async def test_payment_plan(story: Story) -> None:
    """Reminded once, a client agrees on two parts: the first is paid in time, the second missed and reminded anew."""
    days = business_days(story)
    levels(story, days[0])
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    await next_reminder(story, key, 1)
    parts: tuple[tuple[date, Decimal], ...] = ((days[5], Decimal("600.00")), (days[10], Decimal("590.00")))
    dispute_commands.agree_plan(story.effects.ledger, key, parts=parts, reason="cash is short", **by_pia())
    row = await story.waits(key, "payment of EUR 600.00")
    assert (row.collection_status, row.agreed_due_date) == ("not due", days[5])
    await story.until(lambda: len(story.mails("ap@client.example")) == 3, "the plan")
    assert "€600.00 by" in mail_text(story, -1) and "€590.00 by" in mail_text(story, -1)
    story.pay(key, "600.00")
    row = await story.waits(key, "payment of EUR 590.00")
    assert row.agreed_due_date == days[10]
    await story.until_next(key)
    await story.until(lambda: story.events(key).count("reminder-1") == 2, "the second part is reminded")
    await story.waits(key, "payment of EUR 590.00")
    assert "€590.00 has not reached us" in mail_text(story, -1)
    assert len({each.message_id for each in story.mails()}) == len(story.mails())
    story.pay(key, "590.00")
    assert (await story.ends(key)).state == "settled: paid"
    await story.recorded(key, "payment-plan", actions=24, kilobytes=20)


async def test_bank_data_too_old(story: Story) -> None:
    """Without a newer statement nobody is reminded, and somebody is told; once it is here, the reminder goes out."""
    days = business_days(story)
    levels(story, days[0])
    story.company.company_file["payments"] = {"bank_data_within_days": 3}
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    await story.until_next(key)
    row = await story.waits(key, "bank data are too old, no statement was imported")
    await story.until_next(key)
    await story.waits(key, "bank data are too old")
    assert not reminded(story, key) and row.collection_status == "not due"
    with story.effects.ledger.transaction() as tx:
        told = company_exceptions.open_subjects(tx, bank_data.SUBJECT)
        assert told == {"bank-data/berlin/EUR"}
    until = await story.now(key)
    with story.effects.ledger.transaction() as tx:
        tx.add(
            BankStatementRow(
                account="DE02120300000000202051",
                statement="1",
                issuer="berlin",
                currency="EUR",
                version="08",
                until=until,
                entries=0,
                file="0" * 64,
                file_name="statement.xml",
                imported_at=until,
                imported_by="pia",
                channel="cli",
                read_at=until,
            )
        )
        bank_data.arrived(tx, "berlin", at=until)
    await story.waits(key, "payment")
    if not reminded(story, key):  # the statement came at night
        await story.until_next(key)
    await story.until(lambda: "reminder-1" in story.events(key), "the reminder")
    with story.effects.ledger.transaction() as tx:
        assert not company_exceptions.open_subjects(tx, bank_data.SUBJECT)


async def test_credit_hold(story: Story) -> None:
    """With the first level the client is put on hold and its account manager told; paid, the hold ends by itself."""
    days = business_days(story)
    levels(story, days[0])
    story.company.dunning[0]["credit_hold_at"] = "reminder-1"
    story.company.clients = [client("acme", "C-1")]
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    await next_reminder(story, key, 1)
    await story.until(lambda: len(story.mails("pia@issuer.example")) == 1, "the account manager is told")
    assert "credit hold" in story.mails("pia@issuer.example")[0].subject
    story.pay(key, "1190")
    await story.ends(key)
    assert story.events(key)[-1] == "credit hold lifted"
    with story.effects.ledger.transaction() as tx:
        assert credit_holds.current(tx, "acme") is None
