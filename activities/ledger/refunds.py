"""Refunds: money a client paid too much goes back. Booked when it went out, and only for what is still too much.

Agreed to, a refund waits for whoever pays it: a person by bank transfer, or a worker through the payment provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import (
    audit_trail,
    client_credit,
    giving_up,
    overpayments,
    payments,
    unmatched_payments,
)
from activities.ledger.giving_up import Kind, Status
from activities.ledger.tables import GivingUpRow, InvoiceRow, UnmatchedPaymentRow
from billing.company import Company
from billing.errors import Refused, WrongState
from billing.money import Money

BANK_TRANSFER = "bank transfer"
"""Paid by a person, who says when, or found on a bank statement."""


def ask(
    tx: Session,
    source: InvoiceRow | UnmatchedPaymentRow,
    company: Company,
    *,
    amount: Money | None,
    reason: str,
    method: str = BANK_TRANSFER,
    key: str | None,
    by: str,
    channel: str,
    at: datetime,
) -> tuple[GivingUpRow, bool]:
    """Asks to pay back what was paid too much for an invoice, or of a payment without one (locked before).

    Whether that is new: without a key, the same amount from the same source is the same refund on the same day. What is
    asked for is set apart. `Refused` for more than is there.
    """
    row = source if isinstance(source, InvoiceRow) else None
    payment = source if isinstance(source, UnmatchedPaymentRow) else None
    name = row.name if row else f"payment {source.id}"
    left = (
        overpayments.undecided(tx, row) if row else unmatched_payments.left(tx, payment) if payment else None
    )
    there = left.amount if left else Decimal(0)
    key = key or giving_up.key_of_day(tx, Kind.REFUND, name, amount, left=there, at=at)
    again = giving_up.asked_before(tx, Kind.REFUND, key, row, amount)
    if again is not None:
        return again, False
    if left is None or left.amount <= 0:
        raise WrongState(
            f"nothing is left of {name} to pay back: it is not paid too much, or set apart already"
        )
    wanted = amount or left
    if wanted.currency != left.currency or not 0 < wanted.amount <= left.amount:
        raise Refused(f"{left} of {name} are there to be paid back; ask for that much at most")
    found = giving_up.ask(
        tx,
        Kind.REFUND,
        wanted,
        company,
        row=row,
        payment=payment,
        reason=reason,
        key=key,
        method=method,
        by=by,
        channel=channel,
        at=at,
    )
    if row is not None:
        overpayments.look(tx, row, at=at)
    if found.status == Status.AGREED:
        giving_up.hand_on(tx, found, row, company, Status.AGREED, at=at)
    return found, True


def done(
    tx: Session,
    found: GivingUpRow,
    row: InvoiceRow | None,
    *,
    on: date,
    by: str,
    channel: str,
    reference: str = "",
    provider_reference: str | None = None,
    at: datetime,
) -> bool:
    """The money went out on a day: booked, and not owed to the client any more; False if that is known already.

    A refund that was withdrawn while it was under way is booked, too: the money is gone.
    """
    if found.status == Status.DONE:
        return False
    if found.status in (Status.ASKED, Status.REFUSED):
        raise WrongState(f"refund {found.id} is {found.status}; it must be agreed to before it is paid")
    giving_up.finish(found, at=at)
    found.provider_reference = provider_reference or found.provider_reference
    if row is not None:
        payments.record(
            tx,
            row,
            -giving_up.money(found),
            key=f"{Kind.REFUND}/{found.id}",
            received_on=on,
            source=payments.REFUND,
            by=by,
            channel=channel,
            reference=reference or found.reason,
            provider_reference=provider_reference,
            at=at,
        )
    elif found.unmatched is not None:
        client_credit.paid_back(tx, found.unmatched, found, by=by, at=at)
    return True


def failed(
    tx: Session, found: GivingUpRow, row: InvoiceRow | None, company: Company, *, error: str, at: datetime
) -> None:
    """It could not be paid: its owner is told what was said, and pays it otherwise, or withdraws it."""
    if found.status != Status.AGREED:
        raise WrongState(f"refund {found.id} is {found.status}; only one that is agreed to can fail")
    giving_up.hand_on(tx, found, row, company, Status.FAILED, at=at, error=error[:1000])
    if row is not None:
        audit_trail.record(
            tx,
            row,
            "refund failed",
            at=at,
            amount=found.amount,
            currency=found.currency,
            item=found.id,
            error=error[:300],
        )


def to_pay(tx: Session, *methods: str) -> Sequence[GivingUpRow]:
    """Refunds that are agreed to and not paid, oldest first; only those of these methods where any are named."""
    query = select(GivingUpRow).where(GivingUpRow.kind == Kind.REFUND, GivingUpRow.status == Status.AGREED)
    if methods:
        query = query.where(GivingUpRow.method.in_(methods))
    return tx.scalars(query.order_by(GivingUpRow.id)).all()
