"""One zip for the auditor: documents, what was approved, audit trails, numbers, payments, records, and an index.

The same ledger gives the same bytes: entries stand in order, and their times are fixed. One snapshot of the ledger is
read, and one document at a time, however many there are.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import IO, Any

from sqlalchemy import ColumnElement, and_, func, or_, select, text, true
from sqlalchemy.orm import Session

from activities.archive import after_issue, export_money, export_pages
from activities.documents.store import DocumentDamaged, DocumentMissing, DocumentStore
from activities.ledger import audit_trail, company_records, credit_notes, number_audit
from activities.ledger.tables import AuditEventRow, CreditNoteRow, DocumentRow, InvoiceRow, PaymentRow

BATCH = 100
_BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16
_UNIX = 3
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")
"""How a formula may begin; in full width too, as spreadsheets of East Asia read it."""

_PACKED_ALREADY = "application/pdf"

FROM_BEFORE = "its document is in the system before Billow"

INDEX = (
    "number", "kind", "billing key", "client", "buyer", "title", "issue date", "supply from", "supply to", "due date",
    "currency", "net", "tax", "gross", "paid", "credited", "credit notes", "corrects", "document status",
    "payment status", "documents", "folder", "missing",
)  # fmt: skip
PAYMENTS = (
    "invoice", "key", "amount", "currency", "received on", "source", "reference", "recorded at", "recorded by",
)  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """Which invoices: of an issuer, issued or credited in a time (days of the issuer, both included), of one client or
    of all."""

    issuer: str
    since: date
    until: date
    client: str | None = None


@dataclass
class Exported:
    """What went in, and what should have and could not: one line each, for people.

    `from_before` are invoices whose documents are in the system before Billow.
    """

    invoices: int = 0
    documents: int = 0
    from_before: int = 0
    size: int = 0
    missing: list[str] = field(default_factory=list)
    number_problems: int = 0


@dataclass(frozen=True)
class Entry:
    """An invoice in the index."""

    row: InvoiceRow
    folder: str
    files: tuple[str, ...]
    missing: str
    credit_notes: tuple[str, ...] = ()


def to_export(tx: Session, scope: Scope) -> int:
    """How many invoices there are in the scope."""
    return tx.scalar(select(func.count()).select_from(InvoiceRow).where(_within(scope))) or 0


def export(
    tx: Session,
    documents: DocumentStore,
    scope: Scope,
    file: IO[bytes],
    seen: Callable[[], None] = lambda: None,
) -> Exported:
    """Writes the zip; calls `seen` after each invoice.

    `tx` must not have read anything yet. `StoreUnavailable` and `StoreRefused` end it: what the store cannot be asked
    for is not missing.
    """
    # the numbers come first: their audit begins the snapshot in which all the rest is read
    numbers = number_audit.audit_numbers(tx, scope.issuer)
    tx.execute(
        text("set local idle_in_transaction_session_timeout = 0")
    )  # a slow store takes as long as it takes
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed, tempfile.TemporaryFile("w+") as sums:
        archive = _Archive(packed, sums)
        with tempfile.TemporaryFile("w+", newline="") as index, tempfile.TemporaryFile("w+") as page:
            found = _invoices(tx, documents, scope, archive, index, page, seen)
            _letters(tx, documents, scope, archive, found)
            archive.copy("index.csv", index, before="\ufeff" + _csv_line(INDEX))
            found.number_problems = numbers.problem_count
            head = export_pages.head(scope, found, numbers)
            archive.copy("index.html", page, before=head, after=export_pages.FOOT)
        archive.add("numbers.json", _json(export_pages.numbers_document(numbers)))
        _table(archive, "payments.csv", PAYMENTS, _payments(tx, scope))
        company = company_records.current(tx).company
        unmatched = export_money.without_invoice(
            company, scope.issuer, scope.since, scope.until, scope.client
        )
        lines = export_money.payments_without_invoice(tx, unmatched)
        _table(archive, "payments-without-invoice.csv", export_money.WITHOUT_INVOICE, lines)
        given_up = export_money.given_up(tx, _within(scope), unmatched)
        _table(archive, "given-up.csv", export_money.GIVEN_UP, given_up)
        if scope.client is None:
            bank = export_money.bank(tx, scope.issuer, scope.since, scope.until)
            _table(archive, "bank.csv", export_money.BANK, bank)
        for version in _versions(tx, scope):
            record = _json(_company(tx, version, scope))
            archive.add(f"company/version-{version}.json", record)
        archive.add("verify.py", export_pages.VERIFIER.encode())
        archive.add("README.txt", export_pages.readme(scope, found).encode())
        sums.seek(0)
        with archive.entry("SHA256SUMS", listed=False) as written:
            for each in sums:
                written(each.encode())
    found.size = file.tell()
    return found


class _Archive:
    """The zip, and the checksums of what went into it."""

    def __init__(self, packed: zipfile.ZipFile, sums: IO[str]) -> None:
        self._packed, self._sums = packed, sums

    @contextmanager
    def entry(
        self, name: str, *, packed: bool = True, listed: bool = True
    ) -> Iterator[Callable[[bytes], object]]:
        """Takes the bytes of one entry, piece by piece."""
        info = zipfile.ZipInfo(name, _BEGINNING_OF_TIME)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info.external_attr, info.create_system = _READABLE, _UNIX
        digest = hashlib.sha256()
        with self._packed.open(info, "w", force_zip64=True) as opened:

            def write(data: bytes) -> None:
                digest.update(data)
                opened.write(data)

            yield write
        if listed:
            self._sums.write(f"{digest.hexdigest()}  {name}\n")

    def add(self, name: str, data: bytes, *, packed: bool = True) -> None:
        with self.entry(name, packed=packed) as write:
            write(data)

    def copy(self, name: str, lines: IO[str], *, before: str = "", after: str = "") -> None:
        """What was gathered in a file, line by line."""
        lines.seek(0)
        with self.entry(name) as write:
            write(before.encode())
            for line in lines:
                write(line.encode())
            write(after.encode())


def _invoices(
    tx: Session,
    documents: DocumentStore,
    scope: Scope,
    archive: _Archive,
    index: IO[str],
    page: IO[str],
    seen: Callable[[], None],
) -> Exported:
    found, folders = Exported(), set[str]()
    for row in _rows(tx, scope):
        folder = _folder(row, folders)
        entry = _invoice(tx, documents, row, folder, archive, found)
        found.invoices += 1
        index.write(_csv_line(_index_line(entry)))
        page.write(export_pages.row(entry))
        seen()
    return found


def _rows(tx: Session, scope: Scope) -> Iterator[InvoiceRow]:
    """The invoices in order of their numbers' days, a batch at a time."""
    last: tuple[date, int] | None = None
    place = func.row(InvoiceRow.issue_date, InvoiceRow.id)
    while True:
        after = true() if last is None else place > func.row(*last)
        query = select(InvoiceRow).where(_within(scope), after)
        batch = tx.scalars(query.order_by(InvoiceRow.issue_date, InvoiceRow.id).limit(BATCH)).all()
        for row in batch:
            yield row
            last = (row.issue_date or scope.since, row.id)
        tx.expunge_all()
        if len(batch) < BATCH:
            return


def _within(scope: Scope) -> ColumnElement[bool]:
    of_client = InvoiceRow.client == scope.client if scope.client else true()
    credited = (
        select(CreditNoteRow.id)
        .where(
            CreditNoteRow.invoice == InvoiceRow.id,
            CreditNoteRow.issue_date.between(scope.since, scope.until),
        )
        .exists()
    )
    return and_(
        InvoiceRow.issuer == scope.issuer,
        InvoiceRow.number.is_not(None),
        or_(InvoiceRow.issue_date.between(scope.since, scope.until), credited),
        of_client,
    )


def _invoice(
    tx: Session, documents: DocumentStore, row: InvoiceRow, folder: str, archive: _Archive, found: Exported
) -> Entry:
    """The folder of one invoice."""
    files, missing = [], list[str]()
    kept = (
        select(DocumentRow)
        .where(DocumentRow.invoice == row.id)
        .order_by(DocumentRow.made_at, DocumentRow.kind)
    )
    names = set[str]()
    for document in tx.scalars(kept):
        name = _file_name(document, row, names)
        if document.erased_at is not None:
            missing.append(f"{name} was erased on {document.erased_at:%Y-%m-%d}, its retention over")
            continue
        try:
            data = documents.get(document.sha256)
        except (DocumentMissing, DocumentDamaged) as error:
            missing.append(f"{name}: {error}")
            continue
        archive.add(f"{folder}/{name}", data, packed=document.media_type != _PACKED_ALREADY)
        files.append(name)
    files += _dispute_files(tx, documents, row, folder, archive, missing)
    found.documents += len(files)
    before = row.trigger == "opening item"
    found.from_before += before
    if row.document is None and not before:
        missing.append("it has no document yet")
    notes = credit_notes.of_invoice(tx, row)
    for note in notes:
        if note.document is None:
            missing.append(f"credit note {note.number} has no document yet")
        said = {"digest": note.draft_digest, "draft": note.draft}
        name = f"{_safe(note.number)}.json"
        archive.add(f"{folder}/{name}", _json(said))
        files.append(name)
    found.missing += [f"{row.number}: {each}" for each in missing]
    if row.draft is not None:
        archive.add(f"{folder}/approved.json", _json({"digest": row.draft_digest, "draft": row.draft}))
        files.append("approved.json")
    with archive.entry(f"{folder}/trail.jsonl") as write:
        for event in audit_trail.trail(tx, row.id):
            write(trail_line(event).encode())
        head = {"head": {"invoice": row.id, "position": row.audit_position, "hash": row.audit_hash}}
        write((json.dumps(head, sort_keys=True) + "\n").encode())
    told = [*missing, FROM_BEFORE] if before else missing
    credited_by = tuple(each.number for each in notes)
    return Entry(row, folder, (*files, "trail.jsonl"), "; ".join(told), credited_by)


def _dispute_files(
    tx: Session,
    documents: DocumentStore,
    row: InvoiceRow,
    folder: str,
    archive: _Archive,
    missing: list[str],
) -> list[str]:
    """What the client sent with disputes; the names of the files, and into `missing` what is not there."""
    names = []
    for file in after_issue.files(tx, row):
        name = f"disputed-{file.dispute}-{file.sha256[:8]}-{_safe(file.name)}"
        try:
            archive.add(f"{folder}/{name}", documents.get(file.sha256))
            names.append(name)
        except (DocumentMissing, DocumentDamaged) as error:
            missing.append(f"{name}: {error}")
    return names


def _letters(tx: Session, documents: DocumentStore, scope: Scope, archive: _Archive, found: Exported) -> None:
    """Statements and other documents of the clients that are of no single invoice, by client and day."""
    company = company_records.current(tx).company
    billed = select(InvoiceRow.client).where(InvoiceRow.issuer == scope.issuer)
    named = [each.id for each in company.clients if each.issuer == scope.issuer]
    day = func.date(DocumentRow.made_at)
    query = (
        select(DocumentRow)
        .where(
            DocumentRow.invoice.is_(None),
            DocumentRow.erased_at.is_(None),
            DocumentRow.client == scope.client
            if scope.client
            else or_(DocumentRow.client.in_(named), DocumentRow.client.in_(billed)),
            day.between(scope.since, scope.until),
        )
        .order_by(DocumentRow.client, DocumentRow.made_at, DocumentRow.sha256)
    )
    for letter in tx.scalars(query.execution_options(yield_per=BATCH)):
        ending = {"application/pdf": ".pdf"}.get(letter.media_type, "")
        title = _safe(letter.name or letter.kind).removesuffix(ending)
        name = f"letters/{_safe(letter.client or '')}/{letter.made_at:%Y-%m-%d}-{title}-{letter.sha256[:8]}{ending}"
        try:
            archive.add(name, documents.get(letter.sha256), packed=letter.media_type != _PACKED_ALREADY)
            found.documents += 1
        except (DocumentMissing, DocumentDamaged) as error:
            found.missing.append(f"{name}: {error}")


def trail_line(event: AuditEventRow) -> str:
    """An event as its hash covers it, and the hash."""
    return (
        json.dumps({**audit_trail.content(event), "hash": event.hash}, sort_keys=True, ensure_ascii=True)
        + "\n"
    )


def _table(archive: _Archive, name: str, heads: tuple[str, ...], lines: Iterator[tuple[object, ...]]) -> None:
    with archive.entry(name) as write:
        write(("\ufeff" + _csv_line(heads)).encode())
        for line in lines:
            write(_csv_line(line).encode())


def _payments(tx: Session, scope: Scope) -> Iterator[tuple[object, ...]]:
    query = (
        select(PaymentRow, InvoiceRow.number)
        .join(InvoiceRow, InvoiceRow.id == PaymentRow.invoice)
        .where(_within(scope))
        .order_by(PaymentRow.received_on, PaymentRow.id)
    )
    for payment, number in tx.execute(query.execution_options(yield_per=BATCH)):
        yield (
            number,
            payment.key,
            payment.amount,
            payment.currency,
            payment.received_on,
            payment.source,
            payment.reference,
            payment.recorded_at.isoformat(),
            payment.recorded_by,
        )


def _versions(tx: Session, scope: Scope) -> list[int]:
    """The versions of the company under which these invoices were triggered."""
    query = select(InvoiceRow.company_version).where(_within(scope)).distinct()
    return sorted(tx.scalars(query))


def _company(tx: Session, version: int, scope: Scope) -> dict[str, Any]:
    """The records that applied, without those of other issuers and of other clients."""
    company = company_records.at_version(tx, version).company
    clients = [
        each for each in company.clients if each.issuer == scope.issuer and scope.client in (None, each.id)
    ]
    ids = {each.id for each in clients}
    own = company.model_copy(
        update={
            "issuers": tuple(each for each in company.issuers if each.id == scope.issuer),
            "clients": tuple(clients),
            "agreements": tuple(each for each in company.agreements if each.client in ids),
            "looks": tuple(each for each in company.looks if each.id == scope.issuer),
        }
    )
    return {"version": version, **own.model_dump(mode="json")}


def _index_line(entry: Entry) -> tuple[object, ...]:
    row = entry.row
    draft = row.draft or {}
    supply = draft.get("supply") or {}
    return (
        row.number,
        draft.get("kind", "invoice"),
        row.billing_key,
        row.client,
        (draft.get("buyer") or {}).get("name", ""),
        row.title,
        row.issue_date,
        supply.get("start", ""),
        supply.get("end", ""),
        row.due_date,
        row.currency,
        row.net,
        row.tax,
        row.gross,
        row.paid,
        row.credited,
        " ".join(entry.credit_notes),
        draft.get("preceding", ""),
        row.document_status,
        row.payment_status,
        " ".join(entry.files),
        entry.folder,
        entry.missing,
    )


def _folder(row: InvoiceRow, taken: set[str]) -> str:
    name = _safe(row.name)
    folder = name if name.casefold() not in taken else f"{name}-{row.id}"
    taken.add(folder.casefold())
    return f"invoices/{folder}"


def _file_name(document: DocumentRow, row: InvoiceRow, taken: set[str]) -> str:
    ending = {"application/pdf": ".pdf", "application/xml": ".xml"}.get(document.media_type, "")
    name = _safe(document.name or f"{row.number}{ending}")
    if name in taken:
        name = f"{document.sha256[:8]}-{name}"
    taken.add(name)
    return name


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".") or "-"


def _csv_line(cells: tuple[object, ...]) -> str:
    """A line; a text that a spreadsheet would take for a formula is kept text, figures stay figures."""
    line = io.StringIO()
    csv.writer(line).writerow(
        [f"'{each}" if isinstance(each, str) and _FORMULA.match(each) else each for each in cells]
    )
    return line.getvalue()


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, default=str, ensure_ascii=False) + "\n").encode()
