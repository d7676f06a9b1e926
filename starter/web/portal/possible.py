"""What a client may do about its invoice now: what the page offers is what the ledger takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from activities.ledger import collection, disputes, promises, resending
from activities.ledger.promises import PromiseOutcome
from activities.ledger.tables import InvoiceRow
from billing.company import Company
from billing.draft import Draft


@dataclass(frozen=True)
class Possible:
    """`promise_until` is the last day that may be promised, None where none is taken; `copies` how many are left."""

    pay: bool = False
    dispute: bool = False
    lines: bool = False
    withdraw: bool = False
    promise_until: date | None = None
    copies: int = 0


def possible(tx: Session, row: InvoiceRow, company: Company, draft: Draft, at: datetime) -> Possible:
    """What is offered for the invoice as it stands."""
    if row.open_amount <= 0:
        return Possible()
    copies = max(resending.left_today(tx, row, at=at), 0) if row.document else 0
    if row.closed_at is not None:
        return Possible(pay=row.handed_over_at is not None, copies=copies)
    disputed = disputes.current(tx, row) is not None
    return Possible(
        pay=True,
        dispute=not disputed,
        lines=len(draft.lines) > 1,
        withdraw=disputed,
        promise_until=_promise_until(tx, row, company, at),
        copies=copies,
    )


def _promise_until(tx: Session, row: InvoiceRow, company: Company, at: datetime) -> date | None:
    policy = collection.policy_of(row, company)
    made = [each for each in promises.of_invoice(tx, row) if each.outcome != PromiseOutcome.WITHDRAWN]
    if collection.wholly_disputed(row) or len(made) >= policy.promises_per_invoice:
        return None
    furthest = min(timedelta(days=policy.promise_within_days), collection.FURTHEST)
    return collection.client_today(row, company, at) + furthest
