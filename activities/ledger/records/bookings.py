"""Money booked for invoices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from activities.ledger import client_credit, invoices
from activities.ledger import payments as ledger_payments
from activities.ledger.records.listing import Record, Wanted, about, about_invoices, one
from activities.ledger.tables import PaymentRow
from billing.money import rounded

_UNDONE = f"{ledger_payments.UNDONE}/{{}}/in"
"""The key of the booking that takes another from its invoice again."""


class BookingView(Record):
    """Money booked for an invoice; below zero, taken back. `payment` is the one without invoice it was part of.

    `undone`: it was booked wrongly, and another booking has taken it from the invoice again.
    """

    amount: Decimal
    received_on: date
    source: str
    reference: str
    fee: Decimal | None
    payment: int | None
    recorded_at: datetime
    recorded_by: str
    undone: bool


def list_bookings(tx: Session, wanted: Wanted) -> list[BookingView]:
    """Money booked for invoices."""
    rows = tx.execute(about_invoices(PaymentRow, wanted, None)).all()
    gone = _undone(tx, [row[0].id for row in rows])
    return [_booking(row, undone=row[0].id in gone) for row in rows]


def read_booking(tx: Session, key: int, *, lock: bool = False) -> BookingView:
    """The booking of that id; `NotFound`. `lock`: the invoices that undoing it would change, in their order."""
    row = one(tx, PaymentRow, key, "booking")
    if lock:
        for each in client_credit.touched_by(tx, row[0]):
            invoices.locked(tx, each)
    return _booking(row, undone=key in _undone(tx, [key]))


def _undone(tx: Session, bookings: Sequence[int]) -> set[int]:
    keys = {_UNDONE.format(each): each for each in bookings}
    return {keys[found] for found in tx.scalars(select(PaymentRow.key).where(PaymentRow.key.in_(keys)))}


def _booking(row: Row[Any], *, undone: bool) -> BookingView:
    found: PaymentRow = row[0]
    return BookingView(
        **about(row) | {"currency": found.currency},
        amount=rounded(found.amount, found.currency),
        received_on=found.received_on,
        source=found.source,
        reference=found.reference,
        fee=None if found.fee is None else rounded(found.fee, found.currency),
        payment=found.received_as,
        recorded_at=found.recorded_at,
        recorded_by=found.recorded_by,
        undone=undone,
    )
