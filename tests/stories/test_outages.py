"""Mail servers and workers are away for hours and days."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from activities.invoicing.calendars import calendar_of
from billing.approval_policy import Verdict
from billing.dunning_policy import DunningPolicy
from tests.company import client, retainer
from tests.stories.story import Story
from tests.stories.test_delivery import message, tried

BERLIN = ZoneInfo("Europe/Berlin")


def business_days(story: Story) -> list[date]:
    """The working days of the client after its due date."""
    company = story.company.company()
    due = datetime.now(BERLIN).date() + timedelta(days=14)
    calendar = calendar_of(company.clients[0], DunningPolicy(id="any"), due)
    days = (due + timedelta(days=distance) for distance in range(1, 60))
    return [day for day in days if calendar.is_business_day(day)]


def levels(story: Story, *days: date) -> None:
    """Has the first reminders fall on these days."""
    due = datetime.now(BERLIN).date() + timedelta(days=14)
    offsets = [{"days": (day - due).days} for day in days]
    story.company.dunning = [{"id": "standard", "levels": offsets}]


def berlin(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=BERLIN).astimezone(UTC)


def reminded(story: Story, key: str) -> list[datetime]:
    """When the reminders went out, in the client's zone."""
    return [each.at.astimezone(BERLIN) for each in story.trail(key) if each.event.startswith("reminder-")]


@pytest.mark.parametrize("back", ["on Saturday", "on Monday at noon"])
async def test_mail_server_down_over_a_weekend(story: Story, back: str) -> None:
    """Down from Friday on: one reminder, at a decent hour of the client's next business day."""
    days = business_days(story)
    friday, monday = next(
        (one, other)
        for one, other in pairwise(days)
        if one.weekday() == 4 and other - one == timedelta(days=3)
    )
    levels(story, friday)
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "payment of EUR 1,190.00")
    assert row.next_at == berlin(friday, 9)
    story.smtp.down()
    await story.until_next(key)
    await tried(story, key, "reminder-1")
    story.not_before(berlin(friday, 17))
    await story.skip(key, timedelta(minutes=5))
    await story.until(lambda: story.row(key).next_at == berlin(monday, 9), "waiting for Monday")
    assert "exception raised" not in story.events(key)
    if back == "on Saturday":
        story.smtp.up()
        await story.until_next(key)
    else:
        tries = message(story, key, "reminder-1").attempts
        await story.until_next(key)
        await tried(story, key, "reminder-1", tries + 1)
        await story.waits(key, "decision on: not-delivered")
        story.smtp.up()
        story.not_before(berlin(monday, 12))
        story.retry(key, "not-delivered")
    await story.until(lambda: "reminder-1" in story.events(key), "the reminder")
    await story.waits(key, "payment of EUR 1,190.00")
    (at,) = reminded(story, key)
    assert at.date() == monday
    assert at.hour == (9 if back == "on Saturday" else 12)
    (_, mail) = story.mails("ap@client.example")
    assert mail.message_id == message(story, key, "reminder-1").message_id
    story.pay(key, "1190")
    await story.ends(key)
    if back == "on Saturday":
        await story.recorded(key, "mail-server-down-over-a-weekend", actions=20, kilobytes=16)


async def test_outage_over_three_levels(story: Story) -> None:
    """After weeks without workers the levels come one at a time, two days apart, on business days at a decent hour."""
    days = business_days(story)
    levels(story, days[0], days[3], days[6])
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    story.not_before(berlin(days[9], 22))
    for level in (1, 2, 3):
        await story.until_next(key)
        if level == 1:
            row = await story.waits(key, "payment")
            assert row.next_at == berlin(days[10], 9), "nothing at night"
            await story.until_next(key)
        await story.until(lambda level=level: f"reminder-{level}" in story.events(key), f"level {level}")  # type: ignore[misc]
        await story.waits(key, "payment")
    sent = reminded(story, key)
    assert len(sent) == 3 and sent[0].date() == days[10]
    assert all(9 <= at.hour < 17 and at.date() in days for at in sent)
    assert all(later - earlier >= timedelta(days=2) for earlier, later in pairwise(sent))
    subjects = [mail.subject for mail in story.mails("ap@client.example")]
    assert len(subjects) == len(set(subjects)) == 4
    story.pay(key, "1190")
    await story.ends(key)
    await story.recorded(key, "outage-over-three-levels", actions=20, kilobytes=24)


async def test_workers_down_while_people_decide_and_pay(story: Story) -> None:
    """Approvals and payments are answered at once without any worker; when they are back everything follows, once."""
    story.company.clients = [client("acme", "C-1")]
    story.company.agreements = [
        retainer("acme-large", "acme", "10000.00"),
        retainer("acme-care", "acme", "1000.00"),
    ]
    story.begin()
    large, small = story.trigger("acme-large", by="noor"), story.trigger("acme-care")
    await story.waits(large, "approval")
    await story.waits(small, "payment")
    await story.stop_workers()
    story.decide(large, Verdict.APPROVE, "otto")
    assert story.pay(small, "1190.00") is True
    assert story.pay(small, "1190.00") is False, "a second click is the same payment"
    assert story.row(small).payment_status == "paid"
    third = story.trigger("acme-large", by="noor")
    assert third == large
    await asyncio.sleep(0.2)
    assert story.row(large).number is None and "settled" not in story.events(small)
    await story.start_workers()
    assert (await story.ends(small)).state == "settled: paid"
    await story.waits(large, "payment of EUR 11,900.00")
    for key in (large, small):
        events = story.events(key)
        assert [events.count(each) for each in ("issued", "rendered", "sent")] == [1, 1, 1]
    assert len(story.mails("ap@client.example")) == 2
    story.pay(large, "11900.00")
    await story.ends(large)
    await story.recorded(large, "workers-down-meanwhile", actions=15, kilobytes=16)
