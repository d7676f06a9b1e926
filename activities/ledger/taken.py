"""What is billed or waived already, read from the living invoices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from activities.ledger.tables import InvoiceRow
from billing.periods import Period
from billing.status import DocumentStatus
from billing.taken import NOTHING, Taken


def of_agreement(tx: Session, agreement: str) -> Taken:
    """The living billing keys of one agreement and the periods they cover."""
    return of_agreements(tx, [agreement]).get(agreement, NOTHING)


def of_agreements(tx: Session, agreements: Iterable[str]) -> Mapping[str, Taken]:
    """The same for several agreements, with one query; an agreement without invoices is left out."""
    rows = tx.execute(
        select(
            InvoiceRow.agreement,
            InvoiceRow.item,
            InvoiceRow.billing_key,
            InvoiceRow.period_start,
            InvoiceRow.period_end,
        ).where(
            InvoiceRow.agreement.in_(list(agreements)),
            or_(InvoiceRow.document_status != DocumentStatus.VOIDED, InvoiceRow.rebill.is_(False)),
        )
    )
    keys: dict[str, set[str]] = defaultdict(set)
    periods: dict[str, dict[str, list[Period]]] = defaultdict(lambda: defaultdict(list))
    for agreement, item, key, start, end in rows:
        keys[agreement or ""].add(key)
        if start is not None and end is not None:
            periods[agreement or ""][item or ""].append(Period(start=start, end=end))
    return {
        agreement: Taken(
            keys=frozenset(found),
            periods={item: tuple(each) for item, each in periods[agreement].items()},
        )
        for agreement, found in keys.items()
    }
