"""What moved a client's account: the issued documents of the ledger, and the money that came for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from activities.ledger.payments import EARLY_PAYMENT
from activities.ledger.tables import AuditEventRow, CreditNoteRow, InvoiceRow, PaymentRow
from billing.document_kind import DocumentKind
from billing.money import Money, rounded
from billing.statement_of_account import AccountInvoice, EntryKind, Movement
from billing.status import ISSUED

_WRITTEN_OFF, _TAKEN_BACK = "written off", "write-off taken back"


def invoices_of(tx: Session, client: str, issuer: str, zone: ZoneInfo) -> list[AccountInvoice]:
    """Everything the issuer has issued to the client, with what moved it; days are told in the client's zone."""
    query = (
        select(InvoiceRow)
        .where(
            InvoiceRow.client == client,
            InvoiceRow.issuer == issuer,
            InvoiceRow.number.is_not(None),
            InvoiceRow.document_status.in_(ISSUED),
        )
        .order_by(InvoiceRow.id)
    )
    rows = list(tx.scalars(query))
    moved = _moved(tx, rows, zone)
    return [_account_invoice(row, tuple(moved.get(row.id, ()))) for row in rows]


def moved_since(tx: Session, client: str, since: date, zone: ZoneInfo) -> list[AccountInvoice]:
    """What any issuer has issued to the client and was not settled before a day: all its account from then on needs."""
    query = (
        select(InvoiceRow)
        .where(
            InvoiceRow.client == client,
            InvoiceRow.number.is_not(None),
            InvoiceRow.document_status.in_(ISSUED),
            or_(
                InvoiceRow.closed_at.is_(None),
                InvoiceRow.closed_at >= datetime.combine(since, time(), zone),
                InvoiceRow.issue_date >= since,
            ),
        )
        .order_by(InvoiceRow.id)
    )
    rows = list(tx.scalars(query))
    moved = _moved(tx, rows, zone)
    return [_account_invoice(row, tuple(moved.get(row.id, ()))) for row in rows]


def movements(tx: Session, row: InvoiceRow, zone: ZoneInfo) -> tuple[Movement, ...]:
    """What moved one invoice, oldest first."""
    return tuple(_moved(tx, [row], zone).get(row.id, ()))


def issuers_of(tx: Session, client: str) -> set[str]:
    """Who has issued anything to the client."""
    query = select(InvoiceRow.issuer).where(InvoiceRow.client == client, InvoiceRow.number.is_not(None))
    return {each for each in tx.scalars(query.distinct()) if each}


def _account_invoice(row: InvoiceRow, moved: tuple[Movement, ...]) -> AccountInvoice:
    sign = -1 if (row.draft or {}).get("kind") == DocumentKind.CREDIT_NOTE else 1
    amount = Money.of(rounded(sign * (row.gross or Decimal(0)), row.currency or ""), row.currency or "")
    return AccountInvoice(
        number=row.number or "",
        title=row.title,
        issue_date=_day(row),
        due_date=row.agreed_due_date or row.due_date or _day(row),
        amount=amount,
        movements=moved,
    )


def _moved(tx: Session, rows: Sequence[InvoiceRow], zone: ZoneInfo) -> dict[int, list[Movement]]:
    """Payments, credit notes and what was written off, by invoice, each oldest first."""
    ids, found = [row.id for row in rows], defaultdict[int, list[Movement]](list)
    paid = select(PaymentRow).where(PaymentRow.invoice.in_(ids))
    for each in tx.scalars(paid.order_by(PaymentRow.received_on, PaymentRow.id)):
        found[each.invoice].append(_movement(each, zone))
    credited = select(CreditNoteRow).where(CreditNoteRow.invoice.in_(ids)).order_by(CreditNoteRow.id)
    for note in tx.scalars(credited):
        found[note.invoice].append(
            Movement(
                on=note.issue_date,
                amount=rounded(note.gross, note.currency),
                kind=EntryKind.CREDIT,
                reference=note.number,
            )
        )
    for event in tx.scalars(_written_off(ids)):
        amount = Decimal(str(event.facts["amount"]))
        signed = amount if event.event == _WRITTEN_OFF else -amount
        on = event.at.astimezone(zone).date()
        found[event.invoice].append(Movement(on=on, amount=signed, kind=EntryKind.WRITE_OFF))
    for moves in found.values():
        moves.sort(key=lambda move: move.on)
    return found


def _written_off(invoices: Sequence[int]) -> Select[AuditEventRow]:
    """What was given up, and what of it was taken back."""
    return (
        select(AuditEventRow)
        .where(AuditEventRow.invoice.in_(invoices), AuditEventRow.event.in_((_WRITTEN_OFF, _TAKEN_BACK)))
        .order_by(AuditEventRow.invoice, AuditEventRow.position)
    )


def _movement(paid: PaymentRow, zone: ZoneInfo) -> Movement:
    """A payment as a movement: never later than the day it was booked, for then it was here."""
    if paid.source == EARLY_PAYMENT:
        kind = EntryKind.DISCOUNT
    else:
        kind = EntryKind.PAYMENT if paid.amount > 0 else EntryKind.REPAYMENT
    return Movement(
        on=min(paid.received_on, paid.recorded_at.astimezone(zone).date()),
        amount=rounded(paid.amount, paid.currency),
        kind=kind,
        reference=paid.reference,
    )


def _day(row: InvoiceRow) -> date:
    found = row.issue_date or row.due_date
    if found is None:
        raise ValueError(f"{row.number} is issued without a date")
    return found
