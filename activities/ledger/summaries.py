"""Invoices in rows: filtered, searched, newest first."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from activities.ledger import approvals
from activities.ledger.read_models import InvoiceFilter, InvoiceSummary
from activities.ledger.tables import ApprovalRow, ExceptionRow, InvoiceRow
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
    return or_(
        select(ApprovalRow.id)
        .where(ApprovalRow.invoice == InvoiceRow.id, ApprovalRow.status == approvals.WAITING)
        .exists(),
        select(ExceptionRow.id)
        .where(ExceptionRow.invoice == InvoiceRow.id, ExceptionRow.resolved_at.is_(None))
        .exists(),
    )


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
    """The invoices that match, newest request first; `Refused` for a status that does not exist."""
    query = (
        select(*_SUMMARY).order_by(InvoiceRow.requested_at.desc(), InvoiceRow.id.desc()).limit(wanted.limit)
    )
    for condition in _conditions(wanted, as_of):
        query = query.where(condition)
    return [InvoiceSummary.model_validate(summary_values(row._asdict(), as_of)) for row in tx.execute(query)]


def _conditions(wanted: InvoiceFilter, as_of: datetime) -> list[ColumnElement[bool]]:
    conditions = [_has_status(wanted.status, as_of)] if wanted.status else []
    if wanted.client:
        conditions.append(InvoiceRow.client == wanted.client)
    for word in wanted.text.split():
        searched = (InvoiceRow.billing_key, InvoiceRow.number, InvoiceRow.title, InvoiceRow.client)
        conditions.append(
            or_(*(column.icontains(word, autoescape=True) for column in searched), _is_named(word))
        )
    if wanted.before is not None:
        seen = select(InvoiceRow.requested_at).where(InvoiceRow.id == wanted.before).scalar_subquery()
        conditions.append(tuple_(InvoiceRow.requested_at, InvoiceRow.id) < tuple_(seen, wanted.before))
    return conditions


def _is_named(word: str) -> ColumnElement[bool]:
    """Whether the client's name, as on its latest draft, contains the word.

    Each client is looked at once (a walk along the index by client), since reading a hundred thousand drafts for
    their names takes half a second.
    """
    walk = select(func.min(InvoiceRow.client).label("client")).cte(recursive=True)
    further = select(func.min(InvoiceRow.client)).where(InvoiceRow.client > walk.c.client).scalar_subquery()
    clients = walk.union_all(select(further).where(walk.c.client.is_not(None)))
    drafted = aliased(InvoiceRow)
    name = (
        select(drafted.draft["buyer"]["name"].astext)
        .where(drafted.client == clients.c.client, drafted.draft.is_not(None))
        .order_by(drafted.due_date.desc())
        .limit(1)
        .scalar_subquery()
    )
    return InvoiceRow.client.in_(select(clients.c.client).where(name.icontains(word, autoescape=True)))


def _has_status(status: str, as_of: datetime) -> ColumnElement[bool]:
    match status:
        case "open":
            return is_open()
        case "late":
            return and_(is_open(), InvoiceRow.late_from <= as_of)
        case "waiting":
            return _waits_for_person()
    if status not in STATUSES:
        raise Refused(f"there is no status {status!r}; there are: {', '.join(STATUSES)}")
    return or_(
        InvoiceRow.document_status == status,
        InvoiceRow.payment_status == status,
        InvoiceRow.collection_status == status,
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
