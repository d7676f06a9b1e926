"""Open items of the system before Billow, taken over with where their collection stood."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, collection, disputes, invoices, payments, promises
from activities.ledger.tables import CollectionActRow, InvoiceRow
from billing.company import Company
from billing.errors import Refused
from billing.money import Money
from billing.opening_item import OpeningItem
from billing.payment_terms import late_from_day
from billing.status import CollectionStatus, DocumentStatus, PaymentStatus

_ONE_TAKES_OVER = 7220419
"""The key of the lock (PostgreSQL, advisory) under which opening items are taken over."""


def import_opening_item(
    tx: Session, item: OpeningItem, company: Company, version: int, *, by: str, at: datetime
) -> bool:
    """Takes over an open item of the system before; False if it is here already.

    Levels sent there count as done, so collection goes on with the next one.
    """
    billing_key = f"opening/{item.client}/{item.number.lower()}"
    # one after the other: no row is there yet that could be locked
    tx.execute(select(func.pg_advisory_xact_lock(_ONE_TAKES_OVER)))
    if _taken_over(tx, item, billing_key):
        return False
    client = company.client(item.client)
    if client is None:
        raise Refused(f"opening item {item.number}: there is no client {item.client!r}")
    collection.check_not_too_far(item.due_date, at.date())
    issued_at = datetime.combine(item.issue_date, datetime.min.time(), tzinfo=at.tzinfo)
    late_from = late_from_day(item.due_date, client.zone)
    row = InvoiceRow(
        billing_key=billing_key,
        request={"opening_item": item.model_dump(mode="json")},
        trigger="opening item",
        requested_by=by,
        requested_at=issued_at,
        took_part=[by],
        company_version=version,
        document_status=DocumentStatus.ISSUED,
        payment_status=PaymentStatus.UNPAID,
        collection_status=_stood_before(item, late_from, at),
        client=item.client,
        issuer=client.issuer,
        title=item.title,
        currency=item.currency,
        net=item.net,
        tax=item.tax,
        gross=item.gross,
        paid=Decimal(0),
        number=item.number,
        issue_date=item.issue_date,
        issued_at=issued_at,
        due_date=item.due_date,
        late_from=late_from,
        delivered_at=issued_at,
    )
    tx.add(row)
    tx.flush()
    audit_trail.record(
        tx,
        row,
        "taken over",
        at=at,
        actor=by,
        channel="cli",
        number=item.number,
        gross=item.gross,
        paid=item.paid,
    )
    if item.disputed:
        disputes.taken_over(tx, row, company, reason=item.disputed, by=by, at=at)
    if item.promised_for is not None:
        promises.taken_over(tx, row, on=item.promised_for, by=by, at=at)
    reminded_at = datetime.combine(
        item.last_reminded or item.due_date, datetime.min.time(), tzinfo=at.tzinfo
    ) + timedelta(hours=9)
    for level in range(1, item.levels_sent + 1):
        tx.add(
            CollectionActRow(
                invoice=row.id, act=f"reminder-{level}", planned_for=reminded_at, done_at=reminded_at
            )
        )
    if item.paid:
        payments.record(
            tx,
            row,
            Money.of(item.paid, item.currency),
            key=f"{billing_key}/paid-before",
            received_on=item.due_date,
            source="system before",
            by=by,
            channel="cli",
            at=at,
        )
    invoices.wake(tx, row, at)
    return True


def _taken_over(tx: Session, item: OpeningItem, billing_key: str) -> bool:
    """Whether it is here already. `Refused` if its number is that of another invoice: nobody could tell them apart."""
    same = or_(InvoiceRow.billing_key == billing_key, InvoiceRow.number == item.number)
    earlier = tx.scalars(select(InvoiceRow).where(same).order_by(InvoiceRow.id).limit(1)).first()
    if earlier is None:
        return False
    if earlier.billing_key != billing_key:
        raise Refused(
            f"{item.number} stands on an invoice of {earlier.client} already; "
            f"write it with a mark of the system before, such as OLD-{item.number}"
        )
    if earlier.number != item.number:
        raise Refused(
            f"{item.number} differs from {earlier.number} only in capitals; write one of them otherwise"
        )
    return True


def _stood_before(item: OpeningItem, late_from: datetime, at: datetime) -> CollectionStatus:
    """Where collection of an open item stood in the system before."""
    if item.disputed:
        return CollectionStatus.DISPUTED
    if item.promised_for is not None and item.promised_for >= at.date():
        return CollectionStatus.PROMISED
    return CollectionStatus.DUE if late_from <= at else CollectionStatus.NOT_DUE
