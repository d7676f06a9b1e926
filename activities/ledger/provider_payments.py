"""Money that came and went by a payment provider: booked from how a payment stands now, whatever told us to look.

Each movement has a key of its own, so messages may come twice and in any order. What stands at the provider is read
and booked under one lock a connection: nobody books what he read before somebody else booked what came after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from activities.ledger import (
    audit_trail,
    checkouts,
    company_exceptions,
    giving_up,
    invoices,
    paid_back,
    payments,
    refunds,
    unmatched_payments,
)
from activities.ledger.giving_up import Kind, Status, locked
from activities.ledger.tables import AuditEventRow, GivingUpRow, InvoiceRow, PaymentRow, UnmatchedPaymentRow
from activities.payments.provider import (
    Chargeback,
    CheckoutReport,
    Movement,
    MovementKind,
    PaymentReport,
    ProviderPayment,
)
from billing.company import Company
from billing.connections import Connection
from billing.errors import Refused
from billing.exceptions import Finding, ReasonCode
from billing.money import Money

CHANNEL = "webhook"

CHARGEBACK = "chargeback/"
"""How the subject of an exception begins that asks for an answer to a chargeback: `chargeback/<its id>`."""

BY_PROVIDER = "refund by the provider"
"""Source of what was owed and yet was given back there, by nobody here."""

_MONEY = 7220502
"""First half of the lock (PostgreSQL, advisory) under which what a provider says is read and booked."""

_BACK = frozenset({MovementKind.REFUND_FAILED, MovementKind.CHARGEBACK_WON})


@dataclass(frozen=True)
class _Taking:
    """What one look at a payment is booked with."""

    tx: Session
    connection: Connection
    title: str
    company: Company
    at: datetime

    @property
    def provider(self) -> str:
        return self.connection.provider


def alone(tx: Session, connection: str) -> None:
    """Nobody else reads and books what this provider says, until the transaction ends."""
    tx.execute(select(func.pg_advisory_xact_lock(_MONEY, func.hashtext(connection))))


def take_in(
    tx: Session, connection: Connection, title: str, report: PaymentReport, company: Company, *, at: datetime
) -> str:
    """Books all that is new of it, once; what came of that, in a line. The caller is `alone`.

    A payment for no invoice of ours, or in another currency, is kept as an unmatched payment. `Refused` where a person
    must first say what the money was for.
    """
    if isinstance(report, CheckoutReport):
        return checkouts.moved(tx, report, by=connection.id, at=at)
    taking = _Taking(tx, connection, title, company, at)
    told = [_received(taking, report), *(_moved(taking, report, each) for each in report.movements)]
    told += [_to_answer(taking, report, each) for each in report.chargebacks]
    told.append(_failed(taking, report))
    return "; ".join(filter(None, told)) or "nothing is new"


def booked_on(tx: Session, payment: str) -> dict[int, Decimal]:
    """By invoice, what of a provider's payment stands on it now; the invoice it was booked for last comes first.

    What moved after the payment is booked under `<payment>/<movement>`.
    """
    kept = select(UnmatchedPaymentRow.id).where(
        UnmatchedPaymentRow.key.endswith(f"/{payment}", autoescape=True)
    )
    query = (
        select(PaymentRow.invoice, func.sum(PaymentRow.amount))
        .where(
            or_(
                PaymentRow.provider_reference == payment,
                PaymentRow.provider_reference.startswith(f"{payment}/", autoescape=True),
                PaymentRow.received_as.in_(kept),
            )
        )
        .group_by(PaymentRow.invoice)
        .order_by(func.max(PaymentRow.id).desc())
    )
    return {invoice: amount for invoice, amount in tx.execute(query) if amount > 0}


def _received(taking: _Taking, report: ProviderPayment) -> str:
    """The money that came: for the invoice it was ordered for, or kept until a person says what it is for."""
    if report.received is None:
        return ""
    tx, key = taking.tx, f"{taking.provider}/{report.id}"
    booked = tx.scalars(select(PaymentRow).where(PaymentRow.key == key)).first()
    if booked is not None:
        if booked.fee is None and report.fee is not None:
            booked.fee = report.fee
            return f"fee of {report.fee} noted"
        return ""
    if tx.scalar(select(UnmatchedPaymentRow.id).where(UnmatchedPaymentRow.key == key)) is not None:
        return ""
    row = _invoice(tx, report)
    if row is None or row.currency != report.received.currency:
        return _kept(taking, report, report.received, row, key)
    payments.record(
        tx,
        row,
        report.received,
        key=key,
        received_on=_day(taking, row, report.received_at),
        source=taking.provider,
        by=taking.connection.id,
        channel=CHANNEL,
        reference=" · ".join(filter(None, (report.payer, report.id))),
        fee=report.fee,
        provider_reference=report.id,
        at=taking.at,
    )
    return f"{report.received} booked for {row.number}"


def _kept(taking: _Taking, report: ProviderPayment, received: Money, row: InvoiceRow | None, key: str) -> str:
    meant = f"for {row.number}, which is in {row.currency}" if row else ""
    unmatched_payments.record(
        taking.tx,
        received,
        key=key,
        received_on=_day(taking, row, report.received_at),
        payer=report.payer,
        reference=" · ".join(filter(None, (report.reference, meant, report.id))),
        source=taking.provider,
        by=taking.connection.id,
        company=taking.company,
        at=taking.at,
    )
    return f"{received} kept: it matches no invoice"


def _invoice(tx: Session, report: ProviderPayment) -> InvoiceRow | None:
    """The issued invoice the payment was ordered for, locked: as our own order says, or the page it was paid on."""
    named = select(InvoiceRow.id).where(
        InvoiceRow.billing_key == report.billing_key, InvoiceRow.number.is_not(None)
    )
    found = tx.scalars(named).first() if report.billing_key else None
    found = found if found is not None else checkouts.invoice_of(tx, report.id)
    return invoices.locked(tx, found) if found is not None else None


def _day(taking: _Taking, row: InvoiceRow | None, at: datetime) -> date:
    """The day of an instant where the issuer is."""
    issuer = taking.company.issuer(row.issuer or "") if row else None
    return at.astimezone(ZoneInfo((issuer or taking.company.issuers[0]).zone)).date()


def _moved(taking: _Taking, report: ProviderPayment, movement: Movement) -> str:
    """Money that was taken back of the payment, or came back after that."""
    tx = taking.tx
    reference = f"{report.id}/{movement.id}"
    if _known(tx, reference):
        return ""
    if movement.item is not None and movement.kind is MovementKind.REFUND:
        return _refunded(taking, movement, movement.item, reference)
    limits = (
        _taken(tx, f"{report.id}/{movement.after}") if movement.kind in _BACK else booked_on(tx, report.id)
    )
    of_kept = _of_kept(taking, report, movement, sum(limits.values(), Decimal(0)))
    parts = _parts(movement.amount.amount - of_kept, limits)
    for number, invoice in enumerate(sorted(parts), 1):
        row = invoices.locked(tx, invoice)
        source = _source(row, movement, parts[invoice])
        payments.record(
            tx,
            row,
            Money.of(parts[invoice], movement.amount.currency),
            key=f"{taking.provider}/{movement.id}" + (f"/{number}" if number > 1 else ""),
            received_on=_day(taking, row, movement.at),
            source=source,
            by=taking.connection.id,
            channel=CHANNEL,
            reference=" · ".join(filter(None, (movement.kind, movement.why, movement.id))),
            fee=movement.fee if number == 1 else None,
            provider_reference=reference,
            at=taking.at,
        )
        if source == BY_PROVIDER:
            back = Money.of(-parts[invoice], movement.amount.currency)
            paid_back.by_provider(tx, row, back, taking.company, where=taking.title, at=taking.at)
    if of_kept > 0:
        _kept_again(taking, report, movement, of_kept)
    elif of_kept < 0:
        _taken_of_kept(taking, report, movement, -of_kept, limits)
    return f"{movement.kind} of {movement.amount} booked" if parts or of_kept else ""


def _known(tx: Session, reference: str) -> bool:
    """Whether a movement is booked, be it for an invoice or as a refund of a payment without one."""
    booked = select(PaymentRow.id).where(PaymentRow.provider_reference == reference)
    refunded = select(GivingUpRow.id).where(
        GivingUpRow.provider_reference == reference, GivingUpRow.status == Status.DONE
    )
    return tx.scalars(booked.limit(1)).first() is not None or tx.scalars(refunded).first() is not None


def _taken(tx: Session, reference: str) -> dict[int, Decimal]:
    """By invoice, what a movement took, as positive figures."""
    query = select(PaymentRow.invoice, PaymentRow.amount).where(
        PaymentRow.provider_reference == reference, PaymentRow.amount < 0
    )
    return {invoice: -amount for invoice, amount in tx.execute(query.order_by(PaymentRow.id))}


def _parts(amount: Decimal, limits: dict[int, Decimal]) -> dict[int, Decimal]:
    """The amount over invoices in their order, to each at most so much; the last takes what is left over."""
    left, parts = abs(amount), {}
    for position, (invoice, limit) in enumerate(limits.items(), 1):
        part = left if position == len(limits) else min(left, limit)
        if part:
            parts[invoice] = part if amount > 0 else -part
        left -= part
    return parts


def _source(row: InvoiceRow, movement: Movement, amount: Decimal) -> str:
    """A refund of what was paid too much settles; one of what was owed takes the payment back."""
    if movement.kind in (MovementKind.CHARGEBACK, MovementKind.CHARGEBACK_WON):
        return "chargeback"
    too_much = movement.kind is MovementKind.REFUND_FAILED or -row.open_amount >= -amount
    return payments.REFUND if too_much else BY_PROVIDER


def _refunded(taking: _Taking, movement: Movement, item: int, reference: str) -> str:
    """A refund of ours is out."""
    found, row = locked(taking.tx, item)
    if found.kind != Kind.REFUND or Money.of(found.amount, found.currency) != -movement.amount:
        raise Refused(
            f"{-movement.amount} went back as refund {item}, which is {found.kind} of {found.amount}"
        )
    issued = refunds.done(
        taking.tx,
        found,
        row,
        on=_day(taking, row, movement.at),
        by=taking.connection.id,
        channel=CHANNEL,
        provider_reference=reference,
        at=taking.at,
    )
    return f"refund {item} is done" if issued else ""


def _of_kept(taking: _Taking, report: ProviderPayment, movement: Movement, booked: Decimal) -> Decimal:
    """What of the movement is of no invoice, with its sign: the payment was kept, and not all of it is allocated."""
    amount = movement.amount.amount
    rest = max(abs(amount) - booked, Decimal(0))
    kept = _kept_payment(taking, report)
    if kept is None or rest == 0:
        return Decimal(0)
    if movement.kind in _BACK:
        was_taken = (kept.resolution or "").endswith(f" {movement.after}")
        return rest if was_taken else Decimal(0)
    return -rest if kept.resolved_at is None or kept.kept_as_credit else Decimal(0)


def _taken_of_kept(
    taking: _Taking, report: ProviderPayment, movement: Movement, amount: Decimal, booked: dict[int, Decimal]
) -> None:
    """Taken back of money nobody has allocated: all of it closes the payment, a part waits for who allocates it."""
    tx, kept = taking.tx, _kept_payment(taking, report, lock=True)
    if kept is None:
        return
    paid_back = giving_up.set_apart(tx, payment=kept.id) - giving_up.open_refunds_of(tx, kept.id)
    if amount < kept.amount - kept.allocated - paid_back or not booked.keys() >= _invoices_of(tx, kept):
        raise Refused(
            f"{-movement.amount} of payment {kept.id} were taken back ({movement.kind}), and nobody has said what the "
            "payment was for; allocate it or set it aside, then run this again"
        )
    why = f"taken back by {taking.title}: {movement.kind} {movement.id}"
    unmatched_payments.taken_back(tx, kept, why, by=taking.connection.id, at=taking.at)


def _kept_again(taking: _Taking, report: ProviderPayment, movement: Movement, amount: Decimal) -> None:
    """What was taken of money nobody had allocated came back: somebody must say again what it is for."""
    kept = _kept_payment(taking, report)
    unmatched_payments.record(
        taking.tx,
        Money.of(amount, movement.amount.currency),
        key=f"{taking.provider}/{movement.id}/kept",
        received_on=_day(taking, None, movement.at),
        payer=report.payer,
        reference=" · ".join(filter(None, (movement.kind, report.reference, report.id))),
        source=taking.provider,
        by=taking.connection.id,
        company=taking.company,
        client=kept.client if kept else None,
        at=taking.at,
    )


def _kept_payment(
    taking: _Taking, report: ProviderPayment, *, lock: bool = False
) -> UnmatchedPaymentRow | None:
    """The payment as it was kept without an invoice, if it was."""
    query = select(UnmatchedPaymentRow).where(UnmatchedPaymentRow.key == f"{taking.provider}/{report.id}")
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return taking.tx.scalars(query).first()


def _invoices_of(tx: Session, kept: UnmatchedPaymentRow) -> frozenset[int]:
    """Those that parts of it stand on; read under its lock, none can be added."""
    query = select(PaymentRow.invoice).where(PaymentRow.received_as == kept.id)
    return frozenset(tx.scalars(query.group_by(PaymentRow.invoice).having(func.sum(PaymentRow.amount) > 0)))


def _to_answer(taking: _Taking, report: ProviderPayment, chargeback: Chargeback) -> str:
    """Somebody must answer a chargeback in time; decided, there is nothing left to do."""
    subject = CHARGEBACK + chargeback.id
    if chargeback.decided:
        company_exceptions.close_repaired(taking.tx, [subject], at=taking.at)
        return ""
    row = _invoice(taking.tx, report)
    until = f" until {chargeback.answer_by:%Y-%m-%d %H:%M} UTC" if chargeback.answer_by else ""
    about = (row.number if row else None) or report.id
    raised = company_exceptions.raise_one(
        taking.tx,
        subject,
        Finding(
            code=ReasonCode.PAYMENT_REVERSED,
            message=f"the payment of {chargeback.amount} for {about} is questioned by the client's bank "
            f"({chargeback.why}); answer it at {taking.title}{until}, or accept that the money is gone",
            field="payment",
            left=f"{about} {chargeback.amount}",
            right=f"{taking.title} {chargeback.id}",
        ),
        taking.company,
        client=row.client if row else None,
        at_stake=chargeback.amount,
        at=taking.at,
    )
    return "a chargeback is to be answered" if raised else ""


def _failed(taking: _Taking, report: ProviderPayment) -> str:
    """A payment that came to nothing: told on the invoice once an attempt."""
    if not report.failure:
        return ""
    checkouts.failed(taking.tx, report.id)
    row = _invoice(taking.tx, report)
    if row is None:
        return ""
    attempt = report.attempt or report.id
    told = select(AuditEventRow.position).where(
        AuditEventRow.invoice == row.id,
        AuditEventRow.event == "payment failed",
        AuditEventRow.facts["attempt"].astext == attempt,
    )
    if taking.tx.scalars(told).first() is not None:
        return ""
    audit_trail.record(
        taking.tx,
        row,
        "payment failed",
        at=taking.at,
        actor=taking.connection.id,
        channel=CHANNEL,
        why=report.failure,
        attempt=attempt,
    )
    invoices.wake(taking.tx, row, taking.at)
    return f"payment for {row.number} failed: {report.failure}"
