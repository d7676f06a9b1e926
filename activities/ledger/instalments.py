"""Instalments of an issued invoice: fixed in its audit trail, or agreed since as a plan; and which is open now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger.tables import AuditEventRow, InvoiceRow, PaymentPlanRow
from billing.instalments import Part, asked, current
from billing.instalments import settled as settled_parts
from billing.money import total
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


def plan(tx: Session, row: InvoiceRow) -> PaymentPlanRow | None:
    """The payment plan that holds now."""
    running = select(PaymentPlanRow).where(
        PaymentPlanRow.invoice == row.id, PaymentPlanRow.ended_at.is_(None)
    )
    return tx.scalars(running).first()


def end_plan(tx: Session, row: InvoiceRow, because: str, at: datetime) -> PaymentPlanRow | None:
    """Ends the payment plan, if one holds; what is due then, the caller agrees on."""
    running = plan(tx, row)
    if running is not None:
        running.ended_at, running.ended_because = at, because
    return running


def standing(tx: Session, row: InvoiceRow) -> tuple[Part, ...]:
    """The instalments that hold: of a payment plan, else those of issue.

    None once another due date was agreed, for then all that is open is due.
    """
    return standing_beside(tx, row, plan(tx, row))


def standing_beside(tx: Session, row: InvoiceRow, running: PaymentPlanRow | None) -> tuple[Part, ...]:
    """The same where the payment plan that holds was read already."""
    if running is not None:
        return tuple(Part.model_validate(each) for each in running.parts)
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
    part = current(parts, _covered(parts, row))
    row.agreed_due_date = part.due_date if part.due_date != row.due_date else None
    if part.late_from == row.late_from:
        return
    row.late_from, row.rested_days = part.late_from, 0
    if row.collection_status in _OPEN:
        late = part.late_from <= at
        row.collection_status = CollectionStatus.DUE if late else CollectionStatus.NOT_DUE


def asked_amount(tx: Session, row: InvoiceRow, today: date) -> Decimal:
    """What a message may ask for: all that is open and not disputed, or, in instalments, what of it is due by then."""
    open_amount = row.open_amount
    if open_amount <= 0:
        return open_amount
    parts = standing(tx, row)
    due = min(asked(parts, _covered(parts, row), today), open_amount) if parts else open_amount
    if row.disputed is None or row.disputed_amount is None:
        return due
    return min(due, max(open_amount - row.disputed_amount, Decimal(0)))


def settled(parts: Sequence[Part], row: InvoiceRow) -> tuple[bool, ...]:
    """Of each instalment that holds, whether nothing of it is open."""
    return settled_parts(parts, _covered(parts, row))


def _covered(parts: Sequence[Part], row: InvoiceRow) -> Decimal:
    """What of the instalments is settled, be it paid, credited or written off."""
    return total(part.amount for part in parts) - row.open_amount
