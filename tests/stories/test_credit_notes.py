"""What was issued wrongly is taken back: as a whole, by line, after it was paid, and billed anew."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from activities.ledger import credit_commands, credit_notes, invoices
from activities.ledger.tables import CreditNoteRow
from billing.approval_policy import Channel
from billing.credit_note import WHOLE, Selection
from tests.stories.story import Story, now


def credit(story: Story, key: str, selection: Selection = WHOLE, **changes: Any) -> CreditNoteRow:
    """Credits an invoice in the web."""
    given = {"reason": "Billed by mistake", "key": "click-1", "by": "pia", "channel": Channel.WEB, **changes}
    asked = credit_commands.credit(story.effects.ledger, key, selection=selection, at=now(), **given)
    assert asked.note is not None, "another person must agree first"
    return asked.note


def credits_alone(story: Story) -> None:
    """A company in which one person may credit up to 5,000 euro."""
    story.company.company_file["payments"] = {"credit_notes": {"alone_up_to": {"EUR": "5000"}}}
    story.begin()


async def test_credited_as_a_whole(story: Story) -> None:
    """A credit note of its own is numbered, made, mailed with its PDF; nothing is owed and nobody is reminded."""
    credits_alone(story)
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    note = credit(story, key)
    assert note.number.startswith("BCN") and note.gross == Decimal("1190.00")
    assert (await story.ends(key)).state == "settled: credited"
    row = story.row(key)
    assert (row.document_status, row.payment_status, row.collection_status) == (
        "credited",
        "unpaid",
        "closed",
    )
    assert (row.credited, row.open_amount) == (Decimal(1190), Decimal(0))
    _, mail = story.mails("ap@client.example")
    assert note.number in mail.subject and (row.number or "") in mail.subject
    assert "€1,190.00" in mail.text
    with story.effects.ledger.transaction() as tx:
        made = credit_notes.find(tx, note.number)
        assert made.document is not None and made.delivered_at is not None
        assert credit_notes.unfinished(tx, invoices.find(tx, key)) is None
        assert story.effects.documents.get(made.document).startswith(b"%PDF")
    assert story.events(key)[-4:] == ["credited", "settled", "credit note rendered", "sent"]
    assert credit(story, key).number == note.number
    await story.recorded(key, "credited-as-a-whole", actions=13, kilobytes=16)
