"""Instalments of an issued invoice: fixed in its audit trail, and which of them is open now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger.tables import AuditEventRow, InvoiceRow
from billing.instalments import Part, asked, current
from billing.status import CollectionStatus

_OPEN = (CollectionStatus.NOT_DUE, CollectionStatus.DUE, CollectionStatus.REMINDED)


def told(parts: Sequence[Part]) -> dict[str, Any]:
    """The facts by which the event of issue fixes the instalments; nothing for an invoice without."""
    return {"instalments": [part.model_dump(mode="json") for part in parts]} if len(parts) > 1 else {}


def issued(tx: Session, row: InvoiceRow) -> tuple[Part, ...]:
    """The instalments as the invoice was issued with them; none for most invoices."""
    if not ((row.draft or {}).get("terms") or {}).get("instalments"):
        return ()
    facts = tx.scalars(
        select(AuditEventRow.facts).where(AuditEventRow.invoice == row.id, AuditEventRow.event == "issued")
    ).first()
    return tuple(Part.model_validate(each) for each in (facts or {}).get("instalments", ()))


def standing(tx: Session, row: InvoiceRow) -> tuple[Part, ...]:
    """The instalments that still hold: none once another due date was agreed, for then all that is open is due."""
    parts = issued(tx, row)
    changed = select(AuditEventRow.position).where(
        AuditEventRow.invoice == row.id, AuditEventRow.event == "due date changed"
    )
    return () if parts and tx.scalar(changed.limit(1)) is not None else parts


def move_on(tx: Session, row: InvoiceRow, at: datetime) -> None:
    """After money came or went: the invoice is due, and late, with the first instalment that is not covered."""
    parts = standing(tx, row)
    if not parts:
        return
    part = current(parts, row.paid)
    row.agreed_due_date = part.due_date if part.due_date != row.due_date else None
    if part.late_from == row.late_from:
        return
    row.late_from = part.late_from
    if row.collection_status in _OPEN:
        late = part.late_from <= at
        row.collection_status = CollectionStatus.DUE if late else CollectionStatus.NOT_DUE


def asked_amount(tx: Session, row: InvoiceRow, today: date) -> Decimal:
    """What a message may ask for: all that is open, or, in instalments, what is due by then."""
    open_amount = row.open_amount
    parts = standing(tx, row)
    return min(asked(parts, row.paid, today), open_amount) if parts and open_amount > 0 else open_amount
