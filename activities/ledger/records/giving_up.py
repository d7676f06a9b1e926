"""Write-offs, refunds and credit notes that one person asks for and another agrees to."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import giving_up
from activities.ledger.read_models import ReadModel
from activities.ledger.records.listing import Wanted, narrowed
from activities.ledger.tables import GivingUpRow, InvoiceRow
from billing.errors import NotFound


class GivenUpRecord(ReadModel):
    """A write-off, refund or credit note somebody asked for; of an invoice, or of a payment without one."""

    id: int
    kind: str
    invoice: str | None
    payment: int | None
    client: str | None
    amount: Decimal
    currency: str
    reason: str
    method: str
    status: str
    asked_by: str
    asked_at: datetime
    owner: str
    deadline: datetime
    decided_by: str | None
    decided_at: datetime | None
    comment: str
    done_at: datetime | None
    last_error: str | None


def list_given_up(tx: Session, wanted: Wanted) -> list[GivenUpRecord]:
    """Write-offs, refunds and credit notes that were asked for."""
    query = _items().order_by(GivingUpRow.id.desc()).limit(wanted.limit)
    if wanted.client is not None:
        query = query.where(GivingUpRow.client == wanted.client)
    if wanted.invoice is not None:
        query = query.where(GivingUpRow.invoice == wanted.invoice)
    query = narrowed(query, GivingUpRow.id, wanted, giving_up.is_open())
    return [_given_up(*row) for row in tx.execute(query)]


def read_given_up(tx: Session, key: int, *, lock: bool = False) -> GivenUpRecord:
    """What was asked for with that id; `NotFound`. `lock`: it and its invoice, in the order of every step."""
    if lock:
        giving_up.locked(tx, key)
    row = tx.execute(_items().where(GivingUpRow.id == key)).first()
    if row is None:
        raise NotFound(f"nobody has asked for a write-off, refund or credit note {key}")
    return _given_up(*row)


def _items() -> Any:
    return select(GivingUpRow, InvoiceRow.number, InvoiceRow.billing_key).outerjoin(
        InvoiceRow, InvoiceRow.id == GivingUpRow.invoice
    )


def _given_up(found: GivingUpRow, number: str | None, billing_key: str | None) -> GivenUpRecord:
    return GivenUpRecord(
        id=found.id,
        kind=found.kind,
        invoice=number or billing_key,
        payment=found.unmatched,
        client=found.client,
        amount=giving_up.money(found).amount,
        currency=found.currency,
        reason=found.reason,
        method=found.method,
        status=found.status,
        asked_by=found.asked_by,
        asked_at=found.asked_at,
        owner=found.owner,
        deadline=found.deadline,
        decided_by=found.decided_by,
        decided_at=found.decided_at,
        comment=found.comment,
        done_at=found.done_at,
        last_error=found.last_error,
    )
