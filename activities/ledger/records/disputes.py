"""Disputes of all invoices, with the files clients sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from activities.ledger.read_models import DisputeFileView, DisputeView
from activities.ledger.records.listing import Record, Wanted, about, about_invoices, one
from activities.ledger.summaries import exact
from activities.ledger.tables import DisputeFileRow, DisputeRow


class DisputeRecord(Record, DisputeView):
    """A dispute; the bytes of a file are at `/disputes/{id}/files/{sha256}`, unless they were erased."""


def list_disputes(tx: Session, wanted: Wanted) -> list[DisputeRecord]:
    """Disputes with their files."""
    rows = tx.execute(about_invoices(DisputeRow, wanted, DisputeRow.ended_at.is_(None))).all()
    return _with_files(tx, rows)


def read_dispute(tx: Session, key: int) -> DisputeRecord:
    """The dispute of that id; `NotFound`."""
    return _with_files(tx, [one(tx, DisputeRow, key, "dispute")])[0]


def shown(found: DisputeRow, files: Iterable[DisputeFileRow], currency: str | None) -> DisputeView:
    """The dispute as its invoice shows it."""
    return DisputeView(
        id=found.id,
        code=found.code,
        reason=found.reason,
        lines=tuple(each["line"] for each in found.lines),
        amount=exact(found.amount, currency),
        opened_at=found.opened_at,
        opened_by=found.opened_by,
        channel=found.channel,
        owner=found.owner,
        deadline=found.deadline,
        outcome=found.outcome,
        answer=found.answer,
        ended_at=found.ended_at,
        ended_by=found.ended_by,
        files=tuple(
            DisputeFileView(
                sha256=each.sha256,
                name=each.name,
                media_type=each.media_type,
                size=each.size,
                sent_at=each.sent_at,
                erased_at=each.erased_at,
            )
            for each in files
        ),
    )


def _with_files(tx: Session, rows: Sequence[Row[Any]]) -> list[DisputeRecord]:
    files: dict[int, list[DisputeFileRow]] = {}
    sent = select(DisputeFileRow).where(DisputeFileRow.dispute.in_([row[0].id for row in rows]))
    for each in tx.scalars(sent.order_by(DisputeFileRow.sent_at, DisputeFileRow.sha256)):
        files.setdefault(each.dispute, []).append(each)
    return [
        DisputeRecord(**about(row) | dict(shown(row[0], files.get(row[0].id, ()), row.currency)))
        for row in rows
    ]
