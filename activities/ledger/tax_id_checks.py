"""What authorities said about tax ids, and when: kept as evidence, never changed, never deleted."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger.tables import TaxIdCheckRow
from billing.taxes.facts import IdEvidence


def keep(tx: Session, evidence: IdEvidence, at: datetime) -> None:
    """Writes down an answer with the instant it was given."""
    tx.add(
        TaxIdCheckRow(
            number=evidence.number,
            valid=evidence.valid,
            checked_at=at,
            source=evidence.source,
            receipt=evidence.receipt,
            name=evidence.name,
        )
    )


def newest(tx: Session, number: str, since: datetime | None = None) -> IdEvidence | None:
    """The last answer about a number (without blanks), not older than `since`; None without one."""
    query = select(TaxIdCheckRow).where(TaxIdCheckRow.number == number)
    if since is not None:
        query = query.where(TaxIdCheckRow.checked_at >= since)
    row = tx.scalars(
        query.order_by(TaxIdCheckRow.checked_at.desc(), TaxIdCheckRow.id.desc()).limit(1)
    ).first()
    if row is None:
        return None
    return IdEvidence(
        number=row.number,
        valid=row.valid,
        checked_on=row.checked_at.astimezone(UTC).date(),
        source=row.source,
        receipt=row.receipt,
        name=row.name,
    )
