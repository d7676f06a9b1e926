"""One message for several invoices: the claim that takes them together, if the dunning policy says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from activities.invoicing import standing
from activities.ledger import invoices, notices
from activities.ledger.tables import InvoiceRow, MessageRow
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


def under_one_id(tx: Session, rows: Sequence[InvoiceRow], key: str) -> tuple[str, Sequence[InvoiceRow]]:
    """The key of the message in which the first of the locked invoices goes out, and those that go with it.

    A reminder that was written down and never noted as taken may have reached the client all the same: the invoices it
    speaks of go out in it again, never in another one under a second Message-ID.
    """
    reminders = select(MessageRow).where(
        MessageRow.invoice.in_(select(InvoiceRow.id).where(InvoiceRow.client == rows[0].client)),
        MessageRow.audience == notices.CLIENT,
        MessageRow.event.startswith(f"{Act.REMINDER}-"),
        MessageRow.handed_over_at.is_(None),
    )
    spoken_of = {
        invoice: message.key
        for message in tx.scalars(reminders)
        for invoice in message.facts.get("invoices", ())
    }
    found = spoken_of.get(rows[0].id) or not_taken_yet(tx, key)
    return found, [row for row in rows if spoken_of.get(row.id, found) == found]


def is_of_several(message: MessageRow) -> bool:
    """Whether it is a reminder of several invoices: it brings a statement of account."""
    return message.event.startswith(f"{Act.REMINDER}-") and len(message.facts.get("invoices", ())) > 1


def not_taken_yet(tx: Session, key: str) -> str:
    """The key, numbered if a message with it was taken already, though not for this invoice."""
    taken = tx.scalar(
        select(func.count())
        .select_from(MessageRow)
        .where(
            or_(MessageRow.key == key, MessageRow.key.startswith(f"{key}/", autoescape=True)),
            MessageRow.handed_over_at.is_not(None),
        )
    )
    return f"{key}/{taken + 1}" if taken else key


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
