"""Credit notes of all invoices."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from activities.ledger import credit_notes
from activities.ledger.records.listing import Record, Wanted, about, about_invoices, one
from activities.ledger.tables import CreditNoteRow
from billing.money import rounded


class CreditNoteRecord(Record):
    """A credit note; amounts are positive. `document` is the SHA-256 of its PDF once there is one."""

    number: str
    issue_date: date
    reason: str
    whole: bool
    net: Decimal
    tax: Decimal
    gross: Decimal
    dispute: int | None
    asked_by: str
    document: str | None
    delivered_at: datetime | None


def list_credit_notes(tx: Session, wanted: Wanted) -> list[CreditNoteRecord]:
    """Credit notes; one is open while it is not delivered."""
    is_open = CreditNoteRow.delivered_at.is_(None)
    return [_credit_note(row) for row in tx.execute(about_invoices(CreditNoteRow, wanted, is_open))]


def read_credit_note(tx: Session, number: str) -> CreditNoteRecord:
    """The credit note of that number; `NotFound`."""
    return _credit_note(one(tx, CreditNoteRow, credit_notes.find(tx, number).id, "credit note"))


def _credit_note(row: Row[Any]) -> CreditNoteRecord:
    note: CreditNoteRow = row[0]
    return CreditNoteRecord(
        **about(row) | {"currency": note.currency},
        number=note.number,
        issue_date=note.issue_date,
        reason=note.reason,
        whole=note.whole,
        net=rounded(note.net, note.currency),
        tax=rounded(note.tax, note.currency),
        gross=rounded(note.gross, note.currency),
        dispute=note.dispute,
        asked_by=note.asked_by,
        document=note.document,
        delivered_at=note.delivered_at,
    )
