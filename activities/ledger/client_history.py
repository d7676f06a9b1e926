"""What happened to an invoice, as far as its client took part in it or was told: for the client's own page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import notices
from activities.ledger.actors import PORTAL
from activities.ledger.payments import DIFFERENCE, EARLY_PAYMENT, REFUND
from activities.ledger.resending import ASKED, COPY
from activities.ledger.tables import (
    AuditEventRow,
    CreditNoteRow,
    DisputeRow,
    InvoiceRow,
    MessageRow,
    PaymentPlanRow,
    PaymentRow,
    PromiseRow,
)
from billing.dispute import Outcome
from billing.money import Money, rounded


class What(StrEnum):
    """What happened, in the order in which things of one instant are told."""

    ISSUED = "issued"
    SENT = "sent"
    COPIED = "copied"
    ASKED_FOR_A_COPY = "asked for a copy"
    REMINDED = "reminded"
    PROMISED = "promised"
    DUE_DATE_CHANGED = "due date changed"
    PLAN_AGREED = "plan agreed"
    DISPUTED = "disputed"
    DISPUTE_ENDED = "dispute ended"
    DISPUTE_REJECTED = "dispute rejected"
    CREDITED = "credited"
    PAID = "paid"
    DISCOUNT = "discount"
    PAID_BACK = "paid back"
    TAKEN_OFF = "taken off"


@dataclass(frozen=True)
class Happening:
    """One thing that happened; what else is known of it depends on what it is."""

    at: datetime
    what: What
    amount: Money | None = None
    day: date | None = None
    number: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def of_invoice(tx: Session, row: InvoiceRow) -> list[Happening]:
    """Oldest first; nothing of what only the company does: approvals, notes, write-offs, exceptions."""
    order = list(What)
    found = [*_document(tx, row), *_money(tx, row), *_said(tx, row)]
    return sorted(found, key=lambda each: (each.at, order.index(each.what)))


def _document(tx: Session, row: InvoiceRow) -> Iterator[Happening]:
    if row.issued_at is not None:
        yield Happening(row.issued_at, What.ISSUED, number=row.number or "")
    sent = select(MessageRow.event, MessageRow.handed_over_at).where(
        MessageRow.invoice == row.id,
        MessageRow.audience == notices.CLIENT,
        MessageRow.handed_over_at.is_not(None),
    )
    kinds = {"invoice": What.SENT, COPY: What.COPIED}
    for event, at in tx.execute(sent):
        if at is not None and (what := What.REMINDED if event.startswith("reminder-") else kinds.get(event)):
            yield Happening(at, what)
    for note in tx.scalars(select(CreditNoteRow).where(CreditNoteRow.invoice == row.id)):
        yield Happening(
            note.issued_at, What.CREDITED, _money_of(note.gross, note.currency), number=note.number
        )


def _money(tx: Session, row: InvoiceRow) -> Iterator[Happening]:
    for payment in tx.scalars(select(PaymentRow).where(PaymentRow.invoice == row.id)):
        if payment.source != DIFFERENCE:
            yield Happening(
                payment.recorded_at,
                _moved(payment),
                _money_of(abs(payment.amount), payment.currency),
                day=payment.received_on,
            )


def _moved(payment: PaymentRow) -> What:
    if payment.source == EARLY_PAYMENT and payment.amount > 0:
        return What.DISCOUNT
    if payment.amount > 0:
        return What.PAID
    return What.PAID_BACK if payment.source == REFUND else What.TAKEN_OFF


def _said(tx: Session, row: InvoiceRow) -> Iterator[Happening]:
    for promise in tx.scalars(select(PromiseRow).where(PromiseRow.invoice == row.id)):
        yield Happening(promise.made_at, What.PROMISED, day=promise.promised_for)
    for dispute in tx.scalars(select(DisputeRow).where(DisputeRow.invoice == row.id)):
        own = {"reason": dispute.reason} if dispute.channel == PORTAL else {}
        yield Happening(dispute.opened_at, What.DISPUTED, facts=own)
        if dispute.ended_at is not None:
            rejected = dispute.outcome == Outcome.REJECTED
            yield Happening(
                dispute.ended_at,
                What.DISPUTE_REJECTED if rejected else What.DISPUTE_ENDED,
                facts={"answer": dispute.answer} if rejected else {},
            )
    for plan in tx.scalars(select(PaymentPlanRow).where(PaymentPlanRow.invoice == row.id)):
        yield Happening(plan.agreed_at, What.PLAN_AGREED)
    yield from _asked(tx, row)


def _asked(tx: Session, row: InvoiceRow) -> Iterator[Happening]:
    changed = select(AuditEventRow).where(
        AuditEventRow.invoice == row.id, AuditEventRow.event.in_(("due date changed", ASKED))
    )
    for event in tx.scalars(changed):
        if event.event == ASKED:
            if event.channel == PORTAL:
                yield Happening(event.at, What.ASKED_FOR_A_COPY, facts={"to": masked(event.facts["to"])})
            continue
        yield Happening(event.at, What.DUE_DATE_CHANGED, day=date.fromisoformat(event.facts["to"][:10]))


def _money_of(amount: Decimal, currency: str) -> Money:
    return Money.of(rounded(amount, currency), currency)


def masked(address: str) -> str:
    """An e-mail address that who typed it knows again, and nobody else can use: `k•••@n•••.example`."""
    local, _, domain = address.partition("@")
    name, dot, ending = domain.rpartition(".")
    return f"{local[:1]}•••@{name[:1]}•••{dot}{ending}"
