"""Versions of the company: the newest, and how many open invoices run by older ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from activities.ledger.tables import CompanyVersionRow, InvoiceRow


@dataclass(frozen=True)
class Version:
    """A version of the company, and how many invoices that are not closed are pinned to it; `first` is one of them."""

    version: int
    applied_at: datetime
    applied_by: str
    invoices: int
    first: str


def versions(tx: Session, limit: int = 30) -> Sequence[Version]:
    """The newest version, and older ones that open invoices are pinned to, the newest first."""
    pinned = (
        select(
            InvoiceRow.company_version.label("version"),
            func.count().label("invoices"),
            func.min(func.coalesce(InvoiceRow.number, InvoiceRow.billing_key)).label("first"),
        )
        # as the partial index has it
        .where(literal_column("invoices.collection_status <> 'closed'"))
        .group_by(InvoiceRow.company_version)
        .subquery()
    )
    row = CompanyVersionRow
    newest = select(func.max(row.version)).scalar_subquery()
    query = (
        select(row.version, row.applied_at, row.applied_by, pinned.c.invoices, pinned.c.first)
        .outerjoin(pinned, pinned.c.version == row.version)
        .where((row.version == newest) | pinned.c.version.is_not(None))
        .order_by(row.version.desc())
        .limit(limit)
    )
    return [
        Version(version, at, by, invoices or 0, first or "")
        for version, at, by, invoices, first in tx.execute(query)
    ]
