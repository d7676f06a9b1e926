"""Payments in the ledger."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, invoices
from activities.ledger.tables import InvoiceRow, PaymentRow
from billing.errors import Conflicting, Refused, WrongState
from billing.money import Money, rounded
from billing.status import CollectionStatus, PaymentStatus


def record(
    tx: Session,
    row: InvoiceRow,
    amount: Money,
    *,
    key: str,
    received_on: date,
    source: str,
    by: str,
    channel: str,
    at: datetime,
    reference: str = "",
) -> bool:
    """Books money for an issued invoice and wakes it; False when the payment with that key is booked already.

    A negative amount is money taken back. `Refused` for the wrong currency, zero, or more taken back than was paid;
    `Conflicting` if the key was used for a payment of other figures or of another invoice.
    """
    if row.number is None:
        raise WrongState(
            f"{row.billing_key} is {row.document_status}: it has no number yet, so nobody can pay it"
        )
    if amount.currency != row.currency:
        raise Refused(
            f"{row.number} is in {row.currency}, the payment in {amount.currency}; convert it first"
        )
    if amount.amount == 0:
        raise Refused("a payment of nothing changes nothing")
    if _booked_already(tx, row, amount, key, received_on):
        return False
    if amount.amount < 0 and row.paid + amount.amount < 0:
        paid = _told(row.paid, amount.currency)
        raise Refused(f"only {paid} were paid; no more can be taken back")
    made = tx.execute(
        insert(PaymentRow)
        .values(
            invoice=row.id,
            key=key,
            amount=amount.amount,
            currency=amount.currency,
            received_on=received_on,
            source=source,
            reference=reference,
            recorded_at=at,
            recorded_by=by,
        )
        .on_conflict_do_nothing()
        .returning(PaymentRow.id)
    ).scalar()
    if made is None:  # booked in this very moment for another invoice, whose lock we do not hold
        _booked_already(tx, row, amount, key, received_on)
        return False
    row.paid = tx.scalar(
        select(func.coalesce(func.sum(PaymentRow.amount), 0)).where(PaymentRow.invoice == row.id)
    ) or Decimal(0)
    row.payment_status = payment_status(row)
    if open_amount(row) > 0 and row.collection_status == CollectionStatus.CLOSED:
        row.closed_at = row.handed_over_at
        row.collection_status = _reopened(row, at)
    audit_trail.record(
        tx,
        row,
        "payment received" if amount.amount > 0 else "payment taken back",
        at=at,
        actor=by,
        channel=channel,
        amount=amount.amount,
        currency=amount.currency,
        received_on=received_on,
        source=source,
        reference=reference,
        open=open_amount(row),
    )
    invoices.wake(tx, row, at)
    return True


def _booked_already(tx: Session, row: InvoiceRow, amount: Money, key: str, received_on: date) -> bool:
    """Whether the payment with that key is booked. `Conflicting` if it is, but was another one."""
    earlier = tx.scalars(select(PaymentRow).where(PaymentRow.key == key)).first()
    if earlier is None:
        return False
    if (earlier.invoice, earlier.amount, earlier.received_on) != (row.id, amount.amount, received_on):
        raise Conflicting(
            f"payment {key!r} is booked already with other figures: {_told(earlier.amount, earlier.currency)} "
            f"on {earlier.received_on}; use another key for another payment"
        )
    return True


def _told(amount: Decimal, currency: str) -> str:
    return f"{rounded(amount, currency):,} {currency}"


def _reopened(row: InvoiceRow, at: datetime) -> CollectionStatus:
    """Where collection goes on once a settled invoice is owed again."""
    if row.handed_over_at:
        return CollectionStatus.HANDED_OVER
    if row.disputed:
        return CollectionStatus.DISPUTED
    late = row.late_from is not None and row.late_from <= at
    return CollectionStatus.DUE if late else CollectionStatus.NOT_DUE


def open_amount(row: InvoiceRow) -> Decimal:
    """What is still owed; negative when too much was paid."""
    return (row.gross or Decimal(0)) - row.paid


def payment_status(row: InvoiceRow) -> PaymentStatus:
    owed = open_amount(row)
    if row.paid == 0 and owed > 0:
        return PaymentStatus.UNPAID
    if owed > 0:
        return PaymentStatus.PARTLY_PAID
    return PaymentStatus.PAID if owed == 0 else PaymentStatus.OVERPAID
