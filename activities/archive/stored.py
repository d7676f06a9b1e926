"""Every stored document against the hash under which the ledger knows it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Subquery, func, literal, select, union_all

from activities.documents.store import DocumentDamaged, DocumentMissing, DocumentStore
from activities.ledger.database import Ledger
from activities.ledger.tables import DisputeFileRow, DisputeRow, DocumentRow, InvoiceRow

BATCH = 200
"""Documents asked for in one transaction."""

AT_ONCE = 8
"""Documents read beside each other: a store across a network answers slowly, but many at a time."""


@dataclass(frozen=True)
class StoredDocument:
    """A document as the ledger knows it; `of` is the number of its invoice, or its client."""

    sha256: str
    size: int
    kind: str
    name: str
    of: str


@dataclass(frozen=True)
class Fault:
    """A document that is not there as it was stored, and why."""

    document: StoredDocument
    reason: str


def to_check(ledger: Ledger) -> int:
    """How many documents the ledger says are stored, files of disputes too; what was erased is none of them."""
    with ledger.transaction() as tx:
        return tx.scalar(select(func.count()).select_from(_known())) or 0


def check(ledger: Ledger, documents: DocumentStore) -> Iterator[Fault | None]:
    """For each document in turn, what is wrong with it, or None.

    Holds no transaction while it reads, and no document longer than it takes to hash it. `StoreUnavailable` or
    `StoreRefused` end it: they say nothing about a document.
    """
    with ThreadPoolExecutor(AT_ONCE, "verify") as pool:
        for batch in _batches(ledger):
            yield from pool.map(lambda each: _checked(documents, each), batch)


def _checked(documents: DocumentStore, document: StoredDocument) -> Fault | None:
    try:
        size = len(documents.get(document.sha256))
    except (DocumentMissing, DocumentDamaged) as error:
        return Fault(document, str(error))
    if size != document.size:
        return Fault(document, f"it has {size:,} bytes, but the ledger says {document.size:,}")
    return None


def _batches(ledger: Ledger) -> Iterator[list[StoredDocument]]:
    known = _known()
    last = ("", "", "")
    while True:
        with ledger.transaction() as tx:
            after = func.row(known.c.sha256, known.c.kind, known.c.of) > func.row(*last)
            query = select(known).where(after).order_by(known.c.sha256, known.c.kind, known.c.of)
            found = [StoredDocument(*each) for each in tx.execute(query.limit(BATCH))]
        if not found:
            return
        yield found
        last = (found[-1].sha256, found[-1].kind, found[-1].of)


def _known() -> Subquery:
    """Every document and every file of a dispute that is not erased. The same bytes may be known as both."""
    of = func.coalesce(InvoiceRow.number, InvoiceRow.billing_key)
    documents = (
        select(
            DocumentRow.sha256,
            DocumentRow.size,
            DocumentRow.kind,
            DocumentRow.name,
            func.coalesce(of, DocumentRow.client, "").label("of"),
        )
        .outerjoin(InvoiceRow, InvoiceRow.id == DocumentRow.invoice)
        .where(DocumentRow.erased_at.is_(None))
    )
    files = (
        select(
            DisputeFileRow.sha256,
            func.min(DisputeFileRow.size),
            literal("dispute file"),
            func.min(DisputeFileRow.name),
            of.label("of"),
        )
        .join(DisputeRow, DisputeRow.id == DisputeFileRow.dispute)
        .join(InvoiceRow, InvoiceRow.id == DisputeRow.invoice)
        .where(DisputeFileRow.erased_at.is_(None))
        .group_by(DisputeFileRow.sha256, of)
    )
    return union_all(documents, files).subquery("known")
