"""An invoice in instalments: each part is due, asked for and reminded on its own day."""

from __future__ import annotations

from tests.stories.story import Story

IN_TWO = {"instalments": [{"percent": 40, "net_days": 7}, {"percent": 60, "net_days": 60}]}


async def test_first_part_in_time_second_late(story: Story) -> None:
    """The first part, paid in time, is never reminded; the second is asked for alone, reminded once late, and paid."""
    story.company.clients[0]["terms"] = IN_TWO
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 476.00")
    row = story.row(key)
    first_due, first_late = row.due_date, row.late_from
    story.pay(key, "476.00")
    row = await story.waits(key, "payment of EUR 714.00")
    assert row.payment_status == "partly paid" and row.collection_status == "not due"
    assert row.due_date == first_due, "the document does not change"
    assert first_due and row.agreed_due_date and (row.agreed_due_date - first_due).days == 53
    assert first_late and row.late_from and row.late_from > first_late
    await story.until_next(key)
    await story.until(lambda: "reminder-1" in story.events(key), "the reminder of the second part")
    await story.waits(key, "payment of EUR 714.00")
    invoice, reminder = story.mails("ap@client.example")
    assert "€476.00 by" in invoice.text and "€714.00 by" in invoice.text
    assert "€714.00 has not reached us" in " ".join(reminder.text.split()) and "€476.00" not in reminder.text
    story.pay(key, "714.00")
    assert (await story.ends(key)).state == "settled: paid"
    assert story.row(key).payment_status == "paid"
    assert len(story.mails("ap@client.example")) == 2


async def test_first_part_late(story: Story) -> None:
    """A reminder of the first part asks for it alone; money taken back makes the first part the open one again."""
    story.company.clients[0]["terms"] = IN_TWO
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 476.00")
    await story.until_next(key)
    await story.until(lambda: "reminder-1" in story.events(key), "the reminder of the first part")
    await story.waits(key, "payment of EUR 476.00")
    assert "€476.00 has not reached us" in " ".join(story.mails("ap@client.example")[1].text.split())
    first_late = story.row(key).late_from
    story.pay(key, "500.00")
    row = await story.waits(key, "payment of EUR 690.00")
    assert first_late and row.late_from and row.late_from > first_late
    story.pay(key, "-100.00")
    row = await story.waits(key, "payment of EUR 76.00")
    assert (row.late_from, row.agreed_due_date) == (first_late, None)
    story.pay(key, "790.00")
    assert (await story.ends(key)).state == "settled: paid"
