"""The files of an issued invoice, kept for good: the PDF, and its e-invoice in both syntaxes beside it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.documents.rendering import Rendered
from activities.documents.store import DocumentStore
from activities.ledger import audit_trail, exceptions
from activities.ledger.tables import CreditNoteRow, DocumentRow, InvoiceRow
from billing.document import InvoiceDocument
from billing.status import DocumentStatus

INVOICE, CII, UBL = "invoice", "cii", "ubl"
"""Kinds of documents: the PDF is what was issued; the XML says the same to programs."""

CREDIT_NOTE, CREDIT_NOTE_CII, CREDIT_NOTE_UBL = "credit note", "credit note cii", "credit note ubl"
"""The same of a credit note, which stands among the documents of the invoice it corrects."""

KINDS = (INVOICE, CII, UBL)
CREDIT_NOTE_KINDS = (CREDIT_NOTE, CREDIT_NOTE_CII, CREDIT_NOTE_UBL)

_XML = "application/xml"


@dataclass(frozen=True)
class File:
    """A file in the store."""

    kind: str
    sha256: str
    size: int
    name: str
    media_type: str


@dataclass(frozen=True)
class Kept:
    """The files of one document, the PDF first, what made them, and what they were made from besides the draft."""

    files: tuple[File, ...]
    made_with: Mapping[str, str]
    made_from: Mapping[str, Any]


def store(documents: DocumentStore, rendered: Rendered, document: InvoiceDocument) -> Kept:
    """Puts the files into the store, which is safe to do twice. `DocumentNotStored` if it cannot take them."""
    name = _safe(document.number)
    pdf, cii, in_ubl = CREDIT_NOTE_KINDS if document.draft.kind.is_credit else KINDS
    contents = [(pdf, rendered.pdf, f"{name}.pdf", "application/pdf")]
    if rendered.einvoice is not None:
        contents += [
            (cii, rendered.einvoice.cii, f"{name}-cii.xml", _XML),
            (in_ubl, rendered.einvoice.ubl, f"{name}-ubl.xml", _XML),
        ]
    files = tuple(
        File(kind, documents.put(data), len(data), file_name, media_type)
        for kind, data, file_name, media_type in contents
    )
    return Kept(files, rendered.versions, document.model_dump(mode="json", exclude={"draft"}))


def record(tx: Session, row: InvoiceRow, made: Kept, *, at: datetime) -> None:
    """Makes the stored files the invoice's documents."""
    row.document = made.files[0].sha256
    row.document_status = DocumentStatus.ISSUED
    _keep(tx, row, made, "rendered", at=at)


def record_credit_note(
    tx: Session, row: InvoiceRow, note: CreditNoteRow, made: Kept, *, at: datetime
) -> None:
    """Makes the stored files the documents of a credit note of the invoice."""
    note.document = made.files[0].sha256
    _keep(tx, row, made, "credit note rendered", at=at, number=note.number)


def _keep(tx: Session, row: InvoiceRow, made: Kept, event: str, *, at: datetime, **said: str) -> None:
    pdf, *others = made.files
    for file in made.files:
        tx.merge(
            DocumentRow(
                sha256=file.sha256,
                invoice=row.id,
                kind=file.kind,
                media_type=file.media_type,
                name=file.name,
                size=file.size,
                made_with=dict(made.made_with),
                made_at=at,
                made_from=dict(made.made_from) if file is pdf else None,
            )
        )
    exceptions.close_repaired(tx, row, at=at)
    xml = {each.kind.removeprefix(f"{CREDIT_NOTE} "): each.sha256 for each in others}
    made_from = digest_of_facts(made.made_from)
    audit_trail.record(
        tx, row, event, at=at, sha256=pdf.sha256, size=pdf.size, made_from=made_from, **xml, **said
    )


def digest_of_facts(made_from: Mapping[str, Any] | None) -> str:
    """SHA-256, in hexadecimal, over what a document was made from besides the draft, as it is stored."""
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def ubl(tx: Session, row: InvoiceRow, note: CreditNoteRow | None = None) -> DocumentRow | None:
    """The UBL of the invoice, or of a credit note of it; None where EN 16931 cannot say it, or there was none then."""
    if note is not None:
        return files_of(tx, note).get(CREDIT_NOTE_UBL)
    found = select(DocumentRow).where(DocumentRow.invoice == row.id, DocumentRow.kind == UBL)
    return tx.scalars(found.order_by(DocumentRow.made_at.desc())).first()


def files_of(tx: Session, note: CreditNoteRow) -> Mapping[str, DocumentRow]:
    """The files of a credit note by kind (`CREDIT_NOTE_KINDS`); none before it is rendered."""
    name = _safe(note.number)
    names = (f"{name}.pdf", f"{name}-cii.xml", f"{name}-ubl.xml")
    found = select(DocumentRow).where(
        DocumentRow.invoice == note.invoice,
        DocumentRow.kind.in_(CREDIT_NOTE_KINDS),
        DocumentRow.name.in_(names),
    )
    return {each.kind: each for each in tx.scalars(found)}


def _safe(number: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", number)
