"""Speaking to the client: prepare the message, look again under the invoice's lock, send, record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.delivery.mail import Attachment, Composed, build, compose
from activities.delivery.smtp import MailDeferred, MailRefused
from activities.invoicing import standing
from activities.invoicing.effects import Effects, client_record
from activities.ledger import audit_trail, company_records, exceptions, invoices, notices
from activities.ledger.company_records import CompanyVersion
from activities.ledger.tables import InvoiceRow, MessageRow
from billing.errors import SourceUnavailable
from billing.exceptions import Finding, ReasonCode
from billing.numbering import payment_reference
from billing.parties import Contact
from workflows.messages import StepInput


@dataclass(frozen=True)
class Spoken:
    """A message the mail server took: its key."""

    message: str


def speak(
    effects: Effects,
    step: StepInput,
    event: str,
    *,
    still_due: Callable[[Session, InvoiceRow], bool],
    record: Callable[[Session, InvoiceRow, Spoken], None],
) -> bool:
    """Sends the event's one message if it is still due when the invoice is locked; True if it went out now.

    The lock is held from the last look until the sending is recorded, so a payment committed before that look always
    wins, and a later one waits the moment the mail server takes. `MailDeferred` when the server cannot take it now.
    A refusal for good becomes an exception.
    """
    key = _prepare(effects, step, event, still_due)
    if key is None:
        return False
    try:
        with effects.ledger.transaction() as tx:
            row = invoices.find(tx, step.billing_key, lock=True)
            message = tx.get_one(MessageRow, key, with_for_update=True)
            if not still_due(tx, row):
                return False
            if message.handed_over_at is None:
                handed = effects.mail.send(_mail(effects, row, message, step.as_of, tx))
                message.handed_over_at, message.server_reply = step.as_of, handed.reply
                message.attempts += 1
                message.last_error = None
                audit_trail.record(
                    tx,
                    row,
                    "sent",
                    at=step.as_of,
                    message=event,
                    message_id=message.message_id,
                    reply=handed.reply,
                )
            exceptions.close_repaired(tx, row, at=step.as_of)
            record(tx, row, Spoken(key))
            return True
    except MailDeferred as error:
        _failed(effects, key, str(error))
        raise
    except MailRefused as error:
        _failed(effects, key, str(error))
        refused = Finding(
            code=ReasonCode.NOT_DELIVERED,
            message=f"{event}: {error}; correct the address in the CRM, then retry",
            field="billing_contact",
        )
        _except(effects, step, refused)
        return False


def _prepare(
    effects: Effects, step: StepInput, event: str, still_due: Callable[[Session, InvoiceRow], bool]
) -> str | None:
    """Writes the message, with its one Message-ID, before anything is sent; the text is made anew on each attempt."""
    with effects.ledger.transaction() as tx:
        row = invoices.find(tx, step.billing_key, lock=True)
        if not still_due(tx, row):
            return None
        version = company_records.current(tx)
        contact, copies = _addressees(row, version)
        if contact is None:
            missing = Finding(
                code=ReasonCode.NO_CONTACT,
                message=f"client {row.client!r} has no billing contact in the CRM; add a name and an e-mail address",
                field="billing_contact",
            )
            exceptions.raise_one(tx, row, missing, version.company, at=step.as_of)
            return None
        issuer = version.company.issuer(row.issuer or "") or version.company.issuers[0]
        client = version.company.client(row.client)
        language, place = (client.language, client.calendar[:2]) if client else ("en", "")
        composed = compose(event, language, _context(row, contact, version, step), territory=place)
        key = f"invoice-{row.id}/{event}"
        values: dict[str, Any] = {
            "recipient": contact.email,
            "copies_to": [copy for copy in copies if copy != contact.email],
            "subject": composed.subject,
            "body": composed.text,
            "html": composed.html,
            "document": row.document,
            "facts": {"contact": contact.name},
        }
        tx.execute(
            insert(MessageRow)
            .values(
                key=key,
                message_id=notices.message_id(key, issuer.email.split("@")[1]),
                invoice=row.id,
                event=event,
                audience=notices.CLIENT,
                prepared_at=step.as_of,
                attempts=0,
                **values,
            )
            .on_conflict_do_update(
                index_elements=["key"], set_=values, where=MessageRow.handed_over_at.is_(None)
            )
        )
        return key


def _addressees(row: InvoiceRow, version: CompanyVersion) -> tuple[Contact | None, list[str]]:
    """Who is written to: the contact the CRM names now; if it cannot be read, the one on the invoice."""
    try:
        record = client_record(version, row.client)
    except SourceUnavailable:
        record = None
    if record is not None and record.billing_contact is not None:
        return record.billing_contact, list(
            dict.fromkeys([*record.copies_to, *version.company.delivery.copies_to])
        )
    if row.draft is None:
        return None, []
    draft = invoices.draft_of(row)
    return draft.buyer.contact, list(draft.copies_to)


def _context(row: InvoiceRow, contact: Contact, version: CompanyVersion, step: StepInput) -> dict[str, Any]:
    client = version.company.client(row.client)
    today = step.as_of.astimezone(ZoneInfo(client.zone if client else "UTC")).date()
    number = row.number or ""
    return {
        "number": number,
        "title": row.title,
        "client_name": invoices.draft_of(row).buyer.name if row.draft else contact.name,
        "contact_name": contact.name,
        "issuer": version.company.issuer(row.issuer or "") or version.company.issuers[0],
        "amount_due": standing.money_of(row),
        "open_amount": standing.open_money(row),
        "issue_date": row.issue_date,
        "due_date": row.due_date,
        "days_late": max((today - row.due_date).days, 0) if row.due_date else 0,
        "payment_reference": payment_reference(number),
        "level": 0,
        "invoice_url": "",
    }


def _mail(effects: Effects, row: InvoiceRow, message: MessageRow, at: datetime, tx: Session) -> EmailMessage:
    company = company_records.current(tx).company
    issuer = company.issuer(row.issuer or "") or company.issuers[0]
    attachments = []
    if message.document:
        data = effects.documents.get(message.document)
        attachments.append(Attachment(name=f"{row.number}.pdf", media_type="application/pdf", data=data))
    return build(
        message_id=message.message_id,
        sender=Contact(name=issuer.name, email=issuer.email),
        to=Contact(name=message.facts["contact"], email=message.recipient),
        cc=message.copies_to,
        reply_to=company.delivery.reply_to or issuer.email,
        composed=Composed(subject=message.subject, text=message.body, html=message.html),
        attachments=attachments,
        date=at,
    )


def _failed(effects: Effects, key: str, error: str) -> None:
    with effects.ledger.transaction() as tx:
        message = tx.get_one(MessageRow, key, with_for_update=True)
        message.attempts += 1
        message.last_error = error[:1000]


def _except(effects: Effects, step: StepInput, finding: Finding) -> None:
    with effects.ledger.transaction() as tx:
        row = invoices.find(tx, step.billing_key, lock=True)
        exceptions.raise_one(tx, row, finding, company_records.current(tx).company, at=step.as_of)
