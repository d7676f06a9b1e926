"""Promises to pay."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from activities.ledger.records.listing import Record, Wanted, about, about_invoices
from activities.ledger.tables import PromiseRow
from billing.money import rounded


class PromiseRecord(Record):
    """A promise to pay by a day; `outcome` is kept, broken, moved or withdrawn, None while the day is to come."""

    promised_for: date
    amount: Decimal
    note: str
    made_at: datetime
    made_by: str
    channel: str
    outcome: str | None
    decided_at: datetime | None


def list_promises(tx: Session, wanted: Wanted) -> list[PromiseRecord]:
    """Promises to pay."""
    return [
        PromiseRecord(
            **about(row),
            promised_for=row[0].promised_for,
            amount=rounded(row[0].amount, row.currency),
            note=row[0].note,
            made_at=row[0].made_at,
            made_by=row[0].made_by,
            channel=row[0].channel,
            outcome=row[0].outcome,
            decided_at=row[0].decided_at,
        )
        for row in tx.execute(about_invoices(PromiseRow, wanted, PromiseRow.outcome.is_(None)))
    ]
