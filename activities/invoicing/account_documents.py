"""Documents about a client's account, put together from the ledger: statement, receipt, reminder letter."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.delivery.mail import Attachment
from activities.documents.errors import RenderingFailed
from activities.documents.look import LookFiles
from activities.documents.typography import typography
from activities.invoicing import late_payment, standing
from activities.invoicing.addressees import addressees
from activities.invoicing.calendars import business_days
from activities.invoicing.effects import client_record
from activities.ledger import accounts, collection, company_records, instalments, invoices, looks
from activities.ledger.company_records import CompanyVersion
from activities.ledger.tables import CollectionActRow, InvoiceRow, MessageRow
from billing.company import Company
from billing.document import InvoiceDocument
from billing.document_check import placeholder
from billing.erased import is_erased
from billing.errors import NotFound, Refused, SourceUnavailable, WrongState
from billing.numbering import payment_reference
from billing.parties import Buyer, Issuer
from billing.periods import months_after
from billing.receipt import Receipt
from billing.reminder_letter import COURTESY, RemindedInvoice, ReminderLetter
from billing.statement_of_account import StatementOfAccount
from billing.statement_of_account import accounts as accounts_of

_log = logging.getLogger(__name__)

_REMINDER = "reminder-"


def statement_of_account(
    tx: Session, client: str, since: date | None, until: date | None, at: datetime, issuer: str | None = None
) -> StatementOfAccount:
    """The account of a client with one issuer (its own, unless named), from a day to a day, both included.

    Without days: the month of `at` and the two before it, up to today at the client's. `NotFound` for nobody's id.
    """
    version = company_records.current(tx)
    company = version.company
    known = company.client(client)
    if known is None:
        raise NotFound(f"there is no client {client!r} in the company that runs; see clients.yaml for ids")
    seller = _issuer(company, issuer or known.issuer)
    zone = ZoneInfo(known.zone)
    last = until or at.astimezone(zone).date()
    first = since or months_after(last.replace(day=1), -2)
    buyer = _buyer(tx, version, client)
    return StatementOfAccount(
        issuer=seller,
        buyer=buyer,
        client_name=buyer.name if buyer else client,
        language=known.language,
        since=first,
        until=last,
        accounts=accounts_of(accounts.invoices_of(tx, client, seller.id, zone), first, last),
    )


def attached_statement(
    tx: Session, rows: Sequence[InvoiceRow], event: str, at: datetime
) -> Attachment | None:
    """What goes with a reminder of several invoices: the account of the client with their issuer, as it is then.

    None for any other message; one that cannot be set is left out, for the reminder says all that is asked for.
    """
    if not event.startswith(_REMINDER) or len(rows) < 2:
        return None
    try:
        found = statement_of_account(tx, rows[0].client, None, None, at, rows[0].issuer)
        data = _set(found.model_dump_json(), look_now(tx, found.issuer))
    except (RenderingFailed, NotFound) as error:
        _log.warning("%s: %s goes without a statement of account: %s", rows[0].number, event, error)
        return None
    words = typography(found.language).words
    name = words.gettext("Statement of account").replace("/", "-")
    return Attachment(name=f"{name} {found.until.isoformat()}.pdf", media_type="application/pdf", data=data)


def set_before(tx: Session, invoices_of: Sequence[int], at: datetime) -> None:
    """Sets the statement of a message that may come to speak of these invoices, while no lock is held.

    So that, at the last look, it is at hand unless the account has changed meanwhile.
    """
    row = tx.get_one(InvoiceRow, invoices_of[0])
    with suppress(RenderingFailed, NotFound):
        found = statement_of_account(tx, row.client, None, None, at, row.issuer)
        _set(found.model_dump_json(), look_now(tx, found.issuer))


@lru_cache(maxsize=32)
def _set(statement: str, look: LookFiles) -> bytes:
    # imported here: a worker that only ever reminds of single invoices loads no typesetting
    from activities.documents.statement_of_account import render_statement_of_account

    return render_statement_of_account(StatementOfAccount.model_validate_json(statement), look)


def receipt(tx: Session, row: InvoiceRow, at: datetime) -> Receipt:
    """What came for an invoice up to now. `Refused` if nothing did; `WrongState` before it is issued."""
    if row.number is None:
        raise WrongState(
            f"{row.billing_key} is {row.document_status}: it has no number yet, so nobody paid it"
        )
    version = company_records.current(tx)
    client = version.company.client(row.client)
    zone = ZoneInfo(client.zone if client else "UTC")
    moved = accounts.movements(tx, row, zone)
    if not moved:
        raise Refused(f"nothing was paid for {row.number} yet: there is nothing to confirm")
    buyer = _buyer_of(row) or _buyer(tx, version, row.client)
    return Receipt(
        issuer=_issuer(version.company, row.issuer or ""),
        buyer=buyer,
        client_name=buyer.name if buyer else row.client,
        language=client.language if client else "en",
        number=row.number,
        title=row.title,
        issue_date=row.issue_date,
        due=standing.money_of(row),
        movements=moved,
        as_of=at.astimezone(zone).date(),
    )


def reminder_letter(tx: Session, row: InvoiceRow, level: int | None, at: datetime) -> ReminderLetter:
    """The letter of a level for an invoice, with those its mail of that level spoke of; as things stand now.

    Without a level: the last one sent, else the one that fits: 0 (a note before the due date) or 1. `Refused` when
    nothing is open, and for a reminder of what is not late.
    """
    if row.number is None:
        raise WrongState(
            f"{row.billing_key} is {row.document_status}: it has no number yet, so nothing is due"
        )
    version = company_records.current(tx)
    company, day = version.company, collection.client_today(row, version.company, at)
    if standing.open_money(row).amount <= 0 or row.closed_at is not None:
        raise Refused(f"{row.number} is {row.payment_status}: there is nothing to remind of")
    late = day > standing.due_date(row)
    asked = _last_level(tx, row, late) if level is None else level
    if asked > COURTESY and not late:
        day_due = standing.due_date(row).isoformat()
        raise Refused(
            f"{row.number} is not late before {day_due} has passed; --level 0 writes a note before it"
        )
    rows = [each for each in _spoken_of_with(tx, row, asked) if standing.open_money(each).amount > 0]
    told = {each.number: each.interest for each in late_payment.told(tx, rows, company, asked, day)}
    client = company.client(row.client)
    buyer = _buyer_of(row) or _buyer(tx, version, row.client)
    found = addressees(row, version)
    return ReminderLetter(
        issuer=_issuer(company, row.issuer or ""),
        buyer=buyer,
        client_name=buyer.name if buyer else row.client,
        contact_name=found.contact.name if found else (buyer.name if buyer else row.client),
        language=client.language if client else "en",
        level=asked,
        day=day,
        invoices=tuple(
            RemindedInvoice(
                number=each.number or "",
                title=each.title,
                issue_date=each.issue_date,
                due_date=standing.due_date(each),
                due=standing.money_of(each),
                open=standing.asked_money(tx, each, day),
                payment_reference=payment_reference(each.number or ""),
                interest=told.get(each.number or ""),
            )
            for each in rows
        ),
    )


def invoice_document(tx: Session, row: InvoiceRow, at: datetime) -> InvoiceDocument:
    """An invoice as it was issued; of a draft, as it would be issued at that instant, under a number nobody has.

    `WrongState` before it has a draft.
    """
    if not row.draft:
        raise WrongState(f"{row.billing_key} has no draft here, so there is nothing to show")
    draft = invoices.draft_of(row)
    if not (row.number and row.issue_date and row.due_date and row.issued_at):
        client = standing.pinned(tx, row).client(row.client)
        today = at.astimezone(ZoneInfo(draft.issuer.zone)).date()
        return placeholder(draft, at, business_days(client, today) if client else None)
    return InvoiceDocument(
        draft=draft,
        number=row.number,
        issue_date=row.issue_date,
        due_date=row.due_date,
        issued_at=row.issued_at,
        payment_reference=payment_reference(row.number),
        instalments=instalments.issued(tx, row),
    )


def look_now(tx: Session, issuer: Issuer) -> LookFiles:
    """How the issuer's documents look in the company that runs: these are written today."""
    return looks.of_issuer(tx, company_records.current(tx).version, issuer.id)


def _last_level(tx: Session, row: InvoiceRow, late: bool) -> int:
    acts = tx.scalars(select(CollectionActRow.act).where(CollectionActRow.invoice == row.id))
    levels = [int(act.removeprefix(_REMINDER)) for act in acts if act.startswith(_REMINDER)]
    return max(levels, default=int(late))


def _spoken_of_with(tx: Session, row: InvoiceRow, level: int) -> list[InvoiceRow]:
    """The invoice first, then the others that went out in one reminder with it."""
    sent = tx.scalars(
        select(MessageRow)
        .where(MessageRow.event == f"{_REMINDER}{level}", MessageRow.facts["invoices"].contains([row.id]))
        .order_by(MessageRow.prepared_at.desc())
    ).first()
    others = [each for each in (sent.facts["invoices"] if sent else []) if each != row.id]
    return [row, *tx.scalars(select(InvoiceRow).where(InvoiceRow.id.in_(others)).order_by(InvoiceRow.id))]


def _issuer(company: Company, key: str) -> Issuer:
    found = company.issuer(key)
    if found is None:
        raise NotFound(f"there is no issuer {key!r} in the company that runs; see issuers.yaml for ids")
    return found


def _buyer(tx: Session, version: CompanyVersion, client: str) -> Buyer | None:
    """The client as the CRM knows it now, else as its newest invoice names it."""
    try:
        record = client_record(version, client)
    except SourceUnavailable:
        record = None
    if record is not None and record.billing_contact is not None:
        return Buyer(
            name=record.name, address=record.address, vat_id=record.vat_id, contact=record.billing_contact
        )
    newest = tx.scalars(
        select(InvoiceRow)
        .where(InvoiceRow.client == client, InvoiceRow.draft.is_not(None))
        .order_by(InvoiceRow.id.desc())
    ).first()
    return _buyer_of(newest) if newest else None


def _buyer_of(row: InvoiceRow) -> Buyer | None:
    return invoices.draft_of(row).buyer if row.draft and not is_erased(row.draft) else None
