"""What a client has to its credit: paid too much for an invoice, or kept of a payment that matched none.

It is used for another invoice of the same client, issuer and currency, never across them: a pair of payments, so that
no cent is lost, and what was used for the wrong invoice can be taken back from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from activities.ledger import (
    company_exceptions,
    company_records,
    giving_up,
    invoices,
    notices,
    overpayments,
    payments,
    unmatched_payments,
)
from activities.ledger.actors import check_person
from activities.ledger.database import Ledger
from activities.ledger.tables import (
    ExceptionRow,
    GivingUpRow,
    InvoiceRow,
    PaymentRow,
    UnmatchedPaymentRow,
)
from billing.company import Company
from billing.errors import NotFound, Refused, WrongState
from billing.exceptions import Finding, ReasonCode
from billing.money import Money, rounded
from billing.status import ISSUED, PaymentStatus

SUBJECT = "credit/"
"""How the subject of an exception begins that asks whether credit is used for an invoice: `credit/<number>`."""


@dataclass(frozen=True)
class Credit:
    """Money of a client that stands on nothing it owes; `set_apart` of it is to be refunded, `left` can be used."""

    client: str
    issuer: str
    left: Money
    set_apart: Money
    since: date
    number: str | None = None
    payment: int | None = None

    @property
    def name(self) -> str:
        """The invoice's number, or `payment 7`."""
        return self.number or f"payment {self.payment}"


def of(tx: Session, client: str | None = None) -> list[Credit]:
    """What a client, or every client, has to its credit, oldest first."""
    company = company_records.current(tx).company
    paid = select(InvoiceRow).where(InvoiceRow.payment_status == PaymentStatus.OVERPAID)
    kept = select(UnmatchedPaymentRow).where(UnmatchedPaymentRow.kept_as_credit)
    if client is not None:
        paid = paid.where(InvoiceRow.client == client)
        kept = kept.where(UnmatchedPaymentRow.client == client)
    found = [_of_invoice(tx, row) for row in tx.scalars(paid.order_by(InvoiceRow.id))]
    found += [_of_payment(tx, each, company) for each in tx.scalars(kept.order_by(UnmatchedPaymentRow.id))]
    return sorted(
        (each for each in found if each.left.amount or each.set_apart.amount),
        key=lambda each: (each.client, each.left.currency, each.since, each.name),
    )


def source_of(tx: Session, reference: str, *, lock: bool = False) -> InvoiceRow | UnmatchedPaymentRow:
    """Where credit comes from: an invoice by number or billing key, or a payment as `payment 7` or `7`."""
    number = reference.strip().removeprefix("payment").strip()
    return (
        payment_of(tx, int(number), lock=lock)
        if number.isdecimal()
        else invoices.find(tx, reference, lock=lock)
    )


def payment_of(tx: Session, payment: int, *, lock: bool = False) -> UnmatchedPaymentRow:
    """The payment without invoice of that id; `NotFound`."""
    found = tx.get(UnmatchedPaymentRow, payment, with_for_update=lock) if 0 < payment < 2**63 else None
    if found is None:
        raise NotFound(f"there is no payment {payment}; `billow credit-balance` lists what can be used")
    return found


def use(
    tx: Session,
    source: InvoiceRow | UnmatchedPaymentRow,
    row: InvoiceRow,
    company: Company,
    *,
    amount: Money | None = None,
    key: str | None = None,
    by: str,
    channel: str,
    at: datetime,
) -> Money | None:
    """Pays an invoice with what was paid too much elsewhere, as much as it needs unless `amount` says less.

    All rows are locked before, invoices in the order of their ids. What was used; None if that was done already:
    without a key, the same amount from and for the same on the same day. `Refused` across clients, issuers and
    currencies, and for more than there is or is open.
    """
    check_person(company, by)
    return _use(tx, source, row, company, amount=amount, key=key, by=by, channel=channel, at=at)


def _use(
    tx: Session,
    source: InvoiceRow | UnmatchedPaymentRow,
    row: InvoiceRow,
    company: Company,
    *,
    amount: Money | None,
    key: str | None,
    by: str,
    channel: str,
    at: datetime,
) -> Money | None:
    name = source.number if isinstance(source, InvoiceRow) else f"payment {source.id}"
    today = at.astimezone(ZoneInfo(_issuer_zone(company, row))).date()
    if row.document_status not in ISSUED or row.number is None:
        raise WrongState(f"{row.billing_key} is {row.document_status}; only an issued invoice can be paid")
    key = key or f"{name}/{row.number}/{amount.amount if amount else 'all'}/{today.isoformat()}"
    if _used_already(tx, key):
        return None
    credit = _of_invoice(tx, source) if isinstance(source, InvoiceRow) else _of_payment(tx, source, company)
    _fits(credit, row)
    owed = Money.of(rounded(row.open_amount, row.currency or ""), row.currency or "")
    if owed.amount <= 0:
        raise WrongState(f"{row.number} is {row.payment_status}: nothing of it is open")
    if credit.left.amount <= 0:
        raise WrongState(
            f"nothing is left of {credit.name} to use: it is not paid too much, or set apart already"
        )
    wanted = amount or min(owed, credit.left, key=lambda each: each.amount)
    if wanted.currency != owed.currency or not 0 < wanted.amount <= min(owed.amount, credit.left.amount):
        raise Refused(
            f"{credit.left} are left of {credit.name}, and {owed} are open of {row.number}; use less, more than nothing"
        )
    book = partial(
        payments.record, tx, received_on=today, source=payments.CREDIT, by=by, channel=channel, at=at
    )
    into, of_it = f"{payments.CREDIT}/{key}", f"credit of {credit.name}"
    if isinstance(source, InvoiceRow):
        book(source, -wanted, key=f"{into}/out", reference=f"used for {row.number}")
        book(row, wanted, key=f"{into}/in", reference=of_it)
    else:
        source.allocated += wanted.amount
        book(row, wanted, key=f"{into}/in", reference=of_it, received_as=source.id)
    return wanted


def keep(
    tx: Session, payment: UnmatchedPaymentRow, client: str, company: Company, *, by: str, at: datetime
) -> Money:
    """Keeps what is left of a payment without invoice (locked before) as credit of a client; what that is."""
    check_person(company, by)
    if company.client(client) is None:
        raise NotFound(f"there is no client {client!r} in the company that runs; see clients.yaml for ids")
    if payment.resolved_at is not None:
        raise WrongState(
            f"payment {payment.id} is decided already: {payment.resolution}, by {payment.resolved_by}"
        )
    rest = unmatched_payments.left(tx, payment)
    if rest.amount <= 0:
        raise WrongState(f"nothing is left of payment {payment.id} to keep")
    payment.client, payment.kept_as_credit = client, True
    payment.resolved_at, payment.resolved_by = at, by
    payment.resolution = f"kept as credit of {client}"
    return rest


def paid_back(tx: Session, payment_id: int, refund: GivingUpRow, *, by: str, at: datetime) -> None:
    """A payment without invoice was refunded; with nothing left of it, it is decided."""
    payment = tx.get_one(UnmatchedPaymentRow, payment_id, with_for_update=True)
    if payment.resolved_at is None and unmatched_payments.left(tx, payment).amount <= 0:
        payment.resolved_at, payment.resolved_by = at, by
        payment.resolution = f"paid back, refund {refund.id}"


def used_for(tx: Session, row: InvoiceRow) -> Money:
    """What credit pays of an invoice, less what was given back of it."""
    used = tx.scalar(
        select(func.coalesce(func.sum(PaymentRow.amount), 0)).where(
            PaymentRow.invoice == row.id,
            PaymentRow.source.in_((payments.CREDIT, payments.UNDONE)),
            PaymentRow.key.endswith("/in"),
        )
    )
    return Money.of(rounded(used or Decimal(0), row.currency or ""), row.currency or "")


def undo(
    tx: Session, booked: PaymentRow, company: Company, *, reason: str, by: str, channel: str, at: datetime
) -> Money:
    """Takes what was booked for the wrong invoice from it again, to where it came from; what that was.

    The invoices it stands on are locked before. It was credit, or a payment without invoice, which somebody must decide
    about again. The invoice is owed again, at the level where it stood. `Refused` if the money went further since.
    """
    check_person(company, by)
    if not reason.strip():
        raise Refused("say why: it is taken from an invoice that counted as paid by it")
    origin = _origin(tx, booked)
    row = tx.get_one(InvoiceRow, booked.invoice)
    amount = Money.of(rounded(booked.amount, booked.currency), booked.currency)
    if _used_already(tx, f"{booked.id}", payments.UNDONE):
        raise WrongState(f"payment {booked.id} of {row.number} is taken back already")
    if row.paid < amount.amount:
        raise Refused(
            f"what was booked for {row.number} went on since, as refund or credit; take that back first"
        )
    today = at.astimezone(ZoneInfo(_issuer_zone(company, row))).date()
    take = partial(
        payments.record, tx, received_on=today, source=payments.UNDONE, by=by, channel=channel, at=at
    )
    key, why = f"{payments.UNDONE}/{booked.id}", reason.strip()
    take(row, -amount, key=f"{key}/in", reference=why, received_as=booked.received_as)
    if isinstance(origin, InvoiceRow):
        take(origin, amount, key=f"{key}/out", reference=why)
        return amount
    origin.allocated -= amount.amount
    if not origin.kept_as_credit:
        origin.resolved_at = origin.resolved_by = origin.resolution = origin.allocated_to = None
        origin.raised_at, origin.reminded_at, origin.escalations = at, None, origin.escalations + 1
        origin.deadline = at + timedelta(hours=company.exceptions.decide_within_hours)
        notices.payments_unmatched(tx, [origin], company, at=at)
    return amount


def undoable(tx: Session, row: InvoiceRow) -> frozenset[int]:
    """The ids of those bookings of an invoice that `undo` knows where to put, and that stand."""
    booked = tx.scalars(select(PaymentRow).where(PaymentRow.invoice == row.id)).all()
    gone = {each.key for each in booked if each.source == payments.UNDONE}
    return frozenset(
        each.id
        for each in booked
        if each.amount > 0
        and (each.received_as is not None or (each.source == payments.CREDIT and each.key.endswith("/in")))
        and f"{payments.UNDONE}/{each.id}/in" not in gone
    )


def touched_by(tx: Session, booked: PaymentRow) -> list[int]:
    """The ids of the invoices that undoing a booking changes, in the order in which they are locked."""
    origin = _origin(tx, booked)
    return sorted({booked.invoice, *([origin.id] if isinstance(origin, InvoiceRow) else [])})


def at_delivery(ledger: Ledger, billing_key: str, *, at: datetime) -> None:
    """Before a client is sent an invoice: what it has to its credit pays it, or somebody is asked, as policy says."""
    with ledger.transaction() as tx:
        row = invoices.find(tx, billing_key)
        company = company_records.current(tx).company
        if row.number is None or row.delivered_at is not None or row.open_amount <= 0:
            return
        usable = [each for each in of(tx, row.client) if each.left.amount > 0 and _matches(each, row)]
        if not usable:
            return
        if company.payments.use_credit == "ask":
            _ask(tx, row, usable, company, at=at)
            return
        target, number = row.id, row.number
    for each in usable:
        with ledger.transaction() as tx:
            source, row = _locked(tx, each, target)
            credit = (
                _of_invoice(tx, source)
                if isinstance(source, InvoiceRow)
                else _of_payment(tx, source, company)
            )
            if row.open_amount > 0 and credit.left.amount > 0:
                key = f"at delivery/{each.name}/{number}"
                _use(tx, source, row, company, amount=None, key=key, by="billow", channel="workflow", at=at)


def attend(tx: Session, *, at: datetime) -> None:
    """Closes the questions whether credit is used for an invoice once nothing is owed for it, or no credit is left.

    Asks about what was paid too much where nobody ever was: by the release before, it was only seen.
    """
    _ask_about_what_was_there(tx, at=at)
    settled = []
    for subject in company_exceptions.open_subjects(tx, SUBJECT):
        row = tx.scalars(select(InvoiceRow).where(InvoiceRow.number == subject.removeprefix(SUBJECT))).one()
        usable = any(each.left.amount > 0 and _matches(each, row) for each in of(tx, row.client))
        if row.open_amount <= 0 or not usable:
            settled.append(subject)
    company_exceptions.close_repaired(tx, settled, at=at)


def _ask_about_what_was_there(tx: Session, *, at: datetime) -> None:
    asked = exists().where(ExceptionRow.subject == overpayments.SUBJECT + InvoiceRow.number)
    never = select(InvoiceRow).where(InvoiceRow.payment_status == PaymentStatus.OVERPAID, ~asked)
    for row in tx.scalars(never.order_by(InvoiceRow.id).with_for_update(skip_locked=True)):
        overpayments.look(tx, row, at=at)


def lock(
    tx: Session, source: InvoiceRow | UnmatchedPaymentRow, row: InvoiceRow
) -> tuple[InvoiceRow | UnmatchedPaymentRow, InvoiceRow]:
    """Both, locked in the order of their ids, a payment after the invoices, and read afresh."""
    if isinstance(source, InvoiceRow):
        found = {each: invoices.locked(tx, each) for each in sorted({source.id, row.id})}
        return found[source.id], found[row.id]
    locked = invoices.locked(tx, row.id)
    tx.refresh(source, with_for_update=True)
    return source, locked


def _locked(tx: Session, credit: Credit, target: int) -> tuple[InvoiceRow | UnmatchedPaymentRow, InvoiceRow]:
    source = source_of(tx, credit.number or str(credit.payment))
    return lock(tx, source, tx.get_one(InvoiceRow, target))


def _ask(tx: Session, row: InvoiceRow, usable: Sequence[Credit], company: Company, *, at: datetime) -> None:
    had = ", ".join(f"{each.left} of {each.name}" for each in usable)
    owed = Money.of(rounded(row.open_amount, row.currency or ""), row.currency or "")
    company_exceptions.raise_one(
        tx,
        f"{SUBJECT}{row.number}",
        Finding(
            code=ReasonCode.OVERPAID,
            message=f"{row.client} has credit ({had}), and {owed} of {row.number} are open; "
            "use it for that invoice, or accept that it is paid in full",
            field="credit",
            left=row.number or "",
        ),
        company,
        client=row.client,
        at_stake=min(owed, *(each.left for each in usable), key=lambda each: each.amount),
        at=at,
    )


def _of_invoice(tx: Session, row: InvoiceRow) -> Credit:
    apart = giving_up.set_apart(tx, invoice=row.id)
    received = tx.scalar(select(func.max(PaymentRow.received_on)).where(PaymentRow.invoice == row.id))
    return Credit(
        client=row.client,
        issuer=row.issuer or "",
        left=overpayments.undecided(tx, row),
        set_apart=Money.of(rounded(apart, row.currency or ""), row.currency or ""),
        since=received or row.issue_date or date.min,
        number=row.number,
    )


def _of_payment(tx: Session, payment: UnmatchedPaymentRow, company: Company) -> Credit:
    if not payment.kept_as_credit or payment.client is None:
        raise Refused(
            f"nobody's credit is payment {payment.id}; allocate it, or keep it as credit of a client first"
        )
    refunds = giving_up.open_refunds_of(tx, payment.id)
    client = company.client(payment.client)
    return Credit(
        client=payment.client,
        issuer=client.issuer
        if client
        else "",  # a client that is gone has no other invoice; its credit is refunded
        left=unmatched_payments.left(tx, payment),
        set_apart=Money.of(rounded(refunds, payment.currency), payment.currency),
        since=payment.received_on,
        payment=payment.id,
    )


def _matches(credit: Credit, row: InvoiceRow) -> bool:
    return (credit.client, credit.issuer, credit.left.currency) == (row.client, row.issuer, row.currency)


def _fits(credit: Credit, row: InvoiceRow) -> None:
    if credit.number == row.number:
        raise Refused(f"{row.number} cannot be paid with what it was paid too much itself")
    if not _matches(credit, row):
        raise Refused(
            f"{credit.name} is credit of {credit.client} with {credit.issuer} in {credit.left.currency}, and "
            f"{row.number} is of {row.client} with {row.issuer} in {row.currency}; credit never moves across these"
        )


def _origin(tx: Session, booked: PaymentRow) -> InvoiceRow | UnmatchedPaymentRow:
    """Where the money of a booking came from."""
    if booked.received_as is not None and booked.amount > 0:
        return tx.get_one(UnmatchedPaymentRow, booked.received_as)
    if booked.source == payments.CREDIT and booked.amount > 0 and booked.key.endswith("/in"):
        out = tx.scalars(select(PaymentRow).where(PaymentRow.key == f"{booked.key[:-2]}out")).one()
        return tx.get_one(InvoiceRow, out.invoice)
    raise Refused(
        f"payment {booked.id} came from no credit and no unmatched payment; "
        "book money taken back with `billow pay` and a negative amount"
    )


def _used_already(tx: Session, key: str, kind: str = payments.CREDIT) -> bool:
    return tx.scalar(select(PaymentRow.id).where(PaymentRow.key == f"{kind}/{key}/in")) is not None


def _issuer_zone(company: Company, row: InvoiceRow) -> str:
    issuer = company.issuer(row.issuer or "") or company.issuers[0]
    return issuer.zone
