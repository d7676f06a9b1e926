"""What a client is answered: prepared with the fact it tells of, and sent by the outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import notices, outbox
from activities.ledger.tables import DisputeRow, InvoiceRow, MessageRow, PaymentPlanRow
from billing.company import Company
from billing.status import DocumentStatus, PaymentStatus

DISPUTE_RECEIVED, DISPUTE_REJECTED, PAYMENT_PLAN = "dispute-received", "dispute-rejected", "payment-plan"

COPY_OF_CREDIT_NOTE = "credit-note-copy"
"""The event of a credit note that is mailed once more."""

ANSWERS = (DISPUTE_RECEIVED, DISPUTE_REJECTED, PAYMENT_PLAN)
"""The events of these messages."""


def needless(tx: Session, row: InvoiceRow, message: MessageRow) -> str | None:
    """Why the client need not read the copy or answer any more, in the words of the audit trail; None to send it.

    Who objected is answered, also where the money is there by now, unless the answer is no longer true.
    """
    if message.event == COPY_OF_CREDIT_NOTE:
        return None
    if row.document_status == DocumentStatus.CREDITED:
        return "credited meanwhile"
    if message.event in (DISPUTE_RECEIVED, DISPUTE_REJECTED):
        dispute = tx.get_one(DisputeRow, int(message.facts["occasion"]))
        is_over = message.event == DISPUTE_RECEIVED and dispute.ended_at is not None
        return "the dispute ended meanwhile" if is_over else None
    if row.open_amount <= 0:
        was_given_up = row.payment_status == PaymentStatus.WRITTEN_OFF
        return "written off meanwhile" if was_given_up else "paid meanwhile"
    is_over = message.event == PAYMENT_PLAN and not _holds(tx, int(message.facts["occasion"]))
    return "the plan ended meanwhile" if is_over else None


def _holds(tx: Session, plan: int) -> bool:
    found = tx.get(PaymentPlanRow, plan)
    return found is not None and found.ended_at is None


def prepare(
    tx: Session, row: InvoiceRow, company: Company, event: str, *, occasion: str, at: datetime
) -> None:
    """Leaves one answer to the outbox; one an invoice, event and occasion. Whom it goes to is asked when it is sent."""
    leave(tx, row, company, event, occasion, facts={"occasion": occasion}, at=at)


def leave(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    event: str,
    occasion: str,
    *,
    to: str = "",
    facts: dict[str, str] | None = None,
    at: datetime,
) -> bool:
    """Leaves a message to the client to the outbox, written when it is sent; False if it is left there already.

    To `to`, else to whom the invoice's mails go by then.
    """
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
            recipient=to,
            copies_to=[],
            subject="",
            body="",
            html="",
            facts=facts or {},
            prepared_at=at,
            attempts=0,
        )
        .on_conflict_do_nothing()
        .returning(MessageRow.key)
    ).scalar()
    if made is None:
        return False
    outbox.write(tx, outbox.NOTICE, key, invoice=row.id, at=at)
    return True
