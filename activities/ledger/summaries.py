"""Invoices in rows: filtered, searched, in an order, page by page.

A page takes as long among a hundred thousand invoices as among a hundred: what is asked for stands in the query as
literals, so that the database plans for just that, and orders are those of the table's indices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    TEXT,
    Boolean,
    ColumnElement,
    Date,
    Select,
    SQLColumnExpression,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    select,
    text,
    tuple_,
    union,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from activities.ledger import approvals
from activities.ledger.read_models import InvoiceFilter, InvoiceSummary, Order
from activities.ledger.tables import (
    AMOUNT,
    CURRENCY_KEY,
    DUE_KEY,
    GROSS_KEY,
    INSTANT,
    ISSUED_KEY,
    OPEN_KEY,
    WORDS_KEY,
    ApprovalRow,
    ExceptionRow,
    InvoiceRow,
)
from billing.errors import Refused
from billing.money import rounded
from billing.status import CollectionStatus, DocumentStatus, PaymentStatus

OPEN, LATE, WAITING = "open", "late", "waiting"
STATUSES: tuple[str, ...] = tuple(
    dict.fromkeys([WAITING, OPEN, LATE, *DocumentStatus, *PaymentStatus, *CollectionStatus])
)
"""What `InvoiceFilter.status` may be: open (issued and unpaid), late (open and past due), waiting (for a
person), or a status of any axis."""

BUYER = InvoiceRow.draft["buyer"]["name"].astext
ZONE = InvoiceRow.draft["zone"].astext


def is_open() -> ColumnElement[bool]:
    # written as literals so that the planner can use a partial index whatever the driver prepares
    return literal_column(
        "invoices.number is not null and invoices.payment_status in ('unpaid', 'partly paid')"
        " and invoices.document_status <> 'credited'"
    )


def _waits_for_person() -> ColumnElement[bool]:
    return InvoiceRow.id.in_(
        union(
            select(ApprovalRow.invoice).where(ApprovalRow.status == approvals.WAITING),
            select(ExceptionRow.invoice).where(
                ExceptionRow.resolved_at.is_(None), ExceptionRow.invoice.is_not(None)
            ),
        )
    )


_ORDERS: dict[Order, tuple[ColumnElement[Any], ...]] = {
    "requested": (literal_column("requested_at", INSTANT),),
    "issued": (literal_column(ISSUED_KEY, Date),),
    "due": (literal_column(DUE_KEY, Date),),
    "client": (literal_column("client", TEXT),),
    "gross": (literal_column(CURRENCY_KEY, TEXT), literal_column(GROSS_KEY, AMOUNT)),
    "open": (literal_column(CURRENCY_KEY, TEXT), literal_column(OPEN_KEY, AMOUNT)),
}


_SUMMARY = (
    InvoiceRow.id,
    InvoiceRow.billing_key,
    InvoiceRow.generation,
    InvoiceRow.number,
    InvoiceRow.client,
    BUYER.label("buyer"),
    ZONE.label("zone"),
    InvoiceRow.title,
    InvoiceRow.currency,
    InvoiceRow.gross,
    InvoiceRow.paid,
    InvoiceRow.credited,
    InvoiceRow.written_off,
    InvoiceRow.document_status,
    InvoiceRow.payment_status,
    InvoiceRow.collection_status,
    InvoiceRow.issue_date,
    func.coalesce(InvoiceRow.agreed_due_date, InvoiceRow.due_date).label("due_date"),
    InvoiceRow.late_from,
    InvoiceRow.waits_for,
    InvoiceRow.then,
    InvoiceRow.next_at,
    InvoiceRow.requested_at,
    InvoiceRow.trigger,
)


def invoices(tx: Session, wanted: InvoiceFilter, as_of: datetime) -> list[InvoiceSummary]:
    """The invoices that match, newest request first or as asked; `Refused` for a status that does not exist."""
    query = _matching(wanted, as_of).limit(wanted.limit)
    found = [InvoiceSummary.model_validate(summary_values(row._asdict(), as_of)) for row in tx.execute(query)]
    return found if wanted.back is None else found[::-1]


def every_one(
    tx: Session, wanted: InvoiceFilter, as_of: datetime, at_once: int = 500
) -> Iterator[InvoiceSummary]:
    """All that match, from the first to the last, however many: read in turns, never all held at once.

    It is one reading of one instant; `tx` is to be kept open until it has ended.
    """
    query = _matching(wanted.model_copy(update={"before": None, "back": None}), as_of)
    for row in tx.execute(query.execution_options(yield_per=at_once)):
        yield InvoiceSummary.model_validate(summary_values(row._asdict(), as_of))


def _matching(wanted: InvoiceFilter, as_of: datetime) -> Select[Any]:
    keys = (*_ORDERS[wanted.order], InvoiceRow.id)
    falling = wanted.descending == (wanted.back is None)
    query = select(*_SUMMARY).order_by(*(key.desc() if falling else key.asc() for key in keys))
    for condition in _conditions(wanted, as_of):
        query = query.where(condition)
    if (edge := wanted.back if wanted.back is not None else wanted.before) is not None:
        reached = tuple_(*(_of(edge, key) for key in keys[:-1]), edge)
        query = query.where(tuple_(*keys) < reached if falling else tuple_(*keys) > reached)
    return query


def _of(invoice: int, key: SQLColumnExpression[Any]) -> Any:
    """The key of one invoice."""
    # the columns of the key are those of the table nearest to them: of this query, not of the one around it
    return (
        select(key)
        .select_from(InvoiceRow.__table__)
        .where(text("invoices.id = :edge").bindparams(edge=invoice))
        .correlate(None)
        .scalar_subquery()
    )


def _conditions(wanted: InvoiceFilter, as_of: datetime) -> list[ColumnElement[bool]]:
    conditions = [_has_status(wanted.status, as_of)] if wanted.status else []
    conditions += [
        column == _literal(value, TEXT())
        for column, value in (
            (InvoiceRow.client, wanted.client),
            (InvoiceRow.issuer, wanted.issuer),
            (InvoiceRow.currency, wanted.currency),
        )
        if value
    ]
    for key, first, last in (
        (ISSUED_KEY, wanted.issued_from, wanted.issued_to),
        (DUE_KEY, wanted.due_from, wanted.due_to),
    ):
        if first or last:
            between = (_literal(first or date.min, Date()), _literal(last or _LAST_DAY, Date()))
            conditions.append(literal_column(key, Date).between(*between))
    if words := _WORD.findall(wanted.text.lower()):
        # words are letters and digits alone: nothing in them could end the quotation
        asked = " & ".join(f"'{word[:_LONGEST_WORD]}':*" for word in words)
        conditions.append(literal_column(f"{WORDS_KEY} @@ {_quoted(asked)}::tsquery", Boolean))
    elif wanted.text.strip():
        conditions.append(false())
    return conditions


_WORD = re.compile(r"[^\W_]+")
_LONGEST_WORD = 100
_LAST_DAY = date(9999, 12, 30)
"""The last day there is: the one behind it is the mark of no day."""


def _literal(value: object, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    return bindparam(None, value, kind, literal_execute=True)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _has_status(status: str, as_of: datetime) -> ColumnElement[bool]:
    match status:
        case "open":
            return is_open()
        case "late":
            return and_(is_open(), InvoiceRow.late_from <= as_of)
        case "waiting":
            return _waits_for_person()
    for axis, column in _AXES:
        if status in list(axis):
            return column == _literal(status, TEXT())
    raise Refused(f"there is no status {status!r}; there are: {', '.join(STATUSES)}")


_AXES = (
    (DocumentStatus, InvoiceRow.document_status),
    (PaymentStatus, InvoiceRow.payment_status),
    (CollectionStatus, InvoiceRow.collection_status),
)


def summary_values(row: dict[str, Any], as_of: datetime) -> dict[str, Any]:
    """The fields of an `InvoiceSummary` from a row's columns, `buyer` (name) and `zone` (the client's)."""
    currency, gross = row["currency"], row["gross"]
    owed = gross is not None and row["number"] is not None and row["payment_status"] in _OWED
    late = owed and row["late_from"] is not None and row["late_from"] <= as_of
    return row | {
        "client_name": row["buyer"] or row["client"],
        "gross": exact(gross, currency),
        "paid": exact(row["paid"], currency),
        "credited": exact(row["credited"], currency),
        "written_off": exact(row["written_off"], currency),
        "open": None if gross is None else exact(_open(row), currency),
        "late": late,
        "days_late": _days_late(row["due_date"], row["late_from"], row["zone"], as_of) if late else 0,
    }


_OWED = (PaymentStatus.UNPAID, PaymentStatus.PARTLY_PAID)


def _open(row: dict[str, Any]) -> Decimal:
    """What is still owed, negative when too much was paid; nothing of a draft that is void."""
    if row["document_status"] == DocumentStatus.VOIDED:
        return Decimal(0)
    owed: Decimal = row["gross"] - row["credited"] - row["paid"] - row["written_off"]
    return owed


def _days_late(due: date, late_from: datetime, zone: str | None, as_of: datetime) -> int:
    """Calendar days since the due date in the client's zone; without one, days begun since it was late."""
    if zone:
        return (as_of.astimezone(ZoneInfo(zone)).date() - due).days
    return (as_of - late_from).days + 1


def exact(amount: Decimal | None, currency: str | None) -> Decimal | None:
    return amount if amount is None or currency is None else rounded(amount, currency)
