"""What must hold of money, as questions to the ledger and to the test's own books."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, client_credit, company_records, giving_up, inbox
from activities.ledger.tables import (
    AuditEventRow,
    ExceptionRow,
    GivingUpRow,
    InvoiceRow,
    MessageRow,
    PaymentRow,
    UnmatchedPaymentRow,
)
from tests.invariants.world import Mail

if TYPE_CHECKING:
    from tests.invariants.money_machine import Books

MOVES = {
    "payment received",
    "payment taken back",
    "refunded",
    "refund came back",
    "credit used",
    "credit received",
    "credit given back",
    "allocation undone",
}
"""The audit events that say what was paid, more or less."""


def check(tx: Session, books: Books, at: datetime) -> None:
    """All of them; leaves no trace."""
    rows = tx.scalars(select(InvoiceRow).where(InvoiceRow.number.is_not(None)).order_by(InvoiceRow.id)).all()
    paid = _payments(tx)
    told = _told(tx)
    for row in rows:
        if row.number in books.invoices:
            balances(row, books, paid[row.id], told[row.id])
    no_cent_lost(tx, rows, books)
    credit_is_what_was_paid_too_much(tx, books)
    too_much_is_seen(tx, rows)
    no_more_goes_back_than_is_too_much(tx)
    giving_up_waits_for_somebody(tx, at)
    assert all(audit_trail.verify(tx, row.id) == [] for row in rows[-1:])


def balances(row: InvoiceRow, books: Books, paid: Decimal, told: Decimal) -> None:
    """Balance = issued - credited - paid + refunded, at every step; the status follows from it."""
    book = books.invoices[row.number or ""]
    balance = (row.gross or Decimal(0)) - row.credited - row.paid
    said = f"{row.number}: {book}"
    assert balance == book.balance, f"{said}; the ledger says {balance}"
    assert row.written_off == book.written_off, f"{said}; the ledger says {row.written_off}"
    assert row.open_amount == book.open, f"{said}; the ledger says {row.open_amount}"
    assert row.credited == book.credited, said
    assert row.paid == paid, f"{row.number}: {row.paid} is not the sum of its payments, {paid}"
    assert row.paid == told, f"{row.number}: {row.paid} is not what its audit trail tells, {told}"
    expected = (
        "overpaid"
        if book.open < 0
        else "written off"
        if book.open == 0 and book.written_off
        else "unpaid"
        if row.paid <= 0
        else "paid"
        if book.open == 0
        else "partly paid"
    )
    assert row.payment_status == expected, f"{said}: {row.payment_status}"
    assert (row.document_status == "credited") == (book.credited == book.gross), said
    if book.open > 0:
        assert row.collection_status != "closed", f"{said} is owed, and closed"


def no_cent_lost(tx: Session, rows: list[InvoiceRow] | object, books: Books) -> None:
    """What came less what went out stands on invoices, or on payments without one; nowhere else."""
    on_invoices = sum((row.paid for row in tx.scalars(select(InvoiceRow))), Decimal(0))
    elsewhere = Decimal(0)
    for payment in tx.scalars(select(UnmatchedPaymentRow)):
        book = books.kept[payment.id]
        assert payment.allocated == book.allocated, f"payment {payment.id}: {payment.allocated}, {book}"
        assert payment.allocated >= 0 and book.left >= 0, f"payment {payment.id}: {book}"
        elsewhere += book.left
    assert on_invoices + elsewhere == books.cash, f"{on_invoices} + {elsewhere} is not {books.cash}"


def credit_is_what_was_paid_too_much(tx: Session, books: Books) -> None:
    """What clients have to their credit is what was paid too much and what was kept, never more than came."""
    listed: dict[str, Decimal] = defaultdict(Decimal)
    for each in client_credit.of(tx):
        assert each.left.amount >= 0 and each.set_apart.amount >= 0
        listed[each.client] += each.left.amount + each.set_apart.amount
    for client in {book.client for book in books.invoices.values()}:
        known = sum(
            (max(-book.open, Decimal(0)) for book in books.invoices.values() if book.client == client),
            Decimal(0),
        ) + sum((each.left for each in books.kept.values() if each.client == client), Decimal(0))
        assert listed[client] == known, f"{client}: {listed[client]} listed, {known} in the books"


def too_much_is_seen(tx: Session, rows: object) -> None:
    """What is paid too much waits for a person, was kept as credit, or is set apart for a refund."""
    for row in tx.scalars(select(InvoiceRow).where(InvoiceRow.payment_status == "overpaid")):
        left = -row.open_amount - giving_up.set_apart(tx, invoice=row.id)
        asked = tx.scalars(select(ExceptionRow).where(ExceptionRow.subject == f"overpaid/{row.number}")).all()
        still = [each for each in asked if each.resolved_at is None]
        if left > 0:
            assert still, f"{row.number} is paid {left} too much, and nobody is asked"
            assert still[0].at_stake == left, (row.number, still[0].at_stake, left)
        else:
            assert not still, f"{row.number}: somebody is asked about nothing"


def no_more_goes_back_than_is_too_much(tx: Session) -> None:
    """What is set apart for refunds of an invoice was paid too much: else a person would pay out what is owed to us."""
    asked = select(GivingUpRow.invoice).where(GivingUpRow.kind == "refund", giving_up.is_open())
    for row in tx.scalars(select(InvoiceRow).where(InvoiceRow.id.in_(asked))):
        apart = giving_up.set_apart(tx, invoice=row.id)
        assert apart <= -row.open_amount, f"{row.number}: {apart} are to go back, open are {row.open_amount}"


def giving_up_waits_for_somebody(tx: Session, at: datetime) -> None:
    """What was asked for and is not done is with somebody, who finds it in the inbox, and is not who asked."""
    company = company_records.current(tx).company
    shown = {each.id: each.who for each in inbox.inbox(tx, None, at) if each.kind == "giving-up"}
    for each in tx.scalars(select(GivingUpRow)):
        if each.status in giving_up.OPEN:
            assert shown[each.id], f"{each.kind} {each.id} waits for nobody"
            assert each.owner in company.people_by_id
            assert each.status != "asked" or each.asked_by not in shown[each.id]
        else:
            assert each.id not in shown
        if each.status == "done" and each.amount > 5:
            assert each.decided_by != each.asked_by, f"{each.kind} {each.id} was agreed to by who asked"


def event_of(tx: Session, mail: Mail) -> str:
    """What a mail is about."""
    found = tx.scalars(select(MessageRow.event).where(MessageRow.message_id == mail.message_id)).first()
    assert found is not None, f"{mail.message_id} was not written down"
    return found


def _payments(tx: Session) -> dict[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(Decimal)
    for invoice, amount in tx.execute(select(PaymentRow.invoice, PaymentRow.amount)):
        found[invoice] += amount
    return found


def _told(tx: Session) -> dict[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(Decimal)
    for event in tx.scalars(select(AuditEventRow).where(AuditEventRow.event.in_(MOVES))):
        found[event.invoice] += Decimal(event.facts["amount"])
    return found
