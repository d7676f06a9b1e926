"""The audit trail: for each invoice a chain of events, each hashed together with the one before.

`verify` needs nothing but the rows, so a copy of the table can be checked offline.
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
    last = tx.scalars(
        select(AuditEventRow)
        .where(AuditEventRow.invoice == invoice.id)
        .order_by(AuditEventRow.position.desc())
        .limit(1)
    ).first()
    row = AuditEventRow(
        invoice=invoice.id,
        position=last.position + 1 if last else 1,
        at=at.astimezone(UTC),
        event=event,
        actor=actor,
        channel=channel,
        facts=json.loads(json.dumps(facts, default=str)),
        previous=last.hash if last else BEGINNING,
    )
    row.hash = _hash(row)
    tx.add(row)
    tx.flush()


def _hash(row: AuditEventRow) -> str:
    content = {
        "invoice": row.invoice,
        "position": row.position,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "event": row.event,
        "actor": row.actor,
        "channel": row.channel,
        "facts": row.facts,
        "previous": row.previous,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def trail(tx: Session, invoice: int) -> Sequence[AuditEventRow]:
    """The events of an invoice, oldest first."""
    return tx.scalars(
        select(AuditEventRow).where(AuditEventRow.invoice == invoice).order_by(AuditEventRow.position)
    ).all()


def verify(tx: Session, invoice: int) -> list[Break]:
    """Every place where the invoice's chain does not hold; empty when it is whole."""
    breaks: list[Break] = []
    previous = BEGINNING
    for expected, row in enumerate(trail(tx, invoice), start=1):
        if row.position != expected:
            breaks.append(Break(invoice, expected, f"event {expected} is missing"))
        elif row.previous != previous:
            breaks.append(Break(invoice, row.position, "does not follow the event before it"))
        if row.hash != _hash(row):
            breaks.append(Break(invoice, row.position, f"{row.event!r} was changed after it was written"))
        previous = row.hash
    if previous == BEGINNING:
        breaks.append(Break(invoice, 1, "the invoice has no audit trail"))
    return breaks


def count(tx: Session) -> int:
    """How many events the ledger holds."""
    return tx.scalar(select(func.count()).select_from(AuditEventRow)) or 0
