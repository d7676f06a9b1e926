"""Payments whose invoice nobody knew."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import giving_up, invoices
from activities.ledger.read_models import ReadModel
from activities.ledger.records.listing import Wanted, narrowed
from activities.ledger.tables import UnmatchedPaymentRow
from billing.errors import NotFound
from billing.money import rounded


class UnmatchedPaymentView(ReadModel):
    """Money whose invoice nobody knew: what of it is allocated and left, who decides until when, and how it ended.

    What is refunded, or is to be, is not left.
    """

    id: int
    amount: Decimal
    allocated: Decimal
    left: Decimal
    currency: str
    received_on: date
    payer: str
    reference: str
    source: str
    client: str | None
    kept_as_credit: bool
    suggestions: tuple[dict[str, Any], ...]
    owner: str
    deadline: datetime
    recorded_at: datetime
    recorded_by: str
    resolution: str | None
    resolved_at: datetime | None
    resolved_by: str | None


def list_payments(tx: Session, wanted: Wanted) -> list[UnmatchedPaymentView]:
    """Payments whose invoice nobody knew; open: of which something is to be decided."""
    row = UnmatchedPaymentRow
    query = select(row).order_by(row.id.desc()).limit(wanted.limit)
    if wanted.client is not None:
        query = query.where(row.client == wanted.client)
    found = tx.scalars(narrowed(query, row.id, wanted, row.resolved_at.is_(None))).all()
    refunds = giving_up.refunds_of_payments(tx, [each.id for each in found])
    return [_payment(each, refunds.get(each.id, Decimal(0))) for each in found]


def read_payment(
    tx: Session, key: int, *, lock: bool = False, with_invoices: Collection[str] = ()
) -> UnmatchedPaymentView:
    """The payment of that id; `NotFound`. `lock`: it is locked, after these invoices in the order of their ids."""
    for each in sorted({invoices.find(tx, reference).id for reference in with_invoices}):
        invoices.locked(tx, each)
    row = tx.get(UnmatchedPaymentRow, key, with_for_update=lock)
    if row is None:
        raise NotFound(f"there is no payment {key} whose invoice nobody knew")
    return _payment(row, giving_up.set_apart(tx, payment=row.id))


def _payment(row: UnmatchedPaymentRow, refunds: Decimal) -> UnmatchedPaymentView:
    return UnmatchedPaymentView(
        id=row.id,
        amount=rounded(row.amount, row.currency),
        allocated=rounded(row.allocated, row.currency),
        left=rounded(row.amount - row.allocated - refunds, row.currency),
        currency=row.currency,
        received_on=row.received_on,
        payer=row.payer,
        reference=row.reference,
        source=row.source,
        client=row.client,
        kept_as_credit=row.kept_as_credit,
        suggestions=tuple(row.suggestions),
        owner=row.owner,
        deadline=row.deadline,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        resolution=row.resolution,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
    )
