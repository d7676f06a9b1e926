"""Notices to our own people, prepared with the fact they tell of and sent by the outbox.

A notice needs no second look before it is sent: it says what happened, and links to a page that shows what holds now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import invoices, outbox
from activities.ledger.tables import (
    ApprovalRow,
    CreditHoldRow,
    DisputeRow,
    ExceptionRow,
    GivingUpRow,
    InvoiceRow,
    MessageRow,
    UnmatchedPaymentRow,
)
from billing.company import Company
from billing.connections import Port
from billing.exceptions import Finding
from billing.money import Money

STAFF, CLIENT = "staff", "client"

CREDIT_HOLD = "credit-hold"
"""The message that a client is on credit hold; about an invoice where one is the reason."""

PAYMENT_UNMATCHED = "unmatched-payment"
"""The message about payments without invoice; those that wait for one person go out in one mail."""

COMPANY_EXCEPTION = "company-exception"
"""The message about exceptions without an invoice; those that wait for one person go out in one mail."""


TOGETHER = frozenset({COMPANY_EXCEPTION, PAYMENT_UNMATCHED})
"""Messages that go out together to whoever they wait for."""


def message_id(key: str, domain: str) -> str:
    """The one Message-ID of a message: the same key always gives the same id."""
    local = "".join(c if c.isalnum() or c in "-." else "." for c in key)
    return f"<{local}@{domain}>"


def _notify(
    tx: Session,
    row: InvoiceRow | None,
    company: Company,
    *,
    key: str,
    event: str,
    to: str,
    at: datetime,
    **facts: Any,
) -> None:
    message = _message(row, company, key=key, event=event, to=to, at=at, **facts)
    _prepare(tx, row, company, [message] if message else [], at=at)


def _message(
    row: InvoiceRow | None, company: Company, *, key: str, event: str, to: str, at: datetime, **facts: Any
) -> dict[str, Any] | None:
    """The columns of a message; None if there is nobody to send it to."""
    person = company.people_by_id.get(to) or company.people_by_id.get(company.exceptions.default_owner)
    issuer = (company.issuer(row.issuer or "") if row else None) or company.issuers[0]
    if person is None:
        return None
    return {
        "key": key,
        "message_id": message_id(key, issuer.email.split("@")[1]),
        "invoice": row.id if row else None,
        "event": event,
        "audience": STAFF,
        "recipient": person.email,
        "copies_to": [],
        "subject": "",
        "body": "",
        "html": "",
        "facts": {**facts, "person": person.id},
        "prepared_at": at,
        "attempts": 0,
    }


def _prepare(
    tx: Session,
    row: InvoiceRow | None,
    company: Company,
    messages: Sequence[dict[str, Any]],
    *,
    at: datetime,
) -> None:
    """Stores the messages that are new, and has them sent."""
    if not messages:
        return
    new = insert(MessageRow).on_conflict_do_nothing().returning(MessageRow.key)
    made = tx.scalars(new, messages).all()
    if made:
        invoice = row.id if row else None
        outbox.write_all(tx, outbox.NOTICE, made, invoice=invoice, at=at)
        if company.connection(Port.CHAT) is not None:  # a row of its own: neither channel waits for the other
            outbox.write_all(tx, outbox.CHAT, made, invoice=invoice, at=at)


def approval_asked(
    tx: Session,
    row: InvoiceRow,
    approval: ApprovalRow,
    who: str,
    company: Company,
    *,
    reminder: bool,
    at: datetime,
) -> None:
    """Asks one person to decide about a draft, or reminds them; says why it was asked for, where a person has."""
    why = invoices.asked_because(row.request)
    _notify(
        tx,
        row,
        company,
        key=f"invoice-{row.id}/approval-{approval.id}/{who}/{approval.escalations}"
        + ("/reminder" if approval.reminded_at else ""),
        event="approval-reminder" if reminder else "approval-request",
        to=who,
        at=at,
        deadline=approval.deadline.isoformat(),
        reason=f"tier {approval.tier}"
        + (f"; {company.person_name(row.requested_by)} asked for it: {why}" if why else ""),
        about="approval",
        item=approval.id,
        digest=approval.digest,
    )


def exception_raised(
    tx: Session, row: InvoiceRow, exception: ExceptionRow, company: Company, *, at: datetime
) -> None:
    """Tells the owner of an exception what must be decided and until when."""
    finding = Finding.model_validate(exception.finding)
    _notify(
        tx,
        row,
        company,
        key=f"invoice-{row.id}/exception-{exception.id}/{exception.escalations}"
        + ("/reminder" if exception.reminded_at else ""),
        event="exception",
        to=exception.owner,
        at=at,
        deadline=exception.deadline.isoformat(),
        reason=finding.code,
        findings=[finding.message],
        about="exception",
        item=exception.id,
    )


def company_exception_raised(tx: Session, exception: ExceptionRow, company: Company, *, at: datetime) -> None:
    """Tells the owner of an exception without invoice what must be decided and until when."""
    _notify(
        tx,
        None,
        company,
        key=f"exception-{exception.id}/{exception.escalations}"
        + ("/reminder" if exception.reminded_at else ""),
        event=COMPANY_EXCEPTION,
        to=exception.owner,
        at=at,
        deadline=exception.deadline.isoformat(),
        reason=exception.code,
        exception=exception.id,
    )


def payments_unmatched(
    tx: Session, payments: Iterable[UnmatchedPaymentRow], company: Company, *, at: datetime
) -> None:
    """Tells the owners of payments without invoice what came in and until when it must be decided."""
    messages = [
        _message(
            None,
            company,
            key=f"unmatched-payment-{payment.id}/{payment.escalations}"
            + ("/reminder" if payment.reminded_at else ""),
            event=PAYMENT_UNMATCHED,
            to=payment.owner,
            at=at,
            deadline=payment.deadline.isoformat(),
            payment=payment.id,
        )
        for payment in payments
    ]
    _prepare(tx, None, company, [each for each in messages if each], at=at)


def giving_up(
    tx: Session, row: InvoiceRow | None, found: GivingUpRow, who: str, company: Company, *, at: datetime
) -> None:
    """Asks one person to agree to a write-off or refund, or to see to it that what was agreed to is done."""
    what = f"{found.kind} {found.id} of {Money.of(found.amount, found.currency)}"
    asked = f"{company.person_name(found.asked_by)} asks for {what}: {found.reason}"
    agreed = f"{what} was agreed to by {company.person_name(found.decided_by or '')}: {found.reason}"
    failed = [f"It was tried, and failed: {found.last_error}"] if found.last_error else []
    _notify(
        tx,
        row,
        company,
        key=f"giving-up-{found.id}/{found.status}/{who}/{found.escalations}"
        + ("/reminder" if found.reminded_at else ""),
        event="agreement-wanted" if found.status == "asked" else "refund-to-pay",
        to=who,
        at=at,
        deadline=found.deadline.isoformat(),
        findings=[asked] if found.status == "asked" else [agreed, *failed],
        payment=found.unmatched,
        amount=str(found.amount),
        about="giving-up",
        item=found.id,
        kind=found.kind,
    )


def disputed(tx: Session, row: InvoiceRow, dispute: DisputeRow, company: Company, *, at: datetime) -> None:
    """Asks the owner of a dispute to decide it by its deadline."""
    _notify(
        tx,
        row,
        company,
        key=f"invoice-{row.id}/dispute-{dispute.id}/{at:%Y%m%d%H%M%S}",
        event="dispute",
        to=dispute.owner,
        at=at,
        deadline=dispute.deadline.isoformat(),
        reason=dispute.code.replace("-", " "),
        findings=[dispute.reason],
        about="dispute",
        item=dispute.id,
    )


def on_credit_hold(tx: Session, hold: CreditHoldRow, to: str, company: Company, *, at: datetime) -> None:
    """Tells the account manager that a client is on credit hold, and why."""
    row = tx.get(InvoiceRow, hold.invoice) if hold.invoice is not None else None
    _notify(
        tx,
        row,
        company,
        key=f"credit-hold-{hold.id}",
        event=CREDIT_HOLD,
        to=to,
        at=at,
        deadline=at.isoformat(),
        reason=hold.reason,
        client=hold.client,
    )


def escalated(
    tx: Session,
    row: InvoiceRow,
    event: str,
    to: str,
    company: Company,
    *,
    occasion: str | None = None,
    at: datetime,
) -> None:
    """Tells the account manager that reminders had no answer, or that the claim was handed over.

    Once an invoice and event, unless an `occasion` tells one time from another.
    """
    _notify(
        tx,
        row,
        company,
        key=f"invoice-{row.id}/{occasion or event}",
        event=event,
        to=to,
        at=at,
        deadline=at.isoformat(),
        reason="",
    )
