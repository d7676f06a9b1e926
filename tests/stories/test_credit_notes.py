"""What was issued wrongly is taken back: as a whole, by line, after it was paid, and billed anew."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.archive import rendered_again
from activities.ledger import (
    accounts,
    credit_commands,
    credit_notes,
    dispute_commands,
    invoices,
    number_audit,
    settling_commands,
    triggers,
    views,
)
from activities.ledger.tables import CreditNoteRow, GivingUpRow
from billing.approval_policy import Channel
from billing.credit_note import WHOLE, CreditedLine, Selection
from billing.errors import NotAllowed, Refused
from billing.one_off import OneOff, OneOffLine
from tests.stories.story import Story, now


def credit(story: Story, invoice: str, selection: Selection = WHOLE, **changes: Any) -> CreditNoteRow:
    """Credits an invoice in the web."""
    given = {"reason": "Billed by mistake", "key": "click-1", "by": "pia", "channel": Channel.WEB, **changes}
    asked = credit_commands.credit(story.effects.ledger, invoice, selection=selection, at=now(), **given)
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


def one_off(story: Story, *prices: str, corrects: str | None = None) -> str:
    """Bills a line for each price by hand; returns the billing key."""
    asked = OneOff(
        client="acme",
        currency="EUR",
        title="Migration",
        reason="No agreement",
        corrects=corrects,
        lines=tuple(
            OneOffLine(description=f"Part {n}", quantity=Decimal(1), unit_price=Decimal(price))
            for n, price in enumerate(prices, start=1)
        ),
    )
    with story.effects.ledger.transaction() as tx:
        requested = triggers.one_off(
            tx, asked, None, by="pia", channel="cli", reason="told in a story", at=now()
        )
        return requested.invoice.billing_key


async def test_dispute_credit_corrected_invoice_paid(story: Story) -> None:
    """A disputed invoice is credited, which decides the dispute, and billed anew; both say so; the new one is paid."""
    credits_alone(story)
    wrong = one_off(story, "1000.00", "500.00")
    await story.waits(wrong, "payment of EUR 1,785.00")
    dispute_commands.dispute(
        story.effects.ledger, wrong, reason="Part 2 was never done", by="pia", channel=Channel.CLI, at=now()
    )
    await story.waits(wrong, "payment")
    note = credit(story, wrong, reason="Part 2 was not delivered")
    assert note.dispute is not None and note.whole
    assert (await story.ends(wrong)).state == "settled: credited"
    assert story.row(wrong).disputed is None
    right = one_off(story, "1000.00", corrects=story.row(wrong).number)
    await story.waits(right, "payment of EUR 1,190.00")
    with story.effects.ledger.transaction() as tx:
        old, new = (views.invoice(tx, each, now()) for each in (wrong, right))
    assert (old.corrected_by, new.corrects) == (new.number, old.number)
    assert "correction asked for" in story.events(wrong)
    story.pay(right, "1190.00")
    assert (await story.ends(right)).state == "settled: paid"
    assert "reminder-1" not in story.events(wrong) + story.events(right)
    await story.recorded(wrong, "disputed-and-credited", actions=16, kilobytes=16)
    await story.recorded(right, "corrected-invoice", actions=11, kilobytes=12)


async def test_a_line_credited(story: Story) -> None:
    """A line is credited: reminders ask for the rest, which is paid; a second line cannot be credited twice."""
    credits_alone(story)
    key = one_off(story, "1000.00", "500.00")
    await story.waits(key, "payment of EUR 1,785.00")
    line = Selection(lines=(CreditedLine(position=2),))
    note = credit(story, key, line)
    assert (note.net, note.tax, note.gross, note.whole) == (Decimal(500), Decimal(95), Decimal(595), False)
    await story.waits(key, "payment of EUR 1,190.00")
    with pytest.raises(Refused, match=r"line 2 of B\S+ has 0.00 EUR net left to credit"):
        credit(story, key, line, key="click-2")
    await story.until_next(key)
    await story.happens(key, "reminder-1")
    reminder = story.mails("ap@client.example")[-1]
    assert reminder.text.count("€1,190.00") == 2  # what is late, and what is still open
    story.pay(key, "1190.00")
    assert (await story.ends(key)).state == "settled: paid"
    row = story.row(key)
    assert (row.document_status, row.payment_status) == ("issued", "paid")
    _everything_holds(story, key, note.number)
    await story.recorded(key, "line-credited", actions=19, kilobytes=24)


def _everything_holds(story: Story, key: str, number: str) -> None:
    """Numbers, document and account of a credited invoice, as those who audit look at them."""
    with story.effects.ledger.transaction() as tx:
        numbers = number_audit.audit_numbers(tx)
        assert (numbers.problems, numbers.credit_notes) == ([], 1)
    proof = rendered_again.prove(story.effects.ledger, story.effects.documents, number)
    assert (proof.number, proof.differences, proof.same_bytes) == (number, (), True)
    invoice = rendered_again.prove(story.effects.ledger, story.effects.documents, key)
    assert (invoice.number, invoice.differences) == (story.row(key).number, ())
    with story.effects.ledger.transaction() as tx:
        moved = accounts.movements(tx, invoices.find(tx, key), ZoneInfo("Europe/Berlin"))
        assert {(str(each.kind), each.amount) for each in moved} == {
            ("credit", Decimal("595.00")),
            ("payment", Decimal("1190.00")),
        }


async def test_paid_invoice_credited_and_refunded(story: Story) -> None:
    """A paid invoice is credited after it was closed: it wakes, the credit note goes out, and the money goes back."""
    credits_alone(story)
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    story.pay(key, "1190.00")
    await story.ends(key)
    note = credit(story, key)
    await story.until(lambda: "credit note rendered" in story.events(key), "the credit note")
    assert (await story.ends(key)).state == "settled: credited"
    row = story.row(key)
    assert (row.payment_status, row.open_amount) == ("overpaid", Decimal(-1190))
    ledger = story.effects.ledger
    asked = settling_commands.refund(ledger, key, reason="Credited", by="pia", channel=Channel.CLI, at=now())
    settling_commands.agree(
        ledger, asked.id, by="noor" if "noor" in asked.waits_for else "mara", channel=Channel.CLI, at=now()
    )
    settling_commands.refund_paid(ledger, asked.id, on=now().date(), by="pia", channel=Channel.CLI, at=now())
    await story.until(lambda: "refunded" in story.events(key), "the refund")
    await story.ends(key)
    row = story.row(key)
    assert (row.document_status, row.open_amount, row.paid) == ("credited", Decimal(0), Decimal(0))
    assert row.collection_status == "closed"
    assert [each.subject for each in story.mails("ap@client.example")][1].startswith(
        f"Credit note {note.number}"
    )
    assert len(story.mails("ap@client.example")) == 2
    await story.recorded(key, "credited-after-paid", actions=11, kilobytes=16)


async def test_another_person_agrees(story: Story) -> None:
    """Above what one may credit alone nothing is issued until another person agrees; who asked cannot."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    ledger = story.effects.ledger
    given: dict[str, Any] = {
        "selection": WHOLE,
        "reason": "By mistake",
        "key": "1",
        "by": "pia",
        "channel": Channel.CLI,
    }
    asked = credit_commands.credit(ledger, key, at=now(), **given)
    again = credit_commands.credit(ledger, key, at=now(), **given)
    assert asked.note is None and asked.waits is not None and again.waits is not None
    assert (asked.waits.id, asked.new, again.new) == (again.waits.id, True, False)
    assert story.row(key).credited == 0
    with pytest.raises(NotAllowed, match="another person must agree"):
        settling_commands.agree(ledger, asked.waits.id, by="pia", channel=Channel.CLI, at=now())
    settling_commands.agree(ledger, asked.waits.id, by="noor", channel=Channel.CLI, at=now())
    assert (await story.ends(key)).state == "settled: credited"
    (event,) = (each for each in story.trail(key) if each.event == "credited")
    assert event.actor == "pia" and "credit note agreed" in story.events(key)
    assert is_done(story, asked.waits.id)


def is_done(story: Story, item: int) -> bool:
    """Whether what was asked for waits for nobody any more."""
    with story.effects.ledger.transaction() as tx:
        return tx.get_one(GivingUpRow, item).status == "done"
