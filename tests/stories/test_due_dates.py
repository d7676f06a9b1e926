"""What moves the clock of collection: another due date, a promise, a dispute."""

from __future__ import annotations

from datetime import date, timedelta

from activities.ledger import commands
from billing.approval_policy import Channel
from tests.stories.story import Story, now
from tests.stories.test_outages import BERLIN, berlin, business_days, levels, reminded


def move(story: Story, key: str, to: date) -> None:
    """Another due date was agreed by telephone."""
    given = {"reason": "agreed by telephone", "by": "pia", "channel": Channel.CLI, "at": now()}
    commands.change_due_date(story.effects.ledger, key, to=to, **given)  # type: ignore[arg-type]


def promise(story: Story, key: str, on: date) -> None:
    commands.promise(story.effects.ledger, key, on=on, by="pia", channel=Channel.CLI, at=now())


async def next_reminder(story: Story, key: str, level: int) -> None:
    """Lets time pass until that level has gone out."""
    await story.until_next(key)
    await story.until(lambda: f"reminder-{level}" in story.events(key), f"level {level}")
    await story.waits(key, "payment")


async def brought_up(story: Story, key: str, times: int, who: str) -> None:
    """The open dispute was brought up that often, the last time to that person."""
    await story.until(lambda: story.events(key).count("dispute brought up again") == times, "brought up")
    await story.until(lambda: len(story.mails(f"{who}@issuer.example")) == 1, f"{who} is told")


async def test_due_date_moved_later(story: Story) -> None:
    """The first level waits for the new date, and counts from it; the document stays as it was."""
    days = business_days(story)
    levels(story, days[0])
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "payment")
    assert row.next_at == berlin(days[0], 9) and row.due_date is not None
    document, length = row.document, days[0] - row.due_date
    later = days[7] - length
    move(story, key, later)
    await story.until(lambda: story.row(key).next_at == berlin(days[7], 9), "the new date")
    await story.waits(key, "payment")
    await story.skip(key, berlin(days[1], 12) - await story.now(key))
    assert not reminded(story, key)
    await next_reminder(story, key, 1)
    assert [at.date() for at in reminded(story, key)] == [days[7]]
    row = story.row(key)
    assert row.document == document and row.agreed_due_date == later != row.due_date
    mail = story.mails("ap@client.example")[-1]
    assert later.strftime("%Y") in mail.text and str(later.day) in mail.text
    story.pay(key, "1190")
    await story.ends(key)
    await story.recorded(key, "due-date-moved-later", actions=18, kilobytes=16)


async def test_due_date_moved_earlier(story: Story) -> None:
    """The first level comes earlier, counted from the new date, not before the next decent hour."""
    days = business_days(story)
    levels(story, days[5])
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "payment")
    assert row.due_date is not None
    move(story, key, row.due_date - (days[5] - days[2]))
    await story.until(lambda: story.row(key).next_at == berlin(days[2], 9), "the new date")
    await story.waits(key, "payment")
    await next_reminder(story, key, 1)
    assert [at.date() for at in reminded(story, key)] == [days[2]]


async def test_due_date_moved_earlier_than_today(story: Story) -> None:
    """Moved so far back that the level is late already, it goes out at the next decent hour, once."""
    days = business_days(story)
    levels(story, days[0], days[8])
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "payment")
    assert row.issue_date is not None
    night = berlin(days[0] - timedelta(days=1), 22)
    await story.skip(key, night - await story.now(key))
    move(story, key, row.issue_date)
    await story.until(lambda: "due date changed" in story.events(key), "the change")
    await story.waits(key, "payment")
    await next_reminder(story, key, 1)
    assert [at.date() for at in reminded(story, key)] == [days[0]] and reminded(story, key)[0].hour == 9


async def test_promise_broken(story: Story) -> None:
    """Nobody is reminded until the day after the promised one; then the level that was due goes on."""
    days = business_days(story)
    levels(story, days[0], days[9])
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    promise(story, key, days[3])
    row = await story.waits(key, f"payment promised for {days[3].isoformat()}")
    assert (row.collection_status, row.next_at) == ("promised", berlin(days[4], 9))
    await story.skip(key, berlin(days[3], 23) - await story.now(key))
    assert not reminded(story, key)
    await next_reminder(story, key, 1)
    assert [at.date() for at in reminded(story, key)] == [days[4]]
    assert story.row(key).collection_status == "reminded"
    assert story.row(key).next_at == berlin(days[9], 9)
    story.pay(key, "1190")
    await story.ends(key)
    await story.recorded(key, "promise-broken", actions=18, kilobytes=16)


async def test_promise_kept(story: Story) -> None:
    """Paid as promised, the invoice is settled and nobody was reminded."""
    days = business_days(story)
    levels(story, days[0])
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    promise(story, key, days[3])
    await story.waits(key, "payment promised")
    await story.skip(key, berlin(days[3], 10) - await story.now(key))
    story.pay(key, "1190.00")
    assert (await story.ends(key)).state == "settled: paid"
    assert len(story.mails()) == 1
    assert story.row(key).collection_status == "closed"
    await story.recorded(key, "promise-kept", actions=15, kilobytes=12)


async def test_dispute_keeps_the_level(story: Story) -> None:
    """A dispute after level 1 stops the clock; undecided, its deadline tells the account manager, then who is above."""
    days = business_days(story)
    levels(story, days[0], days[2])
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    await next_reminder(story, key, 1)
    disputed_at = await story.now(key)
    commands.dispute(
        story.effects.ledger, key, reason="two days missing", by="pia", channel=Channel.CLI, at=disputed_at
    )
    row = await story.waits(key, "disputed")
    assert row.collection_status == "disputed" and row.disputed_until is not None
    for times, who in ((1, "pia"), (2, "noor")):
        await story.until_next(key)
        await brought_up(story, key, times, who)
        row = await story.waits(key, "disputed")
        assert row.next_at is not None and row.next_at - await story.now(key) > timedelta(days=6)
    assert len(reminded(story, key)) == 1 and reminded(story, key)[0].tzinfo == BERLIN
    story.pay(key, "1190")
    assert (await story.ends(key)).state == "settled: paid"
    assert len(story.mails("ap@client.example")) == 2
    await story.recorded(key, "disputed", actions=21, kilobytes=20)
