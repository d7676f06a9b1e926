"""Several invoices of one client are late at the same time."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from activities.invoicing import speaking
from tests.company import client, retainer
from tests.stories.story import Story
from tests.stories.test_outages import business_days, levels

AGREEMENTS = {"acme-care": "1000.00", "acme-cloud": "200.00", "acme-desk": "30.00"}


async def three_invoices(story: Story, *, consolidate: bool) -> list[str]:
    """Three invoices of one client that wait for the same first reminder."""
    days = business_days(story)
    levels(story, days[0], days[8])
    story.company.dunning[0]["consolidate"] = consolidate
    story.company.agreements = [
        retainer(key, "acme", amount, title=f"Service {key}") for key, amount in AGREEMENTS.items()
    ]
    story.company.clients = [client("acme", "C-1")]
    story.begin()
    keys = [story.trigger(each) for each in AGREEMENTS]
    for key in keys:
        await story.waits(key, "payment")
    return keys


def numbers(story: Story, keys: list[str]) -> list[str]:
    return [story.row(key).number or "" for key in keys]


def reminders(story: Story) -> list[Any]:
    """The mails to the client after the three invoices."""
    return story.mails("ap@client.example")[3:]


def reminded(story: Story, key: str) -> int:
    return story.events(key).count("reminder-1")


async def test_one_message_for_three(story: Story) -> None:
    """Three late invoices share one reminder that names them all; each has its act, and the others send nothing."""
    keys = await three_invoices(story, consolidate=True)
    await story.until_next(keys[0])
    await story.until(lambda: all(reminded(story, key) for key in keys), "an act on each")
    for key in keys:
        await story.waits(key, "payment")
        assert story.row(key).then == "reminder-2"
    (mail,) = reminders(story)
    assert all(number in mail.text for number in numbers(story, keys))
    invoice, statement = mail.attachments
    assert invoice.name == f"{numbers(story, keys)[0]}.pdf"
    assert statement.name.startswith("Statement of account 20")
    text = " ".join(each.extract_text() for each in PdfReader(BytesIO(statement.read())).pages)
    assert all(number in text for number in numbers(story, keys)) and "1,463.70" in text
    for key in keys[1:]:  # their own clocks reach the same instant later
        await story.skip(key, await story.now(keys[0]) - await story.now(key))
        await story.waits(key, "payment")
    assert len(reminders(story)) == 1
    assert [reminded(story, key) for key in keys] == [1, 1, 1]
    for key, amount in zip(keys, ("1190", "238", "35.70"), strict=True):
        story.pay(key, amount)
        await story.ends(key)
    await story.recorded(keys[0], "reminded-together", actions=11, kilobytes=12)
    await story.recorded(keys[1], "reminded-by-another", actions=12, kilobytes=12)


async def test_all_three_at_the_same_instant(story: Story) -> None:
    """When all three wake at once, one claim takes them together: still one message, and no circle of locks."""
    keys = await three_invoices(story, consolidate=True)
    await story.stop_workers()
    last = max(row.next_at for row in map(story.row, keys) if row.next_at)
    story.not_before(last)
    for key in keys:
        await story.handle(key).signal("wake")
    await story.start_workers()
    await story.until(lambda: all(reminded(story, key) for key in keys), "an act on each")
    for key in keys:
        await story.waits(key, "payment")
    assert len(reminders(story)) == 1
    assert [reminded(story, key) for key in keys] == [1, 1, 1]


@pytest.mark.parametrize("moment", ["before", "while it is prepared"])
async def test_paid_meanwhile_is_left_out(story: Story, moment: str) -> None:
    """Of the three, one paid before the last look is not named in the message and has no act."""
    keys = await three_invoices(story, consolidate=True)
    if moment == "before":
        story.pay(keys[1], "238.00")
    else:
        write_down = speaking._write_down

        def then_paid(*given: Any) -> Any:
            prepared = write_down(*given)
            story.pay(keys[1], "238.00")
            return prepared

        story.patches.setattr(speaking, "_write_down", then_paid)
    await story.until_next(keys[0])
    await story.until(lambda: reminded(story, keys[0]) and reminded(story, keys[2]), "an act on both")
    assert (await story.ends(keys[1])).state == "settled: paid"
    (mail,) = reminders(story)
    one, paid, other = numbers(story, keys)
    assert one in mail.text and other in mail.text and paid not in mail.text
    assert reminded(story, keys[1]) == 0


@pytest.mark.parametrize("stop", ["hold", "dispute"])
async def test_stopped_ones_are_left_out(story: Story, stop: str) -> None:
    """An invoice whose clock is stopped is not named in the reminder of the others."""
    keys = await three_invoices(story, consolidate=True)
    row = story.row(keys[2])
    with story.effects.ledger.transaction() as tx:
        row = tx.merge(row)
        if stop == "hold":
            row.held_until = row.next_at and row.next_at.replace(year=row.next_at.year + 1)
        else:
            row.disputed, row.disputed_until = "wrong month", row.next_at
    await story.until_next(keys[0])
    await story.until(lambda: reminded(story, keys[0]) and reminded(story, keys[1]), "an act on both")
    (mail,) = reminders(story)
    assert numbers(story, keys)[2] not in mail.text and reminded(story, keys[2]) == 0


async def test_three_messages_without_the_flag(story: Story) -> None:
    """Where policy does not consolidate, each invoice has its own reminder."""
    keys = await three_invoices(story, consolidate=False)
    for key in keys:
        await story.until_next(key)
        await story.until(lambda key=key: reminded(story, key), "its reminder")  # type: ignore[misc]
    mails = reminders(story)
    assert len(mails) == 3
    for mail, number in zip(mails, numbers(story, keys), strict=True):
        assert [each in mail.text for each in numbers(story, keys)].count(True) == 1 and number in mail.text
