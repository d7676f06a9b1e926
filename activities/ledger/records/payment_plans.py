"""Payment plans that were agreed after issue."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from activities.ledger.read_models import ReadModel
from activities.ledger.records.listing import Record, Wanted, about, about_invoices
from activities.ledger.tables import PaymentPlanRow
from billing.money import rounded


class PartRecord(ReadModel):
    """An instalment as it was agreed."""

    due_date: date
    amount: Decimal


class PlanRecord(Record):
    """A payment plan; over once `ended_at` is there."""

    parts: tuple[PartRecord, ...]
    reason: str
    agreed_at: datetime
    agreed_by: str
    channel: str
    ended_at: datetime | None
    ended_because: str | None


def list_plans(tx: Session, wanted: Wanted) -> list[PlanRecord]:
    """Payment list_plans that were agreed after issue."""
    return [
        PlanRecord(
            **about(row),
            parts=tuple(
                PartRecord(due_date=each["due_date"], amount=rounded(Decimal(each["amount"]), row.currency))
                for each in row[0].parts
            ),
            reason=row[0].reason,
            agreed_at=row[0].agreed_at,
            agreed_by=row[0].agreed_by,
            channel=row[0].channel,
            ended_at=row[0].ended_at,
            ended_because=row[0].ended_because,
        )
        for row in tx.execute(about_invoices(PaymentPlanRow, wanted, PaymentPlanRow.ended_at.is_(None)))
    ]
