"""Answers and copies to a client: sent as long as they are true, whatever was paid meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from activities.invoicing import copies
from activities.ledger import (
    audit_trail,
    commands,
    company_records,
    credit_notes,
    dispute_commands,
    invoices,
    settling_commands,
)
from activities.ledger.answers import DISPUTE_RECEIVED, DISPUTE_REJECTED, PAYMENT_PLAN
from activities.ledger.database import Ledger
from activities.ledger.resending import COPY, COPY_OF_CREDIT_NOTE
from activities.ledger.tables import MessageRow
from billing.approval_policy import Channel
from billing.credit_note import WHOLE
from billing.errors import NotFound, WrongState
from billing.payment_policy import Agreeing, PaymentPolicy
from tests.mail_server import MailServer
from tests.starter.web.story import COMPANY, NOW, Story
from workers.assembly import effects
from workers.settings import Settings

LENA: dict[str, Any] = {"by": "lena", "channel": Channel.CLI, "at": NOW}
CLIENT: dict[str, Any] = {**LENA, "by": "client:nordlicht", "channel": "portal"}
Act = Callable[[Story, str], object]


def dispute(story: Story, number: str) -> None:
    dispute_commands.dispute(story.ledger, number, reason="Eight hours were agreed.", **CLIENT)


def reject(story: Story, number: str) -> None:
    dispute_commands.end_dispute(story.ledger, number, answer="Order 4711 asks for ten.", **LENA)


def withdraw(story: Story, number: str) -> None:
    dispute_commands.withdraw_dispute(story.ledger, number, **CLIENT)


def plan(story: Story, number: str) -> None:
    parts = tuple((NOW.date() + timedelta(days=days), Decimal(4250)) for days in (20, 50))
    dispute_commands.agree_plan(story.ledger, number, parts=parts, reason="cash is short", **LENA)


def end_plan(story: Story, number: str) -> None:
    dispute_commands.end_plan(story.ledger, number, reason="not kept", **LENA)


def copy(story: Story, number: str) -> None:
    with story.ledger.transaction() as tx:
        invoices.find(tx, number, lock=True).document = "0" * 64
    commands.resend(story.ledger, number, to="books@nordlicht.example", **LENA)


def pay(story: Story, number: str) -> None:
    story.paid(number, "8500.00")


def credit(story: Story, number: str) -> None:
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        credit_notes.issue(tx, row, COMPANY, selection=WHOLE, reason="Wrong", key="1", **LENA)


def write_off(story: Story, number: str) -> None:
    settling_commands.write_off(story.ledger, number, reason="insolvent", **LENA)


@pytest.fixture
def story(ledger: Ledger) -> Story:
    """A company in which one person may write off alone."""
    made = Story(ledger)
    alone = PaymentPolicy(write_offs=Agreeing(approvers=("tom",), alone_up_to={"EUR": Decimal(10000)}))
    company = COMPANY.model_copy(update={"payments": alone})
    company_records.apply_company(ledger, company, "company", "lena", NOW - timedelta(days=1))
    return made


@pytest.fixture
def number(story: Story) -> str:
    """An issued invoice over 8,500 euros."""
    return story.issued("one")


def sent(settings: Settings, event: str) -> str | None:
    """Sends the message as the outbox does; why it was not, or None."""
    outside = effects(settings)
    with outside.ledger.transaction() as tx:
        (message,) = tx.scalars(select(MessageRow).where(MessageRow.event == event).with_for_update())
        copies.send(tx, message, outside)
        why = message.last_error
    outside.ledger.close()
    return why


@pytest.mark.parametrize(
    ("event", "acts", "says"),
    [
        (DISPUTE_RECEIVED, (dispute,), ["looking into it", "Eight hours were agreed."]),
        (DISPUTE_REJECTED, (dispute, reject), ["Order 4711 asks for ten.", "Please pay by", "IBAN"]),
        # the client paid before the answer went out: it is answered, and asked for nothing
        (DISPUTE_REJECTED, (dispute, reject, pay), ["Order 4711 asks for ten.", "Nothing is to be paid."]),
        (PAYMENT_PLAN, (plan,), ["4,250.00 by"]),
    ],
)
def test_sent(
    story: Story,
    settings: Settings,
    smtp: MailServer,
    number: str,
    event: str,
    acts: tuple[Act, ...],
    says: list[str],
) -> None:
    """What is still true is sent, and asks for money only if some is open."""
    for act in acts:
        act(story, number)
    assert sent(settings, event) is None
    (mail,) = smtp.messages()
    text = " ".join(mail.text.split())
    assert [each for each in says if each not in text] == []
    assert ("IBAN" in text) is (event in (DISPUTE_REJECTED, PAYMENT_PLAN) and pay not in acts)


@pytest.mark.parametrize(
    ("event", "acts", "because"),
    [
        (DISPUTE_RECEIVED, (dispute, withdraw), "the dispute ended meanwhile"),
        (DISPUTE_RECEIVED, (dispute, reject), "the dispute ended meanwhile"),
        (DISPUTE_REJECTED, (dispute, reject, credit), "credited meanwhile"),
        (PAYMENT_PLAN, (plan, pay), "paid meanwhile"),
        (PAYMENT_PLAN, (plan, end_plan), "the plan ended meanwhile"),
        (COPY, (copy, pay), "paid meanwhile"),
        (COPY, (copy, write_off), "written off meanwhile"),
        (COPY, (copy, credit), "credited meanwhile"),
    ],
)
def test_not_sent(
    story: Story,
    settings: Settings,
    smtp: MailServer,
    number: str,
    event: str,
    acts: tuple[Act, ...],
    because: str,
) -> None:
    """What is true no more is not sent, and the audit trail says why."""
    for act in acts:
        act(story, number)
    assert sent(settings, event) == f"not sent: {because}"
    assert smtp.messages() == []
    with story.ledger.transaction() as tx:
        told = audit_trail.trail(tx, invoices.find(tx, number).id)[-1]
    assert (told.event, told.facts["because"]) == ("not sent again", because)


def test_credit_note_once_more(story: Story, settings: Settings, smtp: MailServer, number: str) -> None:
    """A credit note is mailed once more under its own number, though nothing is open; a second click is none."""
    credit(story, number)
    outside = effects(settings)
    with pytest.raises(WrongState, match="is being made"):
        commands.resend(story.ledger, number, credit_note=credit_note(story, number), **LENA)
    with story.ledger.transaction() as tx:
        note = credit_notes.of_invoice(tx, invoices.find(tx, number))[0]
        note.document = outside.documents.put(b"%PDF-1.7 a credit note")
    outside.ledger.close()
    for _ in range(2):
        commands.resend(
            story.ledger, number, to="books@nordlicht.example", credit_note=credit_note(story, number), **LENA
        )
    assert sent(settings, COPY_OF_CREDIT_NOTE) is None
    (mail,) = smtp.messages()
    assert (mail.recipients, credit_note(story, number) in mail.text) == (["books@nordlicht.example"], True)
    assert "IBAN" not in mail.text
    other = story.issued("two")
    with pytest.raises(NotFound, match="is no credit note of"):
        commands.resend(story.ledger, other, credit_note=credit_note(story, number), **LENA)


def credit_note(story: Story, number: str) -> str:
    """The number of the one there is."""
    with story.ledger.transaction() as tx:
        return credit_notes.of_invoice(tx, invoices.find(tx, number))[0].number
