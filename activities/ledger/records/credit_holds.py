"""Credit holds of clients."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger.read_models import ReadModel
from activities.ledger.records.listing import Wanted, narrowed
from activities.ledger.tables import CreditHoldRow


class CreditHoldRecord(ReadModel):
    """A credit hold of a client; over once `lifted_at` is there."""

    id: int
    client: str
    reason: str
    since: datetime
    placed_by: str
    lifted_at: datetime | None
    lifted_by: str | None


def list_credit_holds(tx: Session, wanted: Wanted) -> list[CreditHoldRecord]:
    """Credit holds of clients."""
    query = select(CreditHoldRow).order_by(CreditHoldRow.id.desc()).limit(wanted.limit)
    if wanted.client is not None:
        query = query.where(CreditHoldRow.client == wanted.client)
    query = narrowed(query, CreditHoldRow.id, wanted, CreditHoldRow.lifted_at.is_(None))
    return [
        CreditHoldRecord(
            id=row.id,
            client=row.client,
            reason=row.reason,
            since=row.since,
            placed_by=row.by,
            lifted_at=row.lifted_at,
            lifted_by=row.lifted_by,
        )
        for row in tx.scalars(query)
    ]
