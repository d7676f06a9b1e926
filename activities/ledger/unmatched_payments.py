"""Payments nobody can tell the invoice of: a person allocates each, whole or in parts, or sets it aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import company_exceptions, company_records, giving_up, notices, payments
from activities.ledger.exceptions import attention_at, remind_or_escalate
from activities.ledger.tables import BankEntryRow, InvoiceRow, PaymentRow, UnmatchedPaymentRow
from billing.company import Company
from billing.errors import Conflicting, NotAllowed, NotFound, Refused, WrongState
from billing.exceptions import Finding, ReasonCode
from billing.matching import Suggestion
from billing.money import Money, rounded

PAID_BACK_TWICE = "paid-back-twice/"
"""How the subject of an exception about a payment begins that was refunded, and then taken back: its id follows."""


def record(
    tx: Session,
    amount: Money,
    *,
    key: str,
    received_on: date,
    payer: str,
    reference: str,
    source: str,
    by: str,
    company: Company,
    at: datetime,
    client: str | None = None,
    payer_account: str = "",
    suggestions: Sequence[Suggestion] = (),
) -> UnmatchedPaymentRow | None:
    """Keeps money that matches no invoice and tells its owner; None when the one with that key is kept already.

    `client` is whose money it is, where that is known, `suggestions` what it may be for.
    `Refused` unless money came in; `Conflicting` if the key was used for a payment of other figures or of an invoice.
    """
    if amount.amount <= 0:
        raise Refused(
            "only money that came in is kept without an invoice; book what was taken back for its invoice"
        )
    booked = tx.scalars(
        select(InvoiceRow.number)
        .join(PaymentRow, PaymentRow.invoice == InvoiceRow.id)
        .where(PaymentRow.key == key)
    ).first()
    if booked is not None:
        raise Conflicting(
            f"payment {key!r} is booked for {booked} already; use another key for another payment"
        )
    if _kept_already(tx, amount, key, received_on):
        return None
    incoming = Unmatched(
        key, amount, received_on, payer, reference, source, client or "", payer_account, suggestions
    )
    made = record_all(tx, [incoming], by=by, company=company, at=at).get(key)
    if made is None:  # kept in this very moment by somebody else
        _kept_already(tx, amount, key, received_on)
    return made


@dataclass(frozen=True)
class Unmatched:
    """Money that matches no invoice, as `record` keeps it."""

    key: str
    amount: Money
    received_on: date
    payer: str
    reference: str
    source: str
    client: str = ""
    payer_account: str = ""
    suggestions: Sequence[Suggestion] = ()


def record_all(
    tx: Session, payments: Sequence[Unmatched], *, by: str, company: Company, at: datetime
) -> dict[str, UnmatchedPaymentRow]:
    """Keeps what is not kept yet and tells its owners; what is new, by its key. All of it is money that came in."""
    if not payments:
        return {}
    new = insert(UnmatchedPaymentRow).on_conflict_do_nothing().returning(UnmatchedPaymentRow)
    values = [_row(each, by=by, company=company, at=at) for each in payments]
    made = {each.key: each for each in tx.scalars(new, values)}
    notices.payments_unmatched(tx, made.values(), company, at=at)
    return made


def _row(payment: Unmatched, *, by: str, company: Company, at: datetime) -> dict[str, Any]:
    return {
        "key": payment.key,
        "amount": payment.amount.amount,
        "currency": payment.amount.currency,
        "received_on": payment.received_on,
        "payer": payment.payer,
        "reference": payment.reference,
        "source": payment.source,
        "recorded_at": at,
        "recorded_by": by,
        "owner": company.exceptions.owner(ReasonCode.UNMATCHED_PAYMENT, payment.client),
        "client": payment.client or None,
        "payer_account": payment.payer_account,
        "suggestions": [_plain(each) for each in payment.suggestions],
        "raised_at": at,
        "deadline": at + timedelta(hours=company.exceptions.decide_within_hours),
        "escalations": 0,
    }


def with_key(tx: Session, key: str) -> UnmatchedPaymentRow:
    """The payment kept under that key, whatever became of it."""
    return tx.scalars(select(UnmatchedPaymentRow).where(UnmatchedPaymentRow.key == key)).one()


def _kept_already(tx: Session, amount: Money, key: str, received_on: date) -> bool:
    """Whether the payment with that key is kept. `Conflicting` if it is, but was another one."""
    earlier = tx.scalars(select(UnmatchedPaymentRow).where(UnmatchedPaymentRow.key == key)).first()
    if earlier is None:
        return False
    kept = Money.of(earlier.amount, earlier.currency)
    if (kept, earlier.received_on) != (amount, received_on):
        raise Conflicting(
            f"payment {key!r} is kept already with other figures: {kept} on {earlier.received_on}; "
            "use another key for another payment"
        )
    return True


def allocate(
    tx: Session,
    payment_id: int,
    row: InvoiceRow,
    company: Company,
    *,
    amount: Decimal | None = None,
    by: str,
    channel: str,
    at: datetime,
) -> UnmatchedPaymentRow:
    """Books what is left of the payment, or that much of it, for an issued invoice, locked before, and wakes it.

    Once nothing is left, the payment is decided. `Refused` with the reason when it is decided already, less is left,
    the invoice has no number or another currency, or the person is nobody here.
    """
    payment = _open_payment(tx, payment_id, company, by)
    rest = left(tx, payment)
    booked = Money.of(rest.amount if amount is None else amount, payment.currency)
    if not 0 < booked.amount <= rest.amount:
        raise Refused(
            f"{rest} are left of payment {payment.id}; book more than nothing, and no more than that"
        )
    before = _parts(tx, payment)
    payments.record(
        tx,
        row,
        booked,
        key=f"unmatched/{payment.key}" + (f"/{len(before) + 1}" if before else ""),
        received_on=payment.received_on,
        source=f"unmatched payment {payment.id}, {payment.source}",
        by=by,
        channel=channel,
        reference=" · ".join(said for said in (payment.payer, payment.reference) if said),
        received_as=payment.id,
        at=at,
    )
    payment.allocated += booked.amount
    payment.allocated_to = row.id
    _note_client(tx, payment, row.client)
    if left(tx, payment).amount == 0:
        numbers = dict.fromkeys([*before, row.name])
        _close(payment, f"booked for {', '.join(numbers)}", by=by, at=at)
    return payment


def left(tx: Session, payment: UnmatchedPaymentRow) -> Money:
    """What of the payment stands on no invoice, and is not to be paid back."""
    rest = payment.amount - payment.allocated - giving_up.set_apart(tx, payment=payment.id)
    return Money.of(rounded(rest, payment.currency), payment.currency)


def _parts(tx: Session, payment: UnmatchedPaymentRow) -> Sequence[str]:
    """The numbers of the invoices that parts of it were booked for, in the order in which they were."""
    query = (
        select(InvoiceRow.number)
        .join(PaymentRow, PaymentRow.invoice == InvoiceRow.id)
        .where(PaymentRow.received_as == payment.id, PaymentRow.key.startswith("unmatched/"))
        .order_by(PaymentRow.id)
    )
    return [number or "" for number in tx.scalars(query)]


def _note_client(tx: Session, payment: UnmatchedPaymentRow, client: str) -> None:
    """A person says whose money it is: the next payment from that account is known by it."""
    payment.client = payment.client or client
    if payment.payer_account:
        tx.execute(update(BankEntryRow).where(BankEntryRow.unmatched == payment.id).values(client=client))


def taken_back(tx: Session, payment: UnmatchedPaymentRow, why: str, *, by: str, at: datetime) -> None:
    """The bank took back a payment, locked before, of which nothing is booked: there is nothing left to decide.

    Nor is it credit of a client any more, nor refunded.
    """
    giving_up.end_of_payment(tx, payment.id, at=at)
    _look_for_refunds(tx, payment, why, at=at)
    if payment.resolved_at is None or payment.kept_as_credit:
        payment.kept_as_credit = False
        _close(payment, why, by=by, at=at)


def _look_for_refunds(tx: Session, payment: UnmatchedPaymentRow, why: str, *, at: datetime) -> None:
    """What was paid back of a payment that is taken back is gone twice: a person asks for it."""
    refunded = giving_up.set_apart(tx, payment=payment.id)
    if not refunded:
        return
    twice = Money.of(rounded(refunded, payment.currency), payment.currency)
    finding = Finding(
        code=ReasonCode.PAYMENT_REVERSED,
        message=f"payment {payment.id} of {payment.payer or 'somebody'} is {why}, and {twice} of it had been paid back "
        "before; ask the payer for it, then accept this",
        field="payment",
        left=f"payment {payment.id} {twice}",
    )
    company = company_records.current(tx).company
    company_exceptions.raise_one(
        tx,
        f"{PAID_BACK_TWICE}{payment.id}",
        finding,
        company,
        client=payment.client,
        at_stake=twice,
        at=at,
    )


def _plain(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "number": suggestion.number,
        "client": suggestion.client,
        "open": str(suggestion.amount),
        "currency": suggestion.currency,
        "reasons": list(suggestion.reasons),
    }


def set_aside(
    tx: Session, payment_id: int, company: Company, *, reason: str, by: str, at: datetime
) -> UnmatchedPaymentRow:
    """Closes what is left of the payment without booking it: not ours, or paid back. `Refused` without a reason."""
    payment = _open_payment(tx, payment_id, company, by)
    if not reason.strip():
        raise Refused("say why: setting a payment aside needs a reason")
    _close(payment, f"set aside: {reason.strip()}", by=by, at=at)
    return payment


def attend(tx: Session, company: Company, *, at: datetime) -> None:
    """Reminds owners half-way to the deadline, and past it goes up the line; it never ends with nobody."""
    still_open = (
        select(UnmatchedPaymentRow)
        .where(UnmatchedPaymentRow.resolved_at.is_(None))
        .order_by(UnmatchedPaymentRow.id)
        .with_for_update(skip_locked=True)
    )
    for payment in tx.scalars(still_open).all():
        if attention_at(payment) > at:
            continue
        remind_or_escalate(payment, company, at=at)
        notices.payments_unmatched(tx, [payment], company, at=at)


def find(tx: Session, payment_id: int, *, lock: bool = False) -> UnmatchedPaymentRow:
    """The payment with that id; `NotFound` otherwise."""
    found = 0 < payment_id < 2**63
    payment = tx.get(UnmatchedPaymentRow, payment_id, with_for_update=lock) if found else None
    if payment is None:
        raise NotFound(
            f"there is no unmatched payment {payment_id}; `billow inbox` lists those that are open"
        )
    return payment


def _open_payment(tx: Session, payment_id: int, company: Company, by: str) -> UnmatchedPaymentRow:
    """The payment, locked; an invoice it is booked for is locked before it, so that nobody deadlocks."""
    if by not in company.people_by_id:
        raise NotAllowed(f"{by!r} is not a person of this company; `--as` takes an id from people.yaml")
    payment = find(tx, payment_id)
    tx.refresh(payment, with_for_update=True)
    if payment.resolved_at is not None:
        raise WrongState(
            f"payment {payment.id} is decided already: {payment.resolution}, by {payment.resolved_by}"
        )
    return payment


def _close(payment: UnmatchedPaymentRow, resolution: str, *, by: str, at: datetime) -> None:
    payment.resolved_at, payment.resolved_by, payment.resolution = at, by, resolution
