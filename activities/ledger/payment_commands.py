"""Commands about money that came in: each one transaction on the ledger, with an answer at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from activities.ledger import company_records, invoices, unmatched_payments
from activities.ledger.database import Ledger
from billing.approval_policy import Channel
from billing.errors import Refused
from billing.money import Money, rounded


@dataclass(frozen=True)
class Allocated:
    """What of an unmatched payment was booked for which invoice, and what is left of it."""

    parts: tuple[tuple[str, Money], ...]
    left: Money


def allocate(
    ledger: Ledger,
    payment: int,
    wanted: Sequence[tuple[str, Decimal | None]],
    *,
    by: str,
    channel: Channel,
    at: datetime,
) -> Allocated:
    """Books an unmatched payment for several invoices: for each as much as is said, else what is open of it.

    One invoice without an amount takes all that is left of the payment. All of it is booked, or nothing: `Refused` if
    one of them cannot be paid so.
    """
    with ledger.transaction() as tx:
        ids = [invoices.find(tx, reference).id for reference, _ in wanted]
        if len(set(ids)) < len(ids):
            raise Refused("an invoice is named twice; name each once, with the whole amount")
        rows = {each: invoices.locked(tx, each) for each in sorted(ids)}
        company = company_records.current(tx).company
        kept = unmatched_payments.find(tx, payment)
        parts = []
        for number, (_, amount) in zip(ids, wanted, strict=True):
            row, before = rows[number], unmatched_payments.left(tx, kept)
            if amount is None and len(wanted) > 1:
                amount = min(rounded(row.open_amount, before.currency), before.amount)
            unmatched_payments.allocate(
                tx, payment, row, company, amount=amount, by=by, channel=channel, at=at
            )
            parts.append((row.name, before - unmatched_payments.left(tx, kept)))
        return Allocated(tuple(parts), unmatched_payments.left(tx, kept))
