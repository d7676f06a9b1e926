"""One billing key, one living invoice."""

import asyncio

from activities.ledger import triggers
from tests.stories.story import Story, now


async def test_same_trigger_five_times_at_once(story: Story) -> None:
    """Five triggers of one key at the same instant make one invoice, one number and one mail."""
    story.begin()

    def trigger() -> tuple[str, bool]:
        with story.effects.ledger.transaction() as tx:
            asked = triggers.by_agreement(tx, "acme-care", None, by="pia", channel="api", at=now())
            return asked.invoice.billing_key, asked.new

    answers = await asyncio.gather(*(asyncio.to_thread(trigger) for _ in range(5)))
    assert len({key for key, _ in answers}) == 1
    assert [new for _, new in answers].count(True) == 1
    key = answers[0][0]
    await story.waits(key, "payment")
    assert len(story.mails()) == 1
    assert story.row(key).number.endswith("-00001")  # type: ignore[union-attr]
