"""What a client is answered: prepared with the fact it tells of, and sent by the outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import notices, outbox
from activities.ledger.tables import InvoiceRow, MessageRow
from billing.company import Company

DISPUTE_RECEIVED, DISPUTE_REJECTED, PAYMENT_PLAN = "dispute-received", "dispute-rejected", "payment-plan"

ANSWERS = (DISPUTE_RECEIVED, DISPUTE_REJECTED, PAYMENT_PLAN)
"""The events of these messages."""


def prepare(
    tx: Session, row: InvoiceRow, company: Company, event: str, *, occasion: str, at: datetime
) -> None:
    """Leaves one answer to the outbox; one an invoice, event and occasion. Whom it goes to is asked when it is sent."""
    issuer = company.issuer(row.issuer or "") or company.issuers[0]
    key = f"invoice-{row.id}/{event}/{occasion}"
    made = tx.execute(
        insert(MessageRow)
        .values(
            key=key,
            message_id=notices.message_id(key, issuer.email.split("@")[1]),
            invoice=row.id,
            event=event,
            audience=notices.CLIENT,
            recipient="",
            copies_to=[],
            subject="",
            body="",
            html="",
            facts={"occasion": occasion},
            prepared_at=at,
            attempts=0,
        )
        .on_conflict_do_nothing()
        .returning(MessageRow.key)
    ).scalar()
    if made:
        outbox.write(tx, outbox.NOTICE, key, invoice=row.id, at=at)
