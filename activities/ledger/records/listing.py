"""What every list of records is asked for, and how a page of it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import Session

from activities.ledger.read_models import ReadModel
from activities.ledger.tables import InvoiceRow
from billing.errors import NotFound


@dataclass(frozen=True)
class Wanted:
    """Which records: of a client, of an invoice (its id), `open` those that are not over; behind the one of `after`."""

    client: str | None = None
    invoice: int | None = None
    open: bool | None = None
    after: int | None = None
    limit: int = 50


class Record(ReadModel):
    """Something about an invoice, named by its number, or by its billing key while it has none."""

    id: int
    invoice: str
    client: str
    currency: str


def about_invoices(kind: Any, wanted: Wanted, is_open: ColumnElement[bool] | None) -> Select[Any]:
    """Rows of a table that points at invoices, each with what names its invoice; `is_open` tells those not over."""
    query = (
        select(
            kind,
            InvoiceRow.number,
            InvoiceRow.billing_key,
            InvoiceRow.client.label("of_client"),
            InvoiceRow.currency,
        )
        .join(InvoiceRow, InvoiceRow.id == kind.invoice)
        .order_by(kind.id.desc())
        .limit(wanted.limit)
    )
    if wanted.client is not None:
        query = query.where(InvoiceRow.client == wanted.client)
    if wanted.invoice is not None:
        query = query.where(kind.invoice == wanted.invoice)
    return narrowed(query, kind.id, wanted, is_open)


def narrowed(
    query: Select[Any], key: Any, wanted: Wanted, is_open: ColumnElement[bool] | None
) -> Select[Any]:
    """The page that is wanted, of the open ones where those are."""
    if wanted.open is not None and is_open is not None:
        query = query.where(is_open if wanted.open else ~is_open)
    return query if wanted.after is None else query.where(key < wanted.after)


def one(tx: Session, kind: Any, key: int, called: str) -> Row[Any]:
    """The row of that id, as `about_invoices` has it; `NotFound`."""
    query = about_invoices(kind, Wanted(limit=1), None).where(kind.id == key)
    row = tx.execute(query).first()
    if row is None:
        raise NotFound(f"there is no {called} {key}")
    return row


def about(row: Row[Any]) -> dict[str, Any]:
    """What every record says of its invoice."""
    return {
        "id": row[0].id,
        "invoice": row.number or row.billing_key,
        "client": row.of_client,
        "currency": row.currency or "",
    }
