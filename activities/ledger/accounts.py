"""What moved a client's account: the issued documents of the ledger, and the money that came for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger.payments import EARLY_PAYMENT
from activities.ledger.tables import InvoiceRow, PaymentRow
from billing.document_kind import DocumentKind
from billing.money import Money, rounded, total
from billing.statement_of_account import AccountInvoice, EntryKind, Movement
from billing.status import ISSUED, DocumentStatus, PaymentStatus


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
    payments: dict[int, list[PaymentRow]] = {}
    of_these = select(PaymentRow).where(PaymentRow.invoice.in_([row.id for row in rows]))
    for each in tx.scalars(of_these.order_by(PaymentRow.received_on, PaymentRow.id)):
        payments.setdefault(each.invoice, []).append(each)
    return [_account_invoice(row, payments.get(row.id, ()), zone) for row in rows]


def movements(tx: Session, row: InvoiceRow, zone: ZoneInfo) -> tuple[Movement, ...]:
    """What moved one invoice, oldest first."""
    query = select(PaymentRow).where(PaymentRow.invoice == row.id)
    paid = tx.scalars(query.order_by(PaymentRow.received_on, PaymentRow.id))
    return _movements(row, paid, zone)


def issuers_of(tx: Session, client: str) -> set[str]:
    """Who has issued anything to the client."""
    query = select(InvoiceRow.issuer).where(InvoiceRow.client == client, InvoiceRow.number.is_not(None))
    return {each for each in tx.scalars(query.distinct()) if each}


def _account_invoice(row: InvoiceRow, paid: Iterable[PaymentRow], zone: ZoneInfo) -> AccountInvoice:
    sign = -1 if (row.draft or {}).get("kind") == DocumentKind.CREDIT_NOTE else 1
    amount = Money.of(rounded(sign * (row.gross or Decimal(0)), row.currency or ""), row.currency or "")
    return AccountInvoice(
        number=row.number or "",
        title=row.title,
        issue_date=_day(row),
        due_date=row.agreed_due_date or row.due_date or _day(row),
        amount=amount,
        movements=_movements(row, paid, zone),
    )


def _movements(row: InvoiceRow, paid: Iterable[PaymentRow], zone: ZoneInfo) -> tuple[Movement, ...]:
    found = [_movement(each, zone) for each in paid]
    gone = {
        row.document_status == DocumentStatus.CREDITED: EntryKind.CREDIT,
        row.payment_status == PaymentStatus.WRITTEN_OFF: EntryKind.WRITE_OFF,
    }.get(True)
    left = rounded((row.gross or Decimal(0)) - total(each.amount for each in found), row.currency or "")
    if gone is not None and left:
        on = row.closed_at.astimezone(zone).date() if row.closed_at else _day(row)
        found.append(Movement(on=on, amount=left, kind=gone))
    return tuple(found)


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
