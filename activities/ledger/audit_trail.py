"""The audit trail: for each invoice a chain of events, each hashed together with the one before.

The invoice itself keeps position and hash of its newest event, written in the same transaction. So `verify`,
which needs nothing but the two tables or a copy of them, finds any event that was changed, moved, added, or
deleted, the last one included. It cannot find a chain written anew as a whole, head included, by somebody who may
write both tables: only a copy from before can show that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.ledger import write_backs
from activities.ledger.tables import AuditEventRow, InvoiceRow

BEGINNING = "0" * 64
"""What the first event of a chain names as its predecessor."""


@dataclass(frozen=True)
class Break:
    """A place where a chain does not hold."""

    invoice: int
    position: int
    reason: str


def record(
    tx: Session,
    invoice: InvoiceRow,
    event: str,
    *,
    at: datetime,
    actor: str = "billow",
    channel: str = "workflow",
    **facts: Any,
) -> None:
    """Adds an event to the invoice's chain, in the caller's transaction, which must hold the invoice's lock."""
    row = AuditEventRow(
        invoice=invoice.id,
        position=invoice.audit_position + 1,
        at=at.astimezone(UTC),
        event=event,
        actor=actor,
        channel=channel,
        facts=json.loads(json.dumps(facts, default=str)),
        previous=invoice.audit_hash,
    )
    row.hash = _hash(row)
    invoice.audit_position, invoice.audit_hash = row.position, row.hash
    tx.add(row)
    tx.flush()
    if event in write_backs.TOLD:
        write_backs.note(tx, invoice, at=at)


def content(row: AuditEventRow) -> dict[str, Any]:
    """What the hash of an event covers."""
    return {
        "invoice": row.invoice,
        "position": row.position,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "event": row.event,
        "actor": row.actor,
        "channel": row.channel,
        "facts": row.facts,
        "previous": row.previous,
    }


def _hash(row: AuditEventRow) -> str:
    written = json.dumps(content(row), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def trail(tx: Session, invoice: int) -> Sequence[AuditEventRow]:
    """The events of an invoice, oldest first."""
    return tx.scalars(
        select(AuditEventRow).where(AuditEventRow.invoice == invoice).order_by(AuditEventRow.position)
    ).all()


def verify(tx: Session, invoice: int) -> list[Break]:
    """Every place where the invoice's chain does not hold; empty when it is whole."""
    breaks: list[Break] = []
    position, previous = 0, BEGINNING
    for row in trail(tx, invoice):
        if row.position != position + 1:
            breaks.append(_missing(invoice, position + 1, row.position - 1))
        elif row.previous != previous:
            breaks.append(Break(invoice, row.position, "does not follow the event before it"))
        if row.hash != _hash(row):
            breaks.append(Break(invoice, row.position, f"{row.event!r} was changed after it was written"))
        position, previous = row.position, row.hash
    head = tx.execute(
        select(InvoiceRow.audit_position, InvoiceRow.audit_hash).where(InvoiceRow.id == invoice)
    ).one()
    if position == 0:
        breaks.append(Break(invoice, 1, "the invoice has no audit trail"))
    elif position < head.audit_position:
        breaks.append(_missing(invoice, position + 1, head.audit_position))
    elif (position, previous) != (head.audit_position, head.audit_hash):
        breaks.append(Break(invoice, position, "is not the event with which the invoice says its trail ends"))
    return breaks


def _missing(invoice: int, first: int, last: int) -> Break:
    events = f"event {first} is" if last <= first else f"events {first} to {last} are"
    return Break(invoice, first, f"{events} missing")


def count(tx: Session) -> int:
    """How many events the ledger holds."""
    return tx.scalar(select(func.count()).select_from(AuditEventRow)) or 0
