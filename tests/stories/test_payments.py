"""Money comes in: in parts, too much, at the worst moment, and back out again."""

from __future__ import annotations

from tests.stories.story import Story


async def test_paid_in_two_parts(story: Story) -> None:
    """After a part is paid, the next reminder asks for what is still owed; the second part settles the invoice."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    await story.until_next(key)
    await story.until(lambda: "reminder-1" in story.events(key), "the first reminder")
    await story.waits(key, "payment of EUR 1,190.00")
    story.pay(key, "400.00")
    await story.waits(key, "payment of EUR 790.00")
    assert story.row(key).payment_status == "partly paid"
    await story.until_next(key)
    await story.until(lambda: "reminder-2" in story.events(key), "the second reminder")
    await story.waits(key, "payment of EUR 790.00")
    _, first, second = story.mails("ap@client.example")
    assert "€1,190.00" in first.text and "790.00" not in first.text
    assert "€790.00" in second.text
    story.pay(key, "790.00")
    assert (await story.ends(key)).state == "settled: paid"
    assert story.row(key).payment_status == "paid"
    assert len(story.mails("ap@client.example")) == 3
    await story.recorded(key, "paid-in-two-parts", actions=17, kilobytes=24)


async def test_overpaid(story: Story) -> None:
    """Too much money settles the invoice, is told as overpaid, and nobody is reminded."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    story.pay(key, "1200.00")
    assert (await story.ends(key)).state == "settled: paid"
    row = story.row(key)
    assert (row.payment_status, row.collection_status) == ("overpaid", "closed")
    assert len(story.mails()) == 1
    await story.recorded(key, "overpaid", actions=9, kilobytes=12)
