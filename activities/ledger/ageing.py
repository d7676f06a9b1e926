"""What is owed, by currency and by how late it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from activities.ledger.read_models import ReadModel
from activities.ledger.tables import InvoiceRow
from billing.money import Money, rounded
from billing.status import DocumentStatus, PaymentStatus

BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
"""Days since the due date; current includes it."""

ALL = "all"


class Bucket(ReadModel):
    """How many invoices, and what of them is open in the currency."""

    invoices: int
    open: Decimal


def owed(tx: Session, client: str | None, at: datetime) -> dict[str, dict[str, Bucket]]:
    """For each currency every bucket, and all together: how many invoices, and what is open."""
    bucket = case(
        (InvoiceRow.late_from > at, BUCKETS[0]),
        *[(InvoiceRow.late_from > at - timedelta(days=30 * n), BUCKETS[n]) for n in (1, 2, 3)],
        else_=BUCKETS[4],
    )
    query = (
        select(InvoiceRow.currency, bucket, func.count(), func.sum(InvoiceRow.open_amount))
        .where(
            InvoiceRow.number.is_not(None),
            InvoiceRow.document_status.in_([DocumentStatus.ISSUED, DocumentStatus.DOCUMENT_PENDING]),
            InvoiceRow.payment_status.in_([PaymentStatus.UNPAID, PaymentStatus.PARTLY_PAID]),
        )
        .group_by(InvoiceRow.currency, bucket)
        .order_by(InvoiceRow.currency)
    )
    if client is not None:
        query = query.where(InvoiceRow.client == client)
    found: dict[str, dict[str, Bucket]] = {}
    for currency, name, count, amount in tx.execute(query):
        found.setdefault(currency, {})[name] = Bucket(invoices=count, open=rounded(amount, currency))
    return {currency: _filled(buckets, currency) for currency, buckets in found.items()}


def _filled(found: Mapping[str, Bucket], currency: str) -> dict[str, Bucket]:
    nothing = Money.zero(currency).amount
    whole = {name: found.get(name, Bucket(invoices=0, open=nothing)) for name in BUCKETS}
    return whole | {
        ALL: Bucket(
            invoices=sum(each.invoices for each in found.values()),
            open=sum((each.open for each in found.values()), nothing),
        )
    }
