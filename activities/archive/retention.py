"""What the ledger must keep, until when, and what may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, case, cast, func, not_, select
from sqlalchemy.dialects.postgresql import DATE
from sqlalchemy.orm import Session

from activities.ledger import company_records
from activities.ledger.tables import CreditNoteRow, DocumentRow, InvoiceRow
from billing.erased import ERASED_AT
from billing.retention import Kept, invoice_kept, letter_kept
from billing.status import CollectionStatus


@dataclass
class Holding:
    """Invoices of one issuer that are kept until one day, with their documents; and how many of them may go."""

    issuer: str
    country: str
    first: date
    last: date
    kept: Kept
    invoices: int = 0
    documents: int = 0
    unsettled: int = 0
    erased: int = 0
    settled_and_whole: int = 0

    def may_go(self, today: date) -> int:
        """Invoices whose time is over, that are settled, and not erased yet."""
        return self.settled_and_whole if self.kept.past(today) else 0


SETTLED: ColumnElement[bool] = (InvoiceRow.closed_at.is_not(None)) & (
    InvoiceRow.collection_status != CollectionStatus.HANDED_OVER
)
"""What is open, or handed over to somebody who still pursues it, is kept whatever its age."""

_NEWEST = func.greatest(
    InvoiceRow.issue_date,
    select(func.max(CreditNoteRow.issue_date))
    .where(CreditNoteRow.invoice == InvoiceRow.id)
    .scalar_subquery(),
)
"""An invoice is kept as long as its newest credit note, which says nothing without it."""

_ERASED = func.coalesce(InvoiceRow.draft.has_key(ERASED_AT), False)
_COUNTRY = InvoiceRow.draft["issuer"]["address"]["country"].astext
_STARTS = func.coalesce(InvoiceRow.draft["issuer"]["fiscal_year_starts"].astext, "")


def holdings(tx: Session) -> list[Holding]:
    """Every issued invoice, by issuer and the day until which it is kept; the oldest first."""
    month = cast(func.date_trunc("month", _NEWEST), DATE)
    stored = (
        select(func.count())
        .where(DocumentRow.invoice == InvoiceRow.id, DocumentRow.erased_at.is_(None))
        .scalar_subquery()
    )
    query = (
        select(
            InvoiceRow.issuer,
            func.coalesce(_COUNTRY, "").label("country"),
            _STARTS.label("starts"),
            month.label("month"),
            func.min(InvoiceRow.issue_date).label("first"),
            func.max(InvoiceRow.issue_date).label("last"),
            func.min(_NEWEST).label("newest"),
            func.count().label("invoices"),
            func.sum(stored).label("documents"),
            func.sum(case((SETTLED, 0), else_=1)).label("unsettled"),
            func.sum(case((_ERASED, 1), else_=0)).label("erased"),
            func.sum(case((SETTLED & not_(_ERASED), 1), else_=0)).label("whole"),
        )
        .where(InvoiceRow.number.is_not(None), InvoiceRow.issue_date.is_not(None))
        .group_by(InvoiceRow.issuer, "country", "starts", "month")
        .order_by(InvoiceRow.issuer, "month")
    )
    issuers = {each.id: each for each in company_records.current(tx).company.issuers}
    found: dict[tuple[str, str, Kept], Holding] = {}
    for row in tx.execute(query):
        issuer = issuers.get(row.issuer or "")
        country = row.country or (issuer.address.country if issuer else "")
        starts = int(row.starts) if row.starts else issuer.fiscal_year_starts if issuer else 1
        kept = invoice_kept(country, row.newest, starts)
        place = (row.issuer or "", country, kept)
        held = found.setdefault(place, Holding(row.issuer or "", country, row.first, row.last, kept))
        held.first, held.last = min(held.first, row.first), max(held.last, row.last)
        held.invoices += row.invoices
        held.documents += int(row.documents or 0)
        held.unsettled += int(row.unsettled)
        held.erased += int(row.erased)
        held.settled_and_whole += int(row.whole)
    return sorted(found.values(), key=lambda each: (each.issuer, each.first))


def kept(tx: Session, row: InvoiceRow, sent: date | None = None, booked: date | None = None) -> Kept:
    """How long an issued invoice is kept; with `sent`, a letter about it of that day; with `booked`, a record of money
    of that day, which is a voucher as the invoice is."""
    seller = (row.draft or {}).get("issuer") or {}
    country = (seller.get("address") or {}).get("country", "")
    starts = int(seller.get("fiscal_year_starts", 1))
    if not country:
        issuer = company_records.current(tx).company.issuer(row.issuer or "")
        country, starts = (issuer.address.country, issuer.fiscal_year_starts) if issuer else ("", 1)
    if sent is not None:
        return letter_kept(country, sent, starts)
    if booked is not None:
        return invoice_kept(country, booked, starts)
    newest = tx.scalar(select(_NEWEST).where(InvoiceRow.id == row.id))
    return invoice_kept(country, newest, starts) if newest else Kept(None, "it has no date")


def summed(holdings: Sequence[Holding], today: date) -> int:
    """How many invoices may go."""
    return sum(each.may_go(today) for each in holdings)
