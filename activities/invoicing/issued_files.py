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
from activities.ledger.tables import DocumentRow, InvoiceRow
from billing.document import InvoiceDocument
from billing.status import DocumentStatus

INVOICE, CII, UBL = "invoice", "cii", "ubl"
"""Kinds of documents: the PDF is what was issued; the XML says the same to programs."""

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
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", document.number)
    contents = [(INVOICE, rendered.pdf, f"{name}.pdf", "application/pdf")]
    if rendered.einvoice is not None:
        contents += [
            (CII, rendered.einvoice.cii, f"{name}-cii.xml", _XML),
            (UBL, rendered.einvoice.ubl, f"{name}-ubl.xml", _XML),
        ]
    files = tuple(
        File(kind, documents.put(data), len(data), file_name, media_type)
        for kind, data, file_name, media_type in contents
    )
    return Kept(files, rendered.versions, document.model_dump(mode="json", exclude={"draft"}))


def record(tx: Session, row: InvoiceRow, made: Kept, *, at: datetime) -> None:
    """Makes the stored files the invoice's documents."""
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
                made_from=dict(made.made_from) if file.kind == INVOICE else None,
            )
        )
    pdf, *others = made.files
    row.document = pdf.sha256
    row.document_status = DocumentStatus.ISSUED
    exceptions.close_repaired(tx, row, at=at)
    xml = {each.kind: each.sha256 for each in others}
    made_from = digest_of_facts(made.made_from)
    audit_trail.record(
        tx, row, "rendered", at=at, sha256=pdf.sha256, size=pdf.size, made_from=made_from, **xml
    )


def digest_of_facts(made_from: Mapping[str, Any] | None) -> str:
    """SHA-256, in hexadecimal, over what a document was made from besides the draft, as it is stored."""
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def ubl(tx: Session, row: InvoiceRow) -> DocumentRow | None:
    """The invoice's UBL; None where EN 16931 cannot say it, or it was issued before there was one."""
    found = select(DocumentRow).where(DocumentRow.invoice == row.id, DocumentRow.kind == UBL)
    return tx.scalars(found.order_by(DocumentRow.made_at.desc())).first()
