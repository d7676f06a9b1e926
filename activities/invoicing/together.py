"""One message for several invoices: the claim that takes them together, if the dunning policy says so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.invoicing import standing
from activities.ledger import invoices
from activities.ledger.tables import InvoiceRow
from billing.dunning_policy import Act, NextStep
from billing.status import DocumentStatus

MOST = 50
"""Invoices one message may speak of: a longer list is a statement of account, and locks too much."""


def due_with(tx: Session, row: InvoiceRow, coming: NextStep, as_of: datetime) -> list[InvoiceRow]:
    """Locks the invoice, and with it those of the client that are due a reminder too, if policy consolidates.

    The invoice comes first; the list is empty when what was coming for it is not due any more. Rows are locked in the
    order of their ids, so that two workflows with the same thought never wait for each other in a circle.
    """
    ids = [row.id, *(_others(tx, row) if coming.act is Act.REMINDER and _consolidates(tx, row) else [])]
    locked = {each: invoices.locked(tx, each) for each in sorted(ids)}
    first = locked.pop(row.id)
    if first.delivered_at is None or first.closed_at is not None:
        return []
    now = standing.upcoming(tx, first, standing.pinned(tx, first), as_of)
    if now.name != coming.name or now.at > as_of:
        return []
    return [first, *(each for each in locked.values() if _is_due(tx, each, as_of))]


def _consolidates(tx: Session, row: InvoiceRow) -> bool:
    company = standing.pinned(tx, row)
    client = company.client(row.client)
    policy = company.dunning_policy(client.dunning) if client else None
    return policy is not None and policy.consolidate


def _others(tx: Session, row: InvoiceRow) -> list[int]:
    """Open invoices of the same client, issuer and currency."""
    query = (
        select(InvoiceRow.id)
        .where(
            InvoiceRow.client == row.client,
            InvoiceRow.issuer == row.issuer,
            InvoiceRow.currency == row.currency,
            InvoiceRow.id != row.id,
            InvoiceRow.document_status == DocumentStatus.ISSUED,
            InvoiceRow.delivered_at.is_not(None),
            InvoiceRow.closed_at.is_(None),
        )
        .order_by(InvoiceRow.due_date)
        .limit(MOST - 1)
    )
    return list(tx.scalars(query))


def _is_due(tx: Session, row: InvoiceRow, as_of: datetime) -> bool:
    if row.delivered_at is None or row.closed_at is not None or invoices.open_exceptions(tx, row):
        return False
    coming = standing.upcoming(tx, row, standing.pinned(tx, row), as_of)
    return coming.act is Act.REMINDER and coming.at <= as_of
