"""Erasing what is kept about a client or a contact: what may go goes, what must stay stays, and both are told.

SOURCE: GDPR Art. 17(1) and (3)(b): no erasure where the law of a member state wants it kept. The audit trail is never
touched, so its chain holds; nor are numbers, dates and amounts, so that the series stay gapless.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, any_, func, literal, or_, select
from sqlalchemy.orm import Session

from activities.archive import after_issue, retention, without_invoice
from activities.documents.store import DocumentStore
from activities.ledger import audit_trail, company_records, credit_notes, invoices, notices
from activities.ledger.database import Ledger
from activities.ledger.tables import (
    AuditEventRow,
    DisputeFileRow,
    DocumentRow,
    ErasureRow,
    ExceptionRow,
    InvoiceRow,
    MessageRow,
    PaymentRow,
)
from billing.erased import ERASED, is_erased, request_without_words, without_persons
from billing.errors import NotFound
from billing.retention import Kept, letter_kept
from billing.status import CollectionStatus, DocumentStatus

LETTERS = ("reminder-", "courtesy-note", "late-payment")
"""Messages that are business letters; the others only carry a document, or tell our own people something."""

_DUE_DILIGENCE = "GDPR Art. 17(3)(b) and (e): the trail proves who did what, and each event proves the next"

_UNSETTLED = "the invoice is not settled"


@dataclass(frozen=True)
class Part:
    """So many records of a kind that go, or stay: why, and until when at the earliest where that is known."""

    what: str
    count: int
    goes: bool
    why: str
    until: date | None = None


@dataclass
class Plan:
    """What erasing does. `invoices` are those of which something goes."""

    subject: str
    parts: list[Part] = field(default_factory=list)
    invoices: list[int] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)

    @property
    def goes(self) -> list[Part]:
        return [each for each in self.parts if each.goes]

    @property
    def stays(self) -> list[Part]:
        return [each for each in self.parts if not each.goes]


@dataclass(frozen=True)
class _Fate:
    """What becomes of an invoice and its messages."""

    draft: bool
    messages: tuple[MessageRow, ...]
    documents: tuple[DocumentRow, ...]
    files: tuple[DisputeFileRow, ...]
    payers: tuple[after_issue.PayerRow, ...]
    parts: tuple[Part, ...]

    @property
    def any_goes(self) -> bool:
        return bool(self.draft or self.messages or self.documents or self.files or self.payers)


def plan(tx: Session, subject: str, as_of: datetime) -> Plan:
    """What may go of a client (by its id), a contact (by its e-mail address) or a payer (by its account), what stays.

    `NotFound` if nothing here is of that subject.
    """
    found = Plan(subject)
    rows = tx.scalars(select(InvoiceRow).where(_of(subject)).order_by(InvoiceRow.id)).all()
    letters = _client_documents(tx, subject)
    payers = without_invoice.of_subject(tx, subject)
    if not rows and not letters and not payers:
        _must_be_known(tx, subject)
    parts: list[Part] = []
    for row in rows:
        fate = _fate(tx, row, subject, as_of)
        parts += fate.parts
        if fate.any_goes:
            found.invoices.append(row.id)
    for document, kept in letters:
        goes = kept.past(_today(tx, None, as_of))
        found.letters += [document.sha256] * goes
        parts.append(Part("statements and other letters", 1, goes, _because(kept), kept.until))
    company = company_records.current(tx).company
    for payer in payers:
        goes, why, until = without_invoice.fate(tx, payer, company, _today(tx, None, as_of))
        parts.append(Part("payer records", 1, goes, why, until))
    events = select(AuditEventRow.position).where(AuditEventRow.invoice.in_([row.id for row in rows]))
    parts.append(
        Part("events of the audit trail", len(tx.scalars(events).all()), goes=False, why=_DUE_DILIGENCE)
    )
    found.parts = _summed(parts)
    return found


def carry_out(ledger: Ledger, documents: DocumentStore, subject: str, *, by: str, at: datetime) -> Plan:
    """Erases, an invoice in a transaction, each with its audit event, and notes that it was done; what was done.

    Doing it again does what is left, also after it broke off. `StoreRefused` if a document is under lock.
    """
    with ledger.transaction() as tx:
        planned = plan(tx, subject, at)
    for invoice in planned.invoices:
        with ledger.transaction() as tx:
            _erase(tx, invoices.locked(tx, invoice), documents, subject, by, at)
    with ledger.transaction() as tx:
        for sha256 in planned.letters:
            documents.remove(sha256)
            tx.get_one(DocumentRow, sha256).erased_at = at
        company = company_records.current(tx).company
        for payer in without_invoice.of_subject(tx, subject):
            if without_invoice.fate(tx, payer, company, _today(tx, None, at))[0]:
                without_invoice.empty(tx, payer)
        tx.add(
            ErasureRow(
                subject=_pseudonym(subject),
                erased_at=at,
                erased_by=by,
                erased={each.what: each.count for each in planned.goes},
                kept=[[each.what, each.count, each.why, str(each.until or "")] for each in planned.stays],
            )
        )
    return planned


def _erase(
    tx: Session, row: InvoiceRow, documents: DocumentStore, subject: str, by: str, at: datetime
) -> None:
    """What may go of one invoice, decided once more under its lock."""
    fate = _fate(tx, row, subject, at)
    if not fate.any_goes:
        return
    for message in fate.messages:
        _empty(message, subject)
    for document in fate.documents:
        after_issue.remove_document(tx, documents, document, at)
    for file in fate.files:
        after_issue.remove_file(tx, documents, file, at)
    for payer in fate.payers:
        after_issue.empty_payer(payer)
    if fate.draft:
        row.draft = without_persons(row.draft, at) if row.draft is not None else None
        for note in credit_notes.of_invoice(tx, row):
            note.draft, note.reason = without_persons(note.draft, at), ERASED
        row.request, row.overrides, row.title = request_without_words(row.request), {}, ERASED
        for exception in tx.scalars(select(ExceptionRow).where(ExceptionRow.invoice == row.id)):
            exception.finding = {
                "code": exception.code,
                "field": exception.finding.get("field", ""),
                "message": ERASED,
            }
        for payment in tx.scalars(select(PaymentRow).where(PaymentRow.invoice == row.id)):
            payment.reference = ""
        after_issue.empty_words(tx, row)
    audit_trail.record(
        tx,
        row,
        "erased",
        at=at,
        actor=by,
        channel="cli",
        draft=fate.draft,
        messages=len(fate.messages),
        documents=[each.sha256 for each in fate.documents],
        **({"files": [each.sha256 for each in fate.files]} if fate.files else {}),
        **({"payers": len(fate.payers)} if fate.payers else {}),
        why="; ".join(dict.fromkeys(each.why for each in fate.parts if each.goes)),
    )


def _empty(message: MessageRow, subject: str) -> None:
    """Empties a message; one that only went to a contact in copy loses that address."""
    if "@" in subject and not _same(message.recipient, subject):
        message.copies_to = [each for each in message.copies_to if not _same(each, subject)]
        return
    message.recipient = message.subject = message.body = message.html = ""
    message.copies_to, message.server_reply, message.last_error = [], None, None
    message.facts = {"contact": ERASED, **{k: v for k, v in message.facts.items() if k == "invoices"}}


def _fate(tx: Session, row: InvoiceRow, subject: str, as_of: datetime) -> _Fate:
    today = _today(tx, row, as_of)
    parts = []
    goes, why, until = _invoice(tx, row, today)
    stored = [each for each in _documents(tx, row) if goes]
    there = not is_erased(row.draft) and row.title != ERASED
    whole = goes and there
    if there:
        parts.append(Part(_called(row), 1, whole, why, until))
    if stored:
        parts.append(Part("documents of invoices", len(stored), goes=True, why=why))
    elif count := len(_documents(tx, row)):
        parts.append(Part("documents of invoices", count, goes=False, why=why, until=until))
    gone = []
    for message in tx.scalars(_messages(row, subject)):
        may_go, reason, day = _message(tx, row, message, today)
        parts.append(Part("messages", 1, may_go, reason, day))
        gone += [message] * may_go
    files = []
    for file in after_issue.files(tx, row):
        may_go, reason, day = _letter(tx, row, file.sent_at.date(), today)
        parts.append(Part("dispute files", 1, may_go, reason, day))
        files += [file] * may_go
    payers = []
    for payer in after_issue.payers(tx, row):
        kept = retention.kept(tx, row, booked=after_issue.received_on(payer))
        may_go = kept.past(today) and _settled(row)
        parts.append(Part("payer records", 1, may_go, _because(kept), kept.until))
        payers += [payer] * may_go
    return _Fate(whole, tuple(gone), tuple(stored), tuple(files), tuple(payers), tuple(parts))


def _called(row: InvoiceRow) -> str:
    if row.document_status == DocumentStatus.VOIDED:
        return "voided drafts"
    return "invoices" if row.number else "drafts"


def _invoice(tx: Session, row: InvoiceRow, today: date) -> tuple[bool, str, date | None]:
    """Whether the words of an invoice may go, why or why not, and until when they stay."""
    if row.document_status == DocumentStatus.VOIDED:
        return True, "never issued, so no law wants them kept", None
    if row.number is None:
        return False, "not issued yet: needed to bill what was agreed", None
    if not _settled(row):
        return False, "not settled: needed to enforce the claim, Art. 17(3)(e)", None
    kept = retention.kept(tx, row)
    return kept.past(today), _because(kept), kept.until


def _settled(row: InvoiceRow) -> bool:
    """Nobody pursues it any more: closed, and not handed over to somebody who still does."""
    return row.closed_at is not None and row.collection_status != CollectionStatus.HANDED_OVER


def _message(tx: Session, row: InvoiceRow, message: MessageRow, today: date) -> tuple[bool, str, date | None]:
    if row.document_status == DocumentStatus.VOIDED:
        return True, "never issued, so no law wants them kept", None
    if not _settled(row):
        return False, _UNSETTLED, None
    if not message.event.startswith(LETTERS) or message.audience != notices.CLIENT:
        return True, "they have served their purpose, Art. 17(1)(a)", None
    return _letter(tx, row, (message.handed_over_at or message.prepared_at).date(), today)


def _letter(tx: Session, row: InvoiceRow, sent: date, today: date) -> tuple[bool, str, date | None]:
    """A business letter about an invoice, sent or received."""
    if not _settled(row):
        return False, _UNSETTLED, None
    kept = retention.kept(tx, row, sent=sent)
    return kept.past(today), _because(kept), kept.until


def _because(kept: Kept) -> str:
    return kept.law if kept.until else f"{kept.law}: kept until somebody decides"


def _of(subject: str) -> ColumnElement[bool]:
    """The invoices that know the subject."""
    if "@" not in subject:
        return InvoiceRow.client == subject
    contact = func.lower(InvoiceRow.draft["buyer"]["contact"]["email"].astext)
    written = select(MessageRow.invoice).where(_to(subject), MessageRow.invoice.is_not(None))
    copied = func.lower(InvoiceRow.draft["copies_to"].astext).contains(
        f'"{subject.lower()}"', autoescape=True
    )
    return or_(contact == subject.lower(), copied, InvoiceRow.id.in_(written))


def _to(subject: str) -> ColumnElement[bool]:
    """Messages to an address, or with a copy to it, however it is written."""
    copies = func.string_to_array(func.lower(func.array_to_string(MessageRow.copies_to, ",")), ",")
    return or_(func.lower(MessageRow.recipient) == subject.lower(), literal(subject.lower()) == any_(copies))


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _messages(row: InvoiceRow, subject: str) -> Select[MessageRow]:
    """What was written about the invoice, and is still there; to a contact, only what went to them."""
    there = or_(MessageRow.recipient != "", MessageRow.body != "")
    query = select(MessageRow).where(MessageRow.invoice == row.id, there).order_by(MessageRow.key)
    return query.where(_to(subject)) if "@" in subject else query


def _documents(tx: Session, row: InvoiceRow) -> Sequence[DocumentRow]:
    query = select(DocumentRow).where(DocumentRow.invoice == row.id, DocumentRow.erased_at.is_(None))
    return tx.scalars(query.order_by(DocumentRow.sha256)).all()


def _client_documents(tx: Session, subject: str) -> list[tuple[DocumentRow, Kept]]:
    """Documents of the client that are of no single invoice."""
    if "@" in subject:
        return []
    company = company_records.current(tx).company
    client = company.client(subject)
    issuer = company.issuer(client.issuer) if client else None
    country, starts = (issuer.address.country, issuer.fiscal_year_starts) if issuer else ("", 1)
    query = select(DocumentRow).where(
        DocumentRow.client == subject, DocumentRow.invoice.is_(None), DocumentRow.erased_at.is_(None)
    )
    return [(each, letter_kept(country, each.made_at.date(), starts)) for each in tx.scalars(query)]


def _must_be_known(tx: Session, subject: str) -> None:
    company = company_records.current(tx).company
    if "@" in subject or company.client(subject) is None:
        what = "contact" if "@" in subject else "client"
        raise NotFound(f"nothing here is of {what} {subject!r}; `billow invoices` shows the clients")


def _today(tx: Session, row: InvoiceRow | None, as_of: datetime) -> date:
    company = company_records.current(tx).company
    issuer = (company.issuer(row.issuer or "") if row else None) or company.issuers[0]
    return as_of.astimezone(ZoneInfo(issuer.zone)).date()


def _summed(parts: Sequence[Part]) -> list[Part]:
    """The parts together that have one fate; what goes first, then by the day until which it stays."""
    counts: dict[tuple[str, bool, str, date | None], int] = {}
    for each in parts:
        key = (each.what, each.goes, each.why, each.until)
        counts[key] = counts.get(key, 0) + each.count
    return sorted(_parts(counts), key=lambda each: (not each.goes, each.until or date.max, each.what))


def _parts(counts: dict[tuple[str, bool, str, date | None], int]) -> Iterator[Part]:
    for (what, goes, why, until), count in counts.items():
        if count:
            yield Part(what, count, goes, why, until)


def _pseudonym(subject: str) -> str:
    """The id of a client, which names nobody; of a contact, the SHA-256 of the address."""
    return hashlib.sha256(subject.casefold().encode()).hexdigest() if "@" in subject else subject
