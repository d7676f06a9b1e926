"""A bank statement pays an invoice, and the next takes the money back: it is owed again at the level where it stood."""

from __future__ import annotations

import io
from datetime import datetime

from activities.bank.importing import import_file
from tests.activities.bank.statements import Entry, Tx, file, paid
from tests.stories.story import Story


def take(story: Story, entry: Entry, at: datetime, name: str, opening: str) -> None:
    data = file([entry], id=name, day=entry.day, opening=opening)
    made = import_file(
        story.effects.ledger, io.BytesIO(data), file_name=f"{name}.xml", by="pia", channel="cli", at=at
    )
    assert [each.problems for each in made] == [()]


async def test_paid_and_returned(story: Story) -> None:
    """Reminded once, paid by statement, returned by the bank: the second reminder follows, never the first again."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    await story.until_next(key)
    await story.until(lambda: "reminder-1" in story.events(key), "the first reminder")
    await story.waits(key, "payment of EUR 1,190.00")
    number, at = story.row(key).number, await story.now(key)
    day = at.date().isoformat()
    take(
        story, paid("1190.00", f"Rechnung {number}", bank="B1", day=day, end_to_end_id="E1"), at, "1", "0.00"
    )
    assert (await story.ends(key)).state == "settled: paid"
    back = Entry("-1190.00", day, (Tx(end_to_end_id="E1", returned="AC04"),), reference="B2", reversal=True)
    take(story, back, at, "2", "1190.00")
    await story.waits(key, "payment of EUR 1,190.00")
    await story.until_next(key)
    await story.until(lambda: "reminder-2" in story.events(key), "the second reminder")
    assert [each for each in story.events(key) if each.startswith("reminder")].count("reminder-1") == 1
    assert story.row(key).payment_status == "unpaid"
    at = await story.now(key)
    day = at.date().isoformat()
    take(story, paid("1190.00", f"Rechnung {number}", bank="B3", day=day), at, "3", "0.00")
    assert (await story.ends(key)).state == "settled: paid"
    await story.recorded(key, "returned-by-bank", actions=12, kilobytes=16)
