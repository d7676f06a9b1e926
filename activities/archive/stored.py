"""Every stored document against the hash under which the ledger knows it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import func, select

from activities.documents.store import DocumentDamaged, DocumentMissing, DocumentStore
from activities.ledger.database import Ledger
from activities.ledger.tables import DocumentRow, InvoiceRow

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
    """How many documents the ledger says are stored; what was erased is none of them."""
    with ledger.transaction() as tx:
        return tx.scalar(select(func.count()).where(DocumentRow.erased_at.is_(None))) or 0


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
    last = ""
    while True:
        with ledger.transaction() as tx:
            found = tx.execute(
                select(
                    DocumentRow.sha256,
                    DocumentRow.size,
                    DocumentRow.kind,
                    DocumentRow.name,
                    func.coalesce(InvoiceRow.number, InvoiceRow.billing_key, DocumentRow.client, ""),
                )
                .outerjoin(InvoiceRow, InvoiceRow.id == DocumentRow.invoice)
                .where(DocumentRow.sha256 > last, DocumentRow.erased_at.is_(None))
                .order_by(DocumentRow.sha256)
                .limit(BATCH)
            ).all()
        if not found:
            return
        last = found[-1].sha256
        yield [StoredDocument(*each) for each in found]
