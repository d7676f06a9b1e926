"""Servers and workers are away for hours and days."""

from __future__ import annotations

from datetime import timedelta

from tests.stories.story import Story


async def test_mail_down(story: Story) -> None:
    """x"""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    story.smtp.down()
    row = story.row(key)
    print("next", row.next_at, await story.now(key))
    await story.until_next(key)
    import asyncio
    for _ in range(30):
        await asyncio.sleep(1)
        d = (await story.handle(key).describe()).raw_description
        print(await story.now(key), [ (p.activity_type.name, p.attempt, p.scheduled_time.ToDatetime(), p.next_attempt_schedule_time.ToDatetime(), p.last_started_time.ToDatetime()) for p in d.pending_activities], story.row(key).waits_for, story.row(key).next_at)
        r = await asyncio.wait_for(story.skip(key, timedelta(hours=3)), 20)
        print(r)
    assert 0
