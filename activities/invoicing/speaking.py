"""Speaking to the client: write the message down, look again under the invoice's lock, send, record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.delivery.mail import Attachment, Composed, build, compose
from activities.delivery.return_path import ReturnPath
from activities.delivery.smtp import Handover, MailDeferred, MailRefused
from activities.invoicing import account_documents, answered, issued_files, late_payment, standing, together
from activities.invoicing.addressees import addressees
from activities.invoicing.effects import Effects
from activities.ledger import (
    audit_trail,
    client_credit,
    collection,
    company_records,
    credit_notes,
    exceptions,
    instalments,
    invoices,
    looks,
    notices,
    portal_links,
)
from activities.ledger.resending import COPY, COPY_OF_CREDIT_NOTE
from activities.ledger.tables import CreditNoteRow, InvoiceRow, MessageRow
from billing.company import Company
from billing.dunning_policy import Act
from billing.erased import erased_at
from billing.exceptions import Finding, ReasonCode
from billing.money import Money, rounded
from billing.numbering import payment_reference
from billing.parties import Contact
from workflows.messages import StepInput

Due = Callable[[Session, InvoiceRow], Sequence[InvoiceRow]]
"""Locks and returns the invoices the message is still right for, the first of them the one it is named after; none
when it must not go out any more."""

Record = Callable[[Session, Sequence[InvoiceRow], str], None]
"""Notes, in the transaction of the sending, that the message with that key went out for those invoices."""


PATIENCE = timedelta(hours=22)
"""How long a mail server may be away before a person is told: less than the day for which one step is tried, and
counted over all steps, for reminders are tried by day only."""

LONGEST_PAUSE = timedelta(days=4)
"""Between two attempts of one series: a long weekend on which nobody is reminded."""

AWAY = "mail server"

CREDIT_NOTE = "credit-note"
_ABOUT_CREDIT_NOTE = "credit_note"

NOTHING: Mapping[str, str] = MappingProxyType({})

_WITH_UBL = ("invoice", COPY, CREDIT_NOTE, COPY_OF_CREDIT_NOTE)
"""Mails by which a client gets the invoice; a reminder is no second one."""


class _NotDueAnyMore(Exception):
    """At the last look the message was not right any more: nothing is sent."""


def speak(
    effects: Effects,
    step: StepInput,
    event: str,
    *,
    due: Due,
    record: Record,
    about: Mapping[str, str] = NOTHING,
) -> bool:
    """Sends the event's one message if it is still due when the invoices are locked; True if it went out now.

    The last look comes when the mail server has accepted the addresses, just before the content is sent, and its locks
    are held until the sending is recorded: a payment committed before that look always wins, a later one waits for the
    moment the server takes. Until then nobody waits, however slow the server is. `MailDeferred` when the server cannot
    take it now; a refusal for good becomes an exception.
    """
    prepared = _write_down(effects, step, event, due, about)
    if prepared is None:
        return False
    key, first, returns = prepared
    if event.startswith(f"{Act.REMINDER}-"):
        _set_statement(effects, key, step.as_of)
    rows: list[InvoiceRow] = []
    try:
        # The transaction begins with its first statement, which is the last look.
        with effects.ledger.transaction() as tx:

            def last_look() -> EmailMessage:
                still_due = _still_due(tx, step, due)
                message = tx.get_one(MessageRow, key, with_for_update=True)
                rows.extend(each for each in still_due if each.id in message.facts["invoices"])
                write(tx, rows, message, step.as_of, effects.portal_url)
                statement = account_documents.attached_statement(tx, rows, event, step.as_of)
                return mail(effects, tx, rows[0], message, step.as_of, statement)

            handed = effects.mail.send(first, last_look, returns)
            handed_over(tx, rows, tx.get_one(MessageRow, key), handed, step.as_of)
            record(tx, rows, key)
            for each in rows:
                exceptions.close_repaired(tx, each, at=step.as_of)
            return True
    except _NotDueAnyMore:
        return False
    except MailDeferred as error:
        tried_since = _failed(effects, key, str(error), step.as_of)
        if step.as_of - tried_since < PATIENCE:
            raise
        away = (
            f"{event} could not be sent since {tried_since:%Y-%m-%d %H:%M} UTC: {error}; mend it, then retry"
        )
        _except(effects, step, Finding(code=ReasonCode.NOT_DELIVERED, message=away, field=AWAY))
        return False
    except MailRefused as error:
        _failed(effects, key, str(error), step.as_of)
        repair = (
            "correct the address in the CRM" if error.recipient else "see what the mail server objects to"
        )
        message_text = f"{event}: {error}; {repair}, then retry"
        _except(
            effects,
            step,
            Finding(code=ReasonCode.NOT_DELIVERED, message=message_text, field="billing_contact"),
        )
        return False


def _set_statement(effects: Effects, key: str, as_of: datetime) -> None:
    """Before any lock is taken: setting a page takes long, and others wait for these invoices."""
    with effects.ledger.transaction() as tx:
        message = tx.get_one(MessageRow, key)
        if together.is_of_several(message):
            account_documents.set_before(tx, message.facts["invoices"], as_of)


def _still_due(tx: Session, step: StepInput, due: Due) -> Sequence[InvoiceRow]:
    """The invoices, locked; `_NotDueAnyMore` stops the sending."""
    rows = due(tx, invoices.find(tx, step.billing_key))
    if not rows:
        raise _NotDueAnyMore
    return rows


def _write_down(
    effects: Effects, step: StepInput, event: str, due: Due, about: Mapping[str, str]
) -> tuple[str, EmailMessage, ReturnPath | None] | None:
    """Commits the message with its one Message-ID before anything is sent; None when there is nothing to send."""
    with effects.ledger.transaction() as tx:
        rows = due(tx, invoices.find(tx, step.billing_key))
        if not rows:
            return None
        version = company_records.current(tx)
        if erased := erased_at(rows[0].draft):
            what = (
                f"{event}: {rows[0].number} is open again, but its document and whom it was for were erased on "
                f"{erased[:10]}, its retention over; write to the client yourself, and keep reminders back with hold"
            )
            gone = Finding(code=ReasonCode.NOT_DELIVERED, message=what, field="document")
            exceptions.raise_one(tx, rows[0], gone, version.company, at=step.as_of)
            return None
        found = addressees(rows[0], version)
        if found is None:
            what = f"client {rows[0].client!r} has no billing contact in the CRM; add a name and an e-mail address"
            missing = Finding(code=ReasonCode.NO_CONTACT, message=what, field="billing_contact")
            exceptions.raise_one(tx, rows[0], missing, version.company, at=step.as_of)
            return None
        issuer = version.company.issuer(rows[0].issuer or "") or version.company.issuers[0]
        key = "/".join((f"invoice-{rows[0].id}", event, *about.values()))
        if event.startswith("reminder-"):
            key, rows = together.under_one_id(tx, rows, key)
        elif event == Act.COURTESY_NOTE:  # with each payment plan there may be another one
            key = together.not_taken_yet(tx, key)
        earlier = tx.get(MessageRow, key)
        spoken_of = {row.id for row in rows} | set(earlier.facts.get("invoices", ()) if earlier else ())
        to = {
            "recipient": found.contact.email,
            "copies_to": [copy for copy in found.copies if copy != found.contact.email],
            "facts": {"contact": found.contact.name, "invoices": sorted(spoken_of), **about},
        }
        written = insert(MessageRow).values(
            key=key,
            message_id=notices.message_id(key, issuer.email.split("@")[1]),
            invoice=rows[0].id,
            event=event,
            audience=notices.CLIENT,
            subject="",
            body="",
            html="",
            prepared_at=step.as_of,
            attempts=0,
            **to,
        )
        not_sent = MessageRow.handed_over_at.is_(None)
        tx.execute(written.on_conflict_do_update(index_elements=["key"], set_=to, where=not_sent))
        message = tx.get_one(MessageRow, key, with_for_update=True, populate_existing=True)
        write(tx, rows, message, step.as_of, effects.portal_url)
        first = mail(effects, tx, rows[0], message, step.as_of)
        return key, first, return_path(version.company, message)


def return_path(company: Company, message: MessageRow) -> ReturnPath | None:
    """Where the message comes back to; None where that is the address it comes from."""
    if company.delivery.bounces_to is None or message.return_token is None:
        return None
    return ReturnPath.of(company.delivery.bounces_to, message.return_token)


def write(
    tx: Session,
    rows: Sequence[InvoiceRow],
    message: MessageRow,
    as_of: datetime,
    portal_url: str | None = None,
) -> None:
    """Writes the text of a message from what holds at this attempt; below `portal_url` the client sees its invoice."""
    row, current = rows[0], company_records.current(tx)
    company = current.company
    client = company.client(row.client) or standing.pinned(tx, row).client(row.client)
    zone, language, place = (
        (client.zone, client.language, client.calendar[:2]) if client else ("UTC", "en", "")
    )
    today = as_of.astimezone(ZoneInfo(zone)).date()
    contact, number = message.facts["contact"], row.number or ""
    level = int(message.event.removeprefix("reminder-")) if message.event.startswith("reminder-") else 0
    context: dict[str, Any] = {
        "number": number,
        "title": row.title,
        "client_name": invoices.draft_of(row).buyer.name if row.draft else contact,
        "contact_name": contact,
        "issuer": company.issuer(row.issuer or "") or company.issuers[0],
        "amount_due": standing.money_of(row),
        "open_amount": standing.asked_money(tx, row, today),
        "disputed": _disputed(row),
        "instalments": [
            {"amount": Money.of(part.amount, row.currency or ""), "due_date": part.due_date}
            for part in instalments.standing(tx, row)
        ],
        "credit_used": _credit_used(tx, row),
        "issue_date": row.issue_date,
        "due_date": standing.due_date(row),
        "days_late": max((today - standing.due_date(row)).days, 0),
        "payment_reference": payment_reference(number),
        "level": level,
        "late_payment": late_payment.told(tx, rows, company, level, today) if level else [],
        "invoice_url": client_link(tx, row, company, portal_url, at=as_of),
        "others": [
            {
                "number": each.number,
                "due_date": standing.due_date(each),
                "open_amount": standing.asked_money(tx, each, today),
                "invoice_url": client_link(tx, each, company, portal_url, at=as_of),
            }
            for each in rows[1:]
        ],
    }
    context |= answered.told(tx, row, message, zone)
    own = looks.of_issuer(tx, current.version, row.issuer or "").languages.get(language)
    note = _credit_note(tx, message)
    if note is not None:
        context |= {
            "number": note.number,
            "preceding": row.number,
            "amount_due": Money.of(rounded(note.gross, note.currency), note.currency),
            "issue_date": note.issue_date,
        }
    composed = compose(message.event.removesuffix("-copy"), language, context, territory=place, more=own)
    message.subject, message.body, message.html = composed.subject, composed.text, composed.html
    message.document = row.document if note is None else note.document


def client_link(
    tx: Session, row: InvoiceRow, company: Company, portal_url: str | None, *, at: datetime
) -> str:
    """Where the client looks at the invoice, which is locked; empty where it cannot."""
    if portal_url is None or row.draft is None or erased_at(row.draft):
        return ""
    return f"{portal_url}/i/{portal_links.current(tx, row, company, at=at).token}"


def _credit_note(tx: Session, message: MessageRow) -> CreditNoteRow | None:
    """The credit note the message is about; None for what is about the invoice itself."""
    number = message.facts.get(_ABOUT_CREDIT_NOTE)
    return credit_notes.find(tx, number) if number else None


def _disputed(row: InvoiceRow) -> Money | None:
    """What of the invoice is disputed and so not asked for; None where it is none of it, or all."""
    if row.disputed is None or row.disputed_amount is None or collection.wholly_disputed(row):
        return None
    return Money.of(rounded(row.disputed_amount, row.currency or ""), row.currency or "")


def _credit_used(tx: Session, row: InvoiceRow) -> Money | None:
    """What the client had paid before that pays part of the invoice now; None for nothing."""
    used = client_credit.used_for(tx, row)
    return used if used.amount > 0 else None


def mail(
    effects: Effects,
    tx: Session,
    row: InvoiceRow,
    message: MessageRow,
    as_of: datetime,
    statement: Attachment | None = None,
) -> EmailMessage:
    """The message with the PDF of the invoice or credit note, and a statement of account, as it goes over the wire."""
    company = company_records.current(tx).company
    issuer = company.issuer(row.issuer or "") or company.issuers[0]
    attachments = []
    if message.document:
        note = _credit_note(tx, message)
        data = effects.documents.get(message.document)
        name = f"{note.number if note else row.number}.pdf"
        attachments.append(Attachment(name=name, media_type="application/pdf", data=data))
        ubl = issued_files.ubl(tx, row, note) if message.event in _WITH_UBL else None
        if ubl is not None and _wants_ubl(company, row):
            data = effects.documents.get(ubl.sha256)
            attachments.append(Attachment(name=ubl.name, media_type=ubl.media_type, data=data))
    if statement is not None:
        attachments.append(statement)
    return build(
        message_id=message.message_id,
        sender=Contact(name=issuer.name, email=issuer.email),
        to=Contact(name=message.facts["contact"], email=message.recipient),
        cc=message.copies_to,
        reply_to=company.delivery.reply_to or issuer.email,
        composed=Composed(subject=message.subject, text=message.body, html=message.html),
        attachments=attachments,
        date=as_of,
    )


def _wants_ubl(company: Company, row: InvoiceRow) -> bool:
    """Whether the client's software takes its invoices from the mail, as the company says now."""
    client = company.client(row.client)
    return client is not None and client.ubl_by_mail


def handed_over(
    tx: Session, rows: Sequence[InvoiceRow], message: MessageRow, handed: Handover, as_of: datetime
) -> None:
    """The mail server took it: noted with the message, and in the audit trail of every invoice it speaks of."""
    message.handed_over_at, message.server_reply = as_of, handed.reply
    message.attempts += 1
    message.last_error = (
        "; ".join(f"copy to {each.address} refused: {each.text}" for each in handed.refused) or None
    )
    for each in rows:
        audit_trail.record(
            tx,
            each,
            "sent",
            at=as_of,
            message=message.event,
            message_id=message.message_id,
            reply=handed.reply,
            refused_copies=[copy.address for copy in handed.refused],
        )


def _failed(effects: Effects, key: str, error: str, at: datetime) -> datetime:
    """Notes the attempt; returns when this series of failures began. A pause of days, a hold say, begins a new one."""
    with effects.ledger.transaction() as tx:
        message = tx.get_one(MessageRow, key, with_for_update=True)
        message.attempts += 1
        message.last_error = error[:1000]
        if (
            message.failing_since is None
            or message.failed_at is None
            or at - message.failed_at > LONGEST_PAUSE
        ):
            message.failing_since = at
        message.failed_at = at
        return message.failing_since


def _except(effects: Effects, step: StepInput, finding: Finding) -> None:
    with effects.ledger.transaction() as tx:
        row = invoices.find(tx, step.billing_key, lock=True)
        told = [Finding.model_validate(each.finding) for each in invoices.open_exceptions(tx, row)]
        if finding.field == AWAY and any(each.field == AWAY for each in told):
            return  # a server that is away says so in other words each time
        exceptions.raise_one(tx, row, finding, company_records.current(tx).company, at=step.as_of)
