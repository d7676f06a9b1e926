"""Money: payments, write-offs, refunds, and what is owed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from activities.ledger import ageing as ageing_of
from activities.ledger import (
    commands,
    company_records,
    payment_commands,
    settling_commands,
)
from activities.ledger.ageing import Bucket
from activities.ledger.database import Ledger
from activities.ledger.read_models import ReadModel
from activities.ledger.records.bookings import read_booking
from activities.ledger.records.payments import read_payment
from billing.errors import Refused
from billing.money import Currency, Figure
from billing.parties import Identifier, Strict
from starter.web.api.routes import Called, operations
from starter.web.api.shapes import (
    Amount,
    Changed,
    Id,
    IfMatch,
    ItemView,
    Money,
    Name,
    Ordered,
    Reason,
    Text,
    answers,
    key_of,
    unchanged,
)
from starter.web.callers import Caller
from starter.web.desk import zone_of

router = operations("Money")

_ABOUT = answers(404, 409, 412)
_OF_PAYMENT = answers(404, 409, 412)


class Payment(Strict):
    """Money that came in; below zero, money that was taken back."""

    amount: Figure
    currency: Currency
    received_on: date
    note: Text = ""


class UnmatchedPayment(Strict):
    """Money that came in, for nobody knows what."""

    amount: Amount
    currency: Currency
    received_on: date
    payer: Text = ""
    reference: Text = ""


class Kept(ReadModel):
    """The payment as it is kept."""

    id: int
    new: bool


class Share(Strict):
    """What of a payment is for which invoice: so much, else what is open of it."""

    invoice: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]+$")]
    amount: Amount | None = None


class Allocation(Strict):
    """Which invoices a payment is for; one alone without an amount takes all of it."""

    invoices: tuple[Share, ...] = Field(min_length=1, max_length=200)


class AllocatedPart(ReadModel):
    """What was booked for an invoice."""

    invoice: str
    amount: Decimal


class Allocated(ReadModel):
    """What was booked for which invoices, and what is left of the payment."""

    parts: tuple[AllocatedPart, ...]
    left: Decimal
    currency: str


class SetAside(Strict):
    """Why the payment is for no invoice."""

    reason: Reason


class KeepAsCredit(Strict):
    """Whose money it is."""

    client: Identifier


class UndoBooking(Strict):
    """Why it was booked wrongly."""

    reason: Reason


class Undone(ReadModel):
    """What was taken from which invoice again."""

    invoice: str
    amount: Decimal
    currency: str


class GiveUp(Strict):
    """Why, and how much: all that is open without an amount."""

    amount: Amount | None = None
    reason: Reason


class Refund(Strict):
    """Why, how much (all that was paid too much without an amount), and who pays it."""

    amount: Amount | None = None
    reason: Reason
    method: Literal["bank transfer", "stripe"] = "bank transfer"


class Asked(Changed):
    """What was asked for; done at once where the person may do so alone."""

    item: ItemView


class Ageing(ReadModel):
    """For each currency: how many invoices and how much is open, by days late."""

    as_of: datetime
    currencies: dict[str, dict[str, Bucket]]


def check_past(caller: Caller, day: date) -> None:
    """Refuses a day that is still to come where the company is at home: no money can have moved on it."""
    with caller.ledger.transaction() as tx:
        zone = zone_of(company_records.current(tx).company)
    if day > caller.at.astimezone(zone).date():
        raise Refused("money cannot have moved on a day that is still to come")


@router.post("/invoices/{invoice:path}/pay", operation_id="bookPayment", responses=_ABOUT)
def pay(order: Ordered, body: Payment) -> Changed:
    """Books a payment for an invoice.

    Without an Idempotency-Key, the same amount on the same day for the same invoice is the same payment.
    """
    check_past(order.caller, body.received_on)
    new = commands.pay(
        order.ledger,
        order.reference,
        body.amount,
        body.currency,
        key=order.key,
        received_on=body.received_on,
        note=body.note,
        **order.said,
    )
    return order.done(new=new)


@router.post("/invoices/{invoice:path}/write-off", operation_id="writeOff", responses=_ABOUT)
def write_off(order: Ordered, body: GiveUp) -> Asked:
    """Gives up what is open of an invoice, or part of it; unless one may alone, another person must agree."""
    item = settling_commands.write_off(
        order.ledger, order.reference, amount=body.amount, reason=body.reason, key=order.key, **order.said
    )
    return Asked(new=item.new, invoice=order.now(), item=ItemView.shown(item))


@router.post("/invoices/{invoice:path}/refund", operation_id="refundInvoice", responses=_ABOUT)
def refund(order: Ordered, body: Refund) -> Asked:
    """Pays back what was paid too much for an invoice; unless one may alone, another person must agree."""
    item = _refund(order.caller, order.ledger, order.reference, body, order.key)
    return Asked(new=item.new, invoice=order.now(), item=item)


@router.post("/payments/{payment}/refund", operation_id="refundPayment", responses=_OF_PAYMENT)
def refund_payment(caller: Called, payment: Id, body: Refund, if_match: IfMatch = None) -> ItemView:
    """Pays back what is left of a payment that is for no invoice."""
    return _refund(caller, _of_payment(caller, payment, if_match), f"payment {payment}", body, key_of(caller))


def _refund(caller: Caller, ledger: Ledger, source: str, body: Refund, key: str | None) -> ItemView:
    return ItemView.shown(
        settling_commands.refund(
            ledger, source, amount=body.amount, reason=body.reason, method=body.method, key=key, **caller.said
        )
    )


def _of_payment(
    caller: Caller, payment: int, if_match: str | None, with_invoices: Collection[str] = ()
) -> Ledger:
    return unchanged(
        caller,
        if_match,
        f"payment {payment}",
        lambda tx: read_payment(tx, payment, lock=True, with_invoices=with_invoices),
    )


@router.post("/payments", operation_id="keepPayment", responses=answers(409))
def keep_payment(caller: Called, body: UnmatchedPayment) -> Kept:
    """Keeps a payment nobody knows the invoice of, for a person to allocate.

    Without an Idempotency-Key, the same figures, payer and reference are the same payment.
    """
    check_past(caller, body.received_on)
    kept, new = commands.keep_unmatched(
        caller.ledger,
        body.amount,
        body.currency,
        key=key_of(caller),
        received_on=body.received_on,
        payer=body.payer,
        reference=body.reference,
        by=caller.person,
        at=caller.at,
    )
    return Kept(id=kept, new=new)


@router.post("/payments/{payment}/allocate", operation_id="allocatePayment", responses=_OF_PAYMENT)
def allocate(caller: Called, payment: Id, body: Allocation, if_match: IfMatch = None) -> Allocated:
    """Books an unmatched payment for one invoice or several: all of it, or nothing."""
    done = payment_commands.allocate(
        _of_payment(caller, payment, if_match, [each.invoice for each in body.invoices]),
        payment,
        [(each.invoice, each.amount) for each in body.invoices],
        **caller.said,
    )
    parts = tuple(AllocatedPart(invoice=number, amount=money.amount) for number, money in done.parts)
    return Allocated(parts=parts, left=done.left.amount, currency=done.left.currency)


@router.post("/payments/{payment}/set-aside", operation_id="setPaymentAside", responses=_OF_PAYMENT)
def set_aside(caller: Called, payment: Id, body: SetAside, if_match: IfMatch = None) -> Money:
    """Closes an unmatched payment without booking it; what it came to."""
    ledger = _of_payment(caller, payment, if_match)
    return Money.of(commands.set_aside(ledger, payment, reason=body.reason, by=caller.person, at=caller.at))


@router.post("/payments/{payment}/keep-credit", operation_id="keepAsCredit", responses=_OF_PAYMENT)
def keep_credit(caller: Called, payment: Id, body: KeepAsCredit, if_match: IfMatch = None) -> Money:
    """Keeps what is left of an unmatched payment as credit of a client; what that is."""
    ledger = _of_payment(caller, payment, if_match)
    return Money.of(
        settling_commands.keep_as_credit(ledger, payment, body.client, by=caller.person, at=caller.at)
    )


@router.post("/bookings/{booking}/undo", operation_id="undoBooking", responses=_OF_PAYMENT)
def undo(caller: Called, booking: Id, body: UndoBooking, if_match: IfMatch = None) -> Undone:
    """Takes from an invoice what was booked for it by mistake; `booking` is the id of one of its payments."""
    ledger = unchanged(
        caller, if_match, f"booking {booking}", lambda tx: read_booking(tx, booking, lock=True)
    )
    number, taken = settling_commands.undo(ledger, booking, reason=body.reason, **caller.said)
    return Undone(invoice=number, amount=taken.amount, currency=taken.currency)


@router.get("/ageing", operation_id="readAgeing")
def ageing(caller: Called, client: Name | None = None) -> Ageing:
    """What is owed, by currency and by how many days late it is; all together under `all`."""
    with caller.ledger.transaction() as tx:
        return Ageing(as_of=caller.at, currencies=ageing_of.owed(tx, client, caller.at))
