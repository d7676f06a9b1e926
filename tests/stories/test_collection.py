"""The client does not pay."""

from datetime import timedelta

from activities.ledger import commands
from billing.approval_policy import Channel
from tests.stories.story import Story, now


async def test_three_reminders_to_hand_over(story: Story) -> None:
    """Three levels, the account manager, hand-over: in order, each once, on business days at a decent hour."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    for act in ("reminder-1", "reminder-2", "reminder-3", "escalation", "hand-over"):
        await story.until_next(key)
        await story.happens(key, act)
        if act != "hand-over":
            await story.waits(key, "payment")
    plan = await story.ends(key)
    assert plan.state == "handed over to collection"
    acts = [each for each in story.trail(key) if each.event.startswith(("reminder", "escalation", "hand"))]
    assert [each.event for each in acts] == [
        "reminder-1",
        "reminder-2",
        "reminder-3",
        "escalation",
        "hand-over",
    ]
    assert len(story.mails("ap@client.example")) == 4
    assert len({mail.message_id for mail in story.mails()}) == len(story.mails())
    await story.until(lambda: len(story.mails("pia@issuer.example")) == 2, "the account manager is told")
    row = story.row(key)
    assert row.collection_status == "handed over" and row.payment_status == "unpaid"
    await story.recorded(key, "three-reminders-to-hand-over", actions=17, kilobytes=24)


async def test_paid_after_hand_over(story: Story) -> None:
    """Money that comes after hand-over wakes the invoice again under its id, and settles it."""
    story.company.dunning = [{"id": "standard", "levels": [], "hand_over_after_due": {"days": 1}}]
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    await story.until_next(key)
    assert (await story.ends(key)).state == "handed over to collection"
    story.pay(key, "1190")
    await story.until(lambda: story.row(key).collection_status == "closed", "settled")
    assert story.row(key).payment_status == "paid"


async def test_hold_and_release(story: Story) -> None:
    """A held invoice is not reminded when its level comes due; released, it is."""
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "payment")
    assert row.next_at is not None
    commands.hold(
        story.effects.ledger,
        key,
        until=row.next_at + timedelta(days=30),
        reason="moving offices",
        by="pia",
        channel=Channel.CLI,
        at=now(),
    )
    await story.waits(key, "on hold")
    await story.skip(key, timedelta(days=40))
    assert "reminder-1" not in story.events(key)
    commands.release(story.effects.ledger, key, by="pia", channel=Channel.CLI, at=now())
    # Forty days on may be a weekend or a holiday: the reminder then waits for the next decent hour.
    row = await story.waits(key, "payment")
    if "reminder-1" not in story.events(key):
        await story.until_next(key)
    await story.until(lambda: "reminder-1" in story.events(key), "the reminder")
