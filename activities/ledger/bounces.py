"""Messages that came back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, exceptions, invoices, notices
from activities.ledger.tables import ExceptionRow, MessageRow
from billing.company import Company
from billing.errors import NotFound
from billing.exceptions import Finding, ReasonCode


def bounced(
    tx: Session,
    message_id: str,
    company: Company,
    *,
    reason: str,
    by: str,
    channel: str,
    at: datetime,
    report: str = "",
) -> str:
    """Raises the exception of a message that came back, once a message; returns the billing key.

    `report` is the id of the mail that says so: while one exception about the address is open, another report of it
    is only noted.
    """
    wanted = f"<{message_id.strip().strip('<>')}>"
    message = tx.scalars(select(MessageRow).where(MessageRow.message_id == wanted)).first()
    if message is None or message.invoice is None or message.audience != notices.CLIENT:
        raise NotFound(f"no message to a client has the id {wanted[:120]}")
    row = invoices.locked(tx, message.invoice)
    finding = Finding(
        code=ReasonCode.BOUNCED,
        message=f"{message.event} to {message.recipient} came back: {reason}; correct it in the CRM, then retry",
        field="billing_contact",
        left=f"mail {message.recipient}",
    )
    known = tx.scalars(
        select(ExceptionRow).where(ExceptionRow.invoice == row.id, ExceptionRow.code == finding.code)
    ).all()
    told = [Finding.model_validate(each.finding) for each in known]
    if finding in told and not report:
        return row.billing_key
    said = {"message": message.event, "reason": reason}
    if report:
        said |= {"report": report, "to": message.recipient}
    audit_trail.record(tx, row, "bounced", at=at, actor=by, channel=channel, **said)
    waiting = {one.identity for one, each in zip(told, known, strict=True) if each.resolved_at is None}
    if finding.identity not in waiting:
        exceptions.raise_one(tx, row, finding, company, at=at)
        invoices.wake(tx, row, at)
    return row.billing_key
