"""What a CRM or PSA is to be told about an invoice: written with the fact, carried by a worker, the newest counts.

One row a connection and invoice. A fact that comes while the one before is being told raises the row's `revision`, so
that it is told afterwards, and an older state never stays in the source over a newer one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import company_records
from activities.ledger.tables import BilledItemRow, InvoiceRow, WriteBackRow
from billing.connections import Connection, Port
from billing.hours import TIME
from billing.money import rounded
from billing.status import DocumentStatus, PaymentStatus

TOLD = frozenset(
    {
        "issued",
        "credited",
        "payment received",
        "payment taken back",
        "early payment discount",
        "written off",
        "write-off taken back",
        "refunded",
        "refund came back",
        "credit used",
        "credit received",
        "credit given back",
        "allocation undone",
    }
)
"""Events of the audit trail after which a source shows something else. The row must have its new status by then."""

PORTS = (Port.CRM, Port.PSA)

_OPEN = (WriteBackRow.done_at.is_(None),)

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)


def note(tx: Session, invoice: InvoiceRow, *, at: datetime) -> None:
    """Notes what the sources the invoice was made from are to show now; nothing where they show it already.

    Only connections that the invoice was assembled under: the ids of records of another system mean nothing there.
    """
    if invoice.number is None:
        return
    company = company_records.at_version(tx, invoice.company_version).company
    for connection in (each for each in company.connections if each.port in PORTS):
        key = (connection.id, invoice.id)
        known = tx.get(WriteBackRow, key, with_for_update=True, populate_existing=True)
        earlier = known.content["records"] if known else []
        records = sorted({*earlier, *_records(tx, invoice, connection)})
        if records:
            _write(tx, key, known, {**_content(invoice), "records": records}, at)


def _write(
    tx: Session, key: tuple[str, int], known: WriteBackRow | None, content: dict[str, object], at: datetime
) -> None:
    if known is None:
        made = insert(WriteBackRow).values(
            connection=key[0],
            invoice=key[1],
            content=content,
            revision=1,
            written_at=at,
            not_before=at,
            attempts=0,
        )
        tx.execute(made)
    elif known.content != content:
        known.content, known.written_at, known.not_before = content, at, at
        known.revision += 1
        known.attempts, known.done_at = 0, None


def _records(tx: Session, invoice: InvoiceRow, connection: Connection) -> Sequence[str]:
    """The vendor's ids of what the invoice bills: the deal in a CRM, time entries in a PSA."""
    if connection.port is Port.PSA:
        billed = select(BilledItemRow.item).where(
            BilledItemRow.invoice == invoice.id, BilledItemRow.source == TIME
        )
        return tx.scalars(billed).all()
    company = company_records.at_version(tx, invoice.company_version).company
    agreement = company.agreement(invoice.agreement or "")
    return [agreement.deal] if agreement and agreement.deal else []


def _content(invoice: InvoiceRow) -> dict[str, object]:
    currency = invoice.currency or ""
    return {
        "number": invoice.number,
        "status": status(invoice),
        "amount": f"{rounded(invoice.gross, currency):f}" if invoice.gross is not None else "",
        "currency": currency,
    }


def status(invoice: InvoiceRow) -> str:
    """How an issued invoice stands, in one word of the glossary: what became of the document comes before payment."""
    if invoice.document_status == DocumentStatus.CREDITED:
        return DocumentStatus.CREDITED
    if invoice.payment_status == PaymentStatus.UNPAID:
        return DocumentStatus.ISSUED
    return PaymentStatus(invoice.payment_status)


def due(tx: Session, at: datetime) -> Sequence[str]:
    """The connections that are to be told something now."""
    query = select(WriteBackRow.connection).where(*_OPEN, WriteBackRow.not_before <= at).distinct()
    return tx.scalars(query.order_by(WriteBackRow.connection)).all()


def next_of(tx: Session, connection: str, at: datetime) -> WriteBackRow | None:
    """The oldest row of a connection that is to be told now; it is not locked, for a fact must never wait for it."""
    query = select(WriteBackRow).where(
        *_OPEN, WriteBackRow.connection == connection, WriteBackRow.not_before <= at
    )
    return tx.scalars(query.order_by(WriteBackRow.written_at, WriteBackRow.invoice).limit(1)).first()


def done(tx: Session, told: WriteBackRow, *, at: datetime) -> bool:
    """Notes that the source shows that revision; False if there is a newer one, which is told next."""
    row = _locked(tx, told)
    if row.revision != told.revision:
        return False
    row.done_at, row.last_error = at, None
    return True


def failed(tx: Session, told: WriteBackRow, error: str, *, at: datetime) -> datetime:
    """Tries the row again later, each pause twice the last; returns when. A newer revision is no exception to that."""
    row = _locked(tx, told)
    row.attempts += 1
    row.last_error = error[:1000]
    row.not_before = at + min(_FIRST_PAUSE * 2 ** min(row.attempts - 1, 12), _LONGEST_PAUSE)
    return row.not_before


def put_off(tx: Session, connection: str, until: datetime) -> None:
    """Tells a connection nothing more before an instant: it is away, or refuses everything."""
    tx.execute(
        update(WriteBackRow)
        .where(*_OPEN, WriteBackRow.connection == connection, WriteBackRow.not_before < until)
        .values(not_before=until)
    )


def refused(tx: Session, connection: str) -> bool:
    """Whether the connection would not take something that is still to be told."""
    query = select(WriteBackRow.invoice).where(
        *_OPEN, WriteBackRow.connection == connection, WriteBackRow.last_error.is_not(None)
    )
    return tx.scalar(query.limit(1)) is not None


def open_by_connection(tx: Session) -> Mapping[str, int]:
    """By connection, how many invoices its source does not show yet as they are."""
    query = (
        select(WriteBackRow.connection, func.count().label("number"))
        .where(*_OPEN)
        .group_by(WriteBackRow.connection)
    )
    return {row.connection: row.number for row in tx.execute(query)}


def at_once(tx: Session, connection: str, at: datetime) -> int:
    """Has all that is open told now, whatever its pause: the connection was mended. Returns how many there are."""
    rows = tx.scalars(
        update(WriteBackRow)
        .where(*_OPEN, WriteBackRow.connection == connection)
        .values(not_before=at)
        .returning(WriteBackRow.invoice)
    ).all()
    return len(rows)


def _locked(tx: Session, told: WriteBackRow) -> WriteBackRow:
    key = (told.connection, told.invoice)
    return tx.get_one(WriteBackRow, key, with_for_update=True, populate_existing=True)
