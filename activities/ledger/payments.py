"""Payments in the ledger."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import (
    audit_trail,
    giving_up,
    instalments,
    invoices,
    overpayments,
    owed_again,
    paid_back,
)
from activities.ledger.overpayments import DIFFERENCE as DIFFERENCE
from activities.ledger.overpayments import EARLY_PAYMENT as EARLY_PAYMENT
from activities.ledger.overpayments import WAIVED as WAIVED
from activities.ledger.tables import InvoiceRow, PaymentRow
from billing.draft import Draft
from billing.early_payment import Offer, discount_taken, offer, received_in_time, reduction
from billing.errors import Conflicting, Refused, WrongState
from billing.money import Money, rounded, total
from billing.status import CollectionStatus, PaymentStatus

REFUND = "refund"
"""Source of what was paid back because it was paid too much."""

CREDIT = "credit"
"""Source of what a client had to its credit and used: taken from one invoice, booked for another."""

UNDONE = "allocation undone"
"""Source of what was booked for the wrong invoice and is taken from it again."""

_EVENTS = {
    REFUND: ("refund came back", "refunded"),
    CREDIT: ("credit received", "credit used"),
    UNDONE: ("credit given back", "allocation undone"),
}
"""What the audit trail calls more and less money of a source; everything else was received or taken back."""


def record(
    tx: Session,
    row: InvoiceRow,
    amount: Money,
    *,
    key: str,
    received_on: date,
    source: str,
    by: str,
    channel: str,
    at: datetime,
    reference: str = "",
    fee: Decimal | None = None,
    provider_reference: str | None = None,
    received_as: int | None = None,
    difference: str = "",
) -> bool:
    """Books money for an issued invoice and wakes it; False when the payment with that key is booked already.

    A negative amount is money taken back. `fee` is what somebody kept of the amount, `provider_reference` the
    provider's id of it, `received_as` the unmatched payment it is part of. With a `difference`, which says why, it
    settles the invoice: what is open then, or too much, is let pass. `Refused` for the wrong currency, zero, or more
    taken back than was paid; `Conflicting` if the key was used for a payment of other figures or another invoice.
    """
    if row.number is None:
        raise WrongState(
            f"{row.billing_key} is {row.document_status}: it has no number yet, so nobody can pay it"
        )
    if amount.currency != row.currency:
        raise Refused(
            f"{row.number} is in {row.currency}, the payment in {amount.currency}; convert it first"
        )
    if amount.amount == 0:
        raise Refused("a payment of nothing changes nothing")
    if _booked_already(tx, row, amount, key, received_on):
        return False
    if amount.amount < 0 and source not in (REFUND, CREDIT):
        received = _sum_of(tx, row, _came())
        if received + amount.amount < 0:
            paid = _told(received, amount.currency)
            raise Refused(f"only {paid} were paid; no more can be taken back")
    made = tx.execute(
        insert(PaymentRow)
        .values(
            invoice=row.id,
            key=key,
            amount=amount.amount,
            currency=amount.currency,
            received_on=received_on,
            source=source,
            reference=reference,
            recorded_at=at,
            recorded_by=by,
            fee=fee,
            provider_reference=provider_reference,
            received_as=received_as,
        )
        .on_conflict_do_nothing()
        .returning(PaymentRow.id)
    ).scalar()
    if made is None:  # booked in this very moment for another invoice, whose lock we do not hold
        _booked_already(tx, row, amount, key, received_on)
        return False
    audited = _early_payment(tx, row, key=key, received_on=received_on, by=by, at=at)
    if amount.amount < 0 and source not in (REFUND, CREDIT):
        _difference_withdrawn(tx, row, key=key, received_on=received_on, by=by, channel=channel, at=at)
    row.paid = _sum_of(tx, row)
    _let_pass(tx, row, difference, key=key, received_on=received_on, by=by, channel=channel, at=at)
    taken_back = _moved(tx, row, at=at)
    more, less = _EVENTS.get(source, ("payment received", "payment taken back"))
    audit_trail.record(
        tx,
        row,
        more if amount.amount > 0 else less,
        at=at,
        actor=by,
        channel=channel,
        amount=amount.amount,
        currency=amount.currency,
        received_on=received_on,
        source=source,
        reference=reference,
        open=open_amount(row),
    )
    _tell_taken_back(tx, row, taken_back, at=at)
    _went_back(tx, row, amount, source, at=at)
    if audited:
        audit_trail.record(tx, row, EARLY_PAYMENT, at=at, actor=by, channel=channel, **audited)
    invoices.wake(tx, row, at)
    return True


def _went_back(tx: Session, row: InvoiceRow, amount: Money, source: str, *, at: datetime) -> None:
    if amount.amount < 0 and source not in (REFUND, CREDIT):
        paid_back.given_up_before(tx, row, -amount, at=at)


def bring_up_to_date(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """What follows when an invoice (locked before) was credited or written off; the caller records why, and wakes it.

    The payment status; instalments; whether it is owed again; what is paid too much; a discount for paying early is
    one on what is left; and a write-off that is not needed, since a credit note came after all, is taken back.
    """
    audited: dict[str, Any] = {}
    if row.paid:
        key = f"{row.number}/{row.audit_position}"
        audited = _early_payment(tx, row, key=key, received_on=at.date(), by="billow", at=at)
        row.paid = _sum_of(tx, row)
    _tell_taken_back(tx, row, _moved(tx, row, at=at), at=at)
    paid_back.over(tx, row, at=at)
    if audited:
        audit_trail.record(tx, row, EARLY_PAYMENT, at=at, **audited)


def _moved(tx: Session, row: InvoiceRow, *, at: datetime) -> Decimal:
    """Brings the invoice up to date; what of its write-off is taken back is for the caller to tell."""
    before = row.payment_status
    taken_back = min(max(-row.open_amount, Decimal(0)), row.written_off)
    row.written_off -= taken_back
    row.payment_status = payment_status(row)
    instalments.move_on(tx, row, at)
    if row.open_amount > 0 and row.collection_status == CollectionStatus.CLOSED:
        row.closed_at = row.handed_over_at
        row.collection_status = _reopened(row, at)
    if row.open_amount <= 0 or before == PaymentStatus.OVERPAID:
        giving_up.end_needless(tx, row, at=at)
    if row.open_amount <= 0:
        paid_back.over(tx, row, at=at)
    if PaymentStatus.OVERPAID in (before, row.payment_status):
        overpayments.look(tx, row, at=at)
    owed_again.look(tx, row, at=at)
    return taken_back


def _tell_taken_back(tx: Session, row: InvoiceRow, amount: Decimal, *, at: datetime) -> None:
    if amount:
        audit_trail.record(
            tx,
            row,
            "write-off taken back",
            at=at,
            amount=amount,
            currency=row.currency,
            open=row.open_amount,
        )


def _sum_of(tx: Session, row: InvoiceRow, *conditions: ColumnElement[bool]) -> Decimal:
    query = select(func.coalesce(func.sum(PaymentRow.amount), 0))
    return tx.scalar(query.where(PaymentRow.invoice == row.id, *conditions)) or Decimal(0)


def _came() -> ColumnElement[bool]:
    """What a client sent less what it took back itself: neither what was waived, nor what went on because it was too
    much, be it refunded or used for another invoice."""
    return or_(
        PaymentRow.source.not_in((*WAIVED, REFUND, CREDIT, UNDONE)),
        and_(PaymentRow.source == CREDIT, PaymentRow.amount > 0),
        and_(PaymentRow.source == UNDONE, PaymentRow.amount < 0),
    )


def _early_payment(
    tx: Session, row: InvoiceRow, *, key: str, received_on: date, by: str, at: datetime
) -> dict[str, Any]:
    """Books what is waived for paying early, or takes it back, now that the payment `key` has come; what to audit.

    Enough paid by the last day settles the invoice. Money taken back later, or the rest paid after all, ends or
    lessens the discount by a row of its own; a credit note lessens it, and what is enough, by its part of the whole.
    What is refunded, or used for another invoice, was paid too much and lessens nothing.
    """
    if not ((row.draft or {}).get("terms") or {}).get("early_payment") or row.issue_date is None:
        return {}
    draft = invoices.draft_of(row)
    offered = offer(draft, row.issue_date)
    if offered is None:
        return {}
    received = select(PaymentRow.received_on, PaymentRow.amount).where(PaymentRow.invoice == row.id, _came())
    payments = [(on, amount) for on, amount in tx.execute(received)]
    before = _sum_of(tx, row, PaymentRow.source == EARLY_PAYMENT)
    in_time = received_in_time(payments, offered.last_day)
    paid = total(amount for _, amount in payments)
    change = discount_taken(draft, offered, in_time, paid, row.credited) - before
    if change == 0:
        return {}
    why = f"{offered.percent.normalize():f} % until {offered.last_day.isoformat()}"
    _waive(tx, row, change, EARLY_PAYMENT, why, key=key, received_on=received_on, by=by, at=at)
    return _reduced(draft, offered, before, change)


def _let_pass(
    tx: Session,
    row: InvoiceRow,
    why: str,
    *,
    key: str,
    received_on: date,
    by: str,
    channel: str,
    at: datetime,
) -> None:
    """Settles the invoice if there is a reason why what is open, or too much, is let pass."""
    if why and row.open_amount:
        _book_difference(tx, row, row.open_amount, key, received_on, why, by=by, channel=channel, at=at)
        row.paid = _sum_of(tx, row)


def _difference_withdrawn(
    tx: Session, row: InvoiceRow, *, key: str, received_on: date, by: str, channel: str, at: datetime
) -> None:
    """Money was taken back: what was let pass because of it is owed again."""
    accepted = _sum_of(tx, row, PaymentRow.source == DIFFERENCE)
    if accepted:
        _book_difference(
            tx, row, -accepted, key, received_on, "money was taken back", by=by, channel=channel, at=at
        )


def _book_difference(
    tx: Session,
    row: InvoiceRow,
    difference: Decimal,
    key: str,
    received_on: date,
    reason: str,
    *,
    by: str,
    channel: str,
    at: datetime,
) -> None:
    _waive(tx, row, difference, DIFFERENCE, reason, key=key, received_on=received_on, by=by, at=at)
    said = {"amount": difference, "currency": row.currency, "reason": reason}
    audit_trail.record(tx, row, DIFFERENCE, at=at, actor=by, channel=channel, **said)


def _waive(
    tx: Session,
    row: InvoiceRow,
    amount: Decimal,
    source: str,
    why: str,
    *,
    key: str,
    received_on: date,
    by: str,
    at: datetime,
) -> None:
    """Books what nobody paid, or takes it back: because of the payment `key`, once a source."""
    tx.add(
        PaymentRow(
            invoice=row.id,
            key=f"{source}/{key}",
            amount=amount,
            currency=row.currency,
            received_on=received_on,
            source=source,
            reference=why,
            recorded_at=at,
            recorded_by=by,
        )
    )
    tx.flush()


def _reduced(draft: Draft, offered: Offer, before: Decimal, change: Decimal) -> dict[str, object]:
    """What the accounts must correct: net and each tax, as the whole discount now has them less what it had."""
    now, then = reduction(draft, before + change), reduction(draft, before)
    earlier = {each.tax: each for each in then.taxes}
    taxes = [
        {
            "name": each.tax.name,
            "category": each.tax.category,
            "rate": each.tax.rate,
            "tax": each.amount - (earlier[each.tax].amount if each.tax in earlier else 0),
        }
        for each in now.taxes
    ] or [
        {"name": each.tax.name, "category": each.tax.category, "rate": each.tax.rate, "tax": -each.amount}
        for each in then.taxes
    ]
    return {
        "amount": change,
        "net": now.net - then.net,
        "tax": now.tax - then.tax,
        "taxes": taxes,
        "currency": draft.currency,
        "percent": offered.percent,
        "last_day": offered.last_day,
    }


def _booked_already(tx: Session, row: InvoiceRow, amount: Money, key: str, received_on: date) -> bool:
    """Whether the payment with that key is booked. `Conflicting` if it is, but was another one."""
    earlier = tx.scalars(select(PaymentRow).where(PaymentRow.key == key)).first()
    if earlier is None:
        return False
    if (earlier.invoice, earlier.amount, earlier.received_on) != (row.id, amount.amount, received_on):
        raise Conflicting(
            f"payment {key!r} is booked already with other figures: {_told(earlier.amount, earlier.currency)} "
            f"on {earlier.received_on}; use another key for another payment"
        )
    return True


def _told(amount: Decimal, currency: str) -> str:
    return f"{rounded(amount, currency):,} {currency}"


def _reopened(row: InvoiceRow, at: datetime) -> CollectionStatus:
    """Where collection goes on once a settled invoice is owed again."""
    if row.handed_over_at:
        return CollectionStatus.HANDED_OVER
    if row.disputed:
        return CollectionStatus.DISPUTED
    late = row.late_from is not None and row.late_from <= at
    return CollectionStatus.DUE if late else CollectionStatus.NOT_DUE


def open_amount(row: InvoiceRow) -> Decimal:
    """What is still owed; negative when too much was paid."""
    return row.open_amount


def payment_status(row: InvoiceRow) -> PaymentStatus:
    """Where payment stands. An invoice that is credited as a whole and was never paid stays unpaid: nobody paid it."""
    owed = open_amount(row)
    if owed < 0:
        return PaymentStatus.OVERPAID
    if owed == 0 and row.written_off > 0:
        return PaymentStatus.WRITTEN_OFF
    if row.paid <= 0:
        return PaymentStatus.UNPAID
    return PaymentStatus.PARTLY_PAID if owed > 0 else PaymentStatus.PAID
