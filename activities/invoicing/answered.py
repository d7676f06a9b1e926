"""What the answers to a client say beside what stands on the invoice."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from activities.invoicing import standing
from activities.ledger.answers import DISPUTE_RECEIVED, DISPUTE_REJECTED
from activities.ledger.tables import DisputeRow, InvoiceRow, MessageRow


def told(tx: Session, row: InvoiceRow, message: MessageRow, zone: str) -> dict[str, Any]:
    """Fields of the mail's template; none for a message that is no answer."""
    if message.event not in (DISPUTE_RECEIVED, DISPUTE_REJECTED):
        return {}
    dispute = tx.get_one(DisputeRow, int(message.facts["occasion"]))
    due = standing.due_date(row)
    notice = row.notice_until.astimezone(ZoneInfo(zone)).date() if row.notice_until else due
    return {"reason": dispute.reason, "answer": dispute.answer, "pay_by": max(due, notice)}
