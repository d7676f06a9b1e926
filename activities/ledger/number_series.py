"""Number series in the ledger: the only place where a document gets its number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.invoicing.calendars import business_days
from activities.ledger import audit_trail, company_records, instalments, invoices
from activities.ledger.tables import CreditNoteRow, InvoiceRow, NumberSeriesRow
from billing.document_kind import DocumentKind, NumberSeries
from billing.errors import NumberingError, WrongState
from billing.instalments import schedule
from billing.number_pattern import pattern_of
from billing.numbering import NumberTaken, SeriesState, take_number
from billing.parties import Issuer
from billing.status import DocumentStatus


def issue(tx: Session, row: InvoiceRow, *, at: datetime, warnings: Sequence[str] = ()) -> str:
    """Gives the approved draft its number, issue date and due date, all in the caller's transaction.

    `warnings` are the rules validation found broken and let pass; the audit trail keeps them with the number.

    Asking twice returns the same number. The series is locked until the transaction ends, so numbers are
    gapless, unique and in order of date: a transaction that fails gives its number back. `NumberingError` if the
    next number stands on an opening item already.
    """
    if row.number is not None:
        return row.number
    if row.document_status not in (DocumentStatus.DRAFT, DocumentStatus.AWAITING_APPROVAL):
        raise WrongState(f"{row.billing_key} is {row.document_status}; only a draft can be issued")
    draft = invoices.draft_of(row)
    taken = take(tx, draft.issuer, draft.kind, at)
    row.number, row.issue_date, row.issued_at = taken.number, taken.issue_date, at
    client = company_records.at_version(tx, row.company_version).company.client(row.client)
    parts = schedule(draft, taken.issue_date, at, business_days(client, taken.issue_date) if client else None)
    row.due_date, row.late_from = parts[0].due_date, parts[0].late_from
    row.document_status = DocumentStatus.DOCUMENT_PENDING
    told: dict[str, Any] = {**instalments.told(parts), **({"warnings": list(warnings)} if warnings else {})}
    audit_trail.record(
        tx,
        row,
        "issued",
        at=at,
        number=taken.number,
        issue_date=taken.issue_date,
        due_date=row.due_date,
        gross=draft.due,
        currency=draft.currency,
        draft_digest=row.draft_digest,
        **told,
    )
    return taken.number


def take(tx: Session, issuer: Issuer, kind: DocumentKind, at: datetime) -> NumberTaken:
    """The next number of the issuer's series for that kind of document, and its issue date, in the issuer's zone.

    The series is locked until the caller's transaction ends; one that fails gives the number back. `NumberingError` if
    the number cannot be given: too long for the country, or on an opening item already.
    """
    series = _locked_series(tx, issuer.id, kind.series)
    state = SeriesState(year=series.year, last=series.last, last_date=series.last_date)
    taken = take_number(pattern_of(issuer, kind), state, at.astimezone(ZoneInfo(issuer.zone)).date())
    if tx.scalar(select(InvoiceRow.id).where(InvoiceRow.number == taken.number)) is not None or tx.scalar(
        select(CreditNoteRow.id).where(CreditNoteRow.number == taken.number)
    ):
        raise NumberingError(
            f"{taken.number} was given by the system before already, and no number may be left out; choose another "
            f"number_prefix for issuer {issuer.id!r}, apply it, and void this draft to be billed again"
        )
    series.year, series.last, series.last_date = taken.state.year, taken.state.last, taken.state.last_date
    return taken


def _locked_series(tx: Session, issuer: str, series: NumberSeries) -> NumberSeriesRow:
    tx.execute(
        insert(NumberSeriesRow)
        .values(issuer=issuer, document_type=series, year=0, last=0)
        .on_conflict_do_nothing()
    )
    return tx.scalars(
        select(NumberSeriesRow)
        .where(NumberSeriesRow.issuer == issuer, NumberSeriesRow.document_type == series)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
