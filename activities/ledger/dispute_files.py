"""Files a client sent with a dispute. They were made elsewhere: staff may save them, no page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import audit_trail
from activities.ledger.tables import DisputeFileRow, DisputeRow, InvoiceRow


@dataclass(frozen=True)
class SentFile:
    """A file that lies in the document store already; `name` is what the client calls it."""

    sha256: str
    name: str
    media_type: str
    size: int


def keep(
    tx: Session,
    row: InvoiceRow,
    dispute: DisputeRow,
    files: Sequence[SentFile],
    *,
    by: str,
    channel: str,
    at: datetime,
) -> None:
    """Adds the files to the dispute; the same bytes twice are one file. The caller locks the invoice."""
    for file in {each.sha256: each for each in files}.values():
        tx.add(
            DisputeFileRow(
                dispute=dispute.id,
                sha256=file.sha256,
                name=file.name,
                media_type=file.media_type,
                size=file.size,
                sent_at=at,
            )
        )
        audit_trail.record(
            tx,
            row,
            "file sent with dispute",
            at=at,
            actor=by,
            channel=channel,
            sha256=file.sha256,
            size=file.size,
        )


def of_invoice(tx: Session, row: InvoiceRow) -> Sequence[DisputeFileRow]:
    """Every file sent with a dispute about the invoice, oldest first."""
    files = select(DisputeFileRow).join(DisputeRow, DisputeRow.id == DisputeFileRow.dispute)
    return tx.scalars(
        files.where(DisputeRow.invoice == row.id).order_by(DisputeFileRow.sent_at, DisputeFileRow.name)
    ).all()


def find(tx: Session, dispute: int, sha256: str) -> DisputeFileRow | None:
    """One file of a dispute, unless it was erased."""
    found = tx.get(DisputeFileRow, (dispute, sha256))
    return found if found is not None and found.erased_at is None else None
