"""Mailing an issued invoice once more, because somebody asks or because the first mail came back."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.ledger import answers, audit_trail
from activities.ledger.actors import PORTAL, check_actor
from activities.ledger.tables import AuditEventRow, CreditNoteRow, InvoiceRow
from billing.company import Company
from billing.erased import erased_at
from billing.errors import NotFound, Refused, WrongState
from billing.parties import EmailAddress

_email: TypeAdapter[str] = TypeAdapter(EmailAddress)

COPY = "invoice-copy"
"""The event of a message that is an invoice sent once more."""

COPY_OF_CREDIT_NOTE = answers.COPY_OF_CREDIT_NOTE
"""The event of a message that is a credit note of the invoice sent once more."""

COPIES_A_DAY = 3
"""So many a client may have sent to addresses of its own in 24 hours: enough for a colleague, not for a mailing."""

ASKED = "sending again"
"""What the audit trail calls it when somebody asks for a copy."""


class EnoughForToday(Refused):
    """A client asked for more copies by the portal than are sent a day."""


def resend(
    tx: Session, row: InvoiceRow, company: Company, *, to: str | None, by: str, channel: str, at: datetime
) -> None:
    """Prepares the copy and leaves it to the outbox. A second click within the same minute is the same copy.

    By the portal, the client of the invoice may ask for it: only so often, and only to an address it names. `Refused`
    for what is no address, `WrongState` for an invoice without a document.
    """
    check_actor(row, company, by=by, channel=channel)
    if row.document is None:
        raise WrongState(f"{row.name} is {row.document_status}: there is no document to send")
    if erased := erased_at(row.draft):
        raise WrongState(f"the document of {row.number} was erased on {erased[:10]}, its retention over")
    if row.open_amount <= 0:
        raise WrongState(
            f"{row.number} is {row.payment_status}: a mail would ask for money that is here; "
            f"hand on the PDF instead: billow pdf {row.number}"
        )
    _check_address(to)
    occasion = f"{at:%Y%m%d%H%M}" + (f"/{to}" if to else "")
    if not answers.leave(tx, row, company, COPY, occasion, to=to or "", at=at):
        return
    if channel == PORTAL and (to is None or left_today(tx, row, at=at) <= 0):
        raise EnoughForToday(
            f"no more than {COPIES_A_DAY} copies of {row.number} are sent a day by the portal"
        )
    audit_trail.record(tx, row, ASKED, at=at, actor=by, channel=channel, to=to or "billing contact")


def resend_credit_note(
    tx: Session,
    row: InvoiceRow,
    number: str,
    company: Company,
    *,
    to: str | None,
    by: str,
    channel: str,
    at: datetime,
) -> None:
    """The same for a credit note of the invoice, whatever is open: it asks for nothing. `NotFound` for another's."""
    check_actor(row, company, by=by, channel=channel)
    of_it = CreditNoteRow.invoice == row.id, CreditNoteRow.number == number
    note = tx.scalars(select(CreditNoteRow).where(*of_it)).first()
    if note is None:
        raise NotFound(f"{number} is no credit note of {row.number}")
    if note.document is None:
        raise WrongState(f"the document of {number} is being made; it is mailed by itself then")
    if erased := erased_at(row.draft):
        raise WrongState(f"the document of {number} was erased on {erased[:10]}, its retention over")
    _check_address(to)
    occasion = f"{note.number}/{at:%Y%m%d%H%M}" + (f"/{to}" if to else "")
    if answers.leave(
        tx,
        row,
        company,
        COPY_OF_CREDIT_NOTE,
        occasion,
        to=to or "",
        facts={"credit_note": note.number},
        at=at,
    ):
        told = {"to": to or "billing contact", "credit_note": note.number}
        audit_trail.record(tx, row, ASKED, at=at, actor=by, channel=channel, **told)


def _check_address(to: str | None) -> None:
    if to is not None:
        try:
            _email.validate_python(to)
        except ValidationError as error:
            raise Refused(f"{to!r} is not an e-mail address") from error


def left_today(tx: Session, row: InvoiceRow, *, at: datetime) -> int:
    """How many copies of the invoice the client may still ask for by the portal."""
    asked = select(func.count()).where(
        AuditEventRow.invoice == row.id,
        AuditEventRow.event == ASKED,
        AuditEventRow.channel == PORTAL,
        AuditEventRow.at > at - timedelta(days=1),
    )
    return COPIES_A_DAY - (tx.scalar(asked) or 0)
