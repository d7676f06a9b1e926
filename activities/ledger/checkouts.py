"""Pages of a payment provider on which a client can pay what is open: one that can still be paid an invoice, if any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, invoices
from activities.ledger.tables import CheckoutRow, InvoiceRow
from activities.payments.provider import CheckoutPage, CheckoutReport, CheckoutStatus
from billing.money import Money

CHANNEL = "webhook"

UNDER_WAY_AT_MOST = timedelta(days=21)
"""How long a payment is waited for that a client has begun: a debit is confirmed within 14 business days.

SOURCE: https://docs.stripe.com/payments/sepa-debit
"""

_ENDED = (CheckoutStatus.PAID, CheckoutStatus.FAILED, CheckoutStatus.EXPIRED)


def note(
    tx: Session, row: InvoiceRow, connection: str, page: CheckoutPage, amount: Money, *, at: datetime
) -> None:
    """Keeps a page that was made for an invoice; told twice, it is one."""
    tx.execute(
        insert(CheckoutRow)
        .values(
            session=page.session,
            connection=connection,
            invoice=row.id,
            amount=amount.amount,
            currency=amount.currency,
            url=page.url,
            made_at=at,
            expires_at=page.expires_at,
            status=CheckoutStatus.OPEN,
        )
        .on_conflict_do_nothing()
    )


def of_invoice(tx: Session, row: InvoiceRow) -> Sequence[CheckoutRow]:
    """Every page that was made for the invoice, oldest first."""
    query = select(CheckoutRow).where(CheckoutRow.invoice == row.id)
    return tx.scalars(query.order_by(CheckoutRow.made_at, CheckoutRow.session)).all()


def under_way_until(tx: Session, row: InvoiceRow) -> datetime | None:
    """How long reminders wait for a payment the client has begun; None where none is under way."""
    query = select(func.max(CheckoutRow.made_at)).where(
        CheckoutRow.invoice == row.id, CheckoutRow.status == CheckoutStatus.UNDER_WAY
    )
    begun = tx.scalar(query)
    return begun + UNDER_WAY_AT_MOST if begun else None


def to_check(tx: Session, at: datetime) -> list[tuple[CheckoutRow, InvoiceRow]]:
    """Pages nobody may be to pay on any more, oldest first: past their time, or for less or more than is open."""
    query = (
        select(CheckoutRow, InvoiceRow)
        .join(InvoiceRow, InvoiceRow.id == CheckoutRow.invoice)
        .where(
            CheckoutRow.status == CheckoutStatus.OPEN,
            or_(func.coalesce(InvoiceRow.open_amount, 0) != CheckoutRow.amount, CheckoutRow.expires_at <= at),
        )
    )
    return [(page, row) for page, row in tx.execute(query.order_by(CheckoutRow.made_at, CheckoutRow.session))]


def moved(tx: Session, report: CheckoutReport, *, by: str, channel: str = CHANNEL, at: datetime) -> str:
    """A page stands as the provider says; what came of that, in a line.

    News that are older than what is known change nothing: a page that has ended stays so.
    """
    known = tx.get(CheckoutRow, report.session)
    if known is None:
        return f"page {report.session} is none of ours"
    row = invoices.locked(tx, known.invoice)
    tx.refresh(known, with_for_update=True)
    known.payment = report.payment or known.payment
    if known.status not in _ENDED and known.status != report.status and report.status != CheckoutStatus.OPEN:
        was, known.status = known.status, report.status
        if was == CheckoutStatus.UNDER_WAY:  # whatever waited for it looks again
            invoices.wake(tx, row, at)
        if report.status is CheckoutStatus.UNDER_WAY:
            facts = {"amount": known.amount, "currency": known.currency, "payment": known.payment}
            audit_trail.record(tx, row, "payment under way", at=at, actor=by, channel=channel, **facts)
    return f"page of {row.number} is {known.status}"


def failed(tx: Session, payment: str) -> None:
    """A payment that was under way came to nothing: the client may pay on another page."""
    under_way = select(CheckoutRow).where(
        CheckoutRow.payment == payment, CheckoutRow.status == CheckoutStatus.UNDER_WAY
    )
    for known in tx.scalars(under_way.with_for_update()).all():
        known.status = CheckoutStatus.FAILED


def gone(tx: Session, session: str) -> None:
    """The provider knows the page no more."""
    known = tx.get(CheckoutRow, session, with_for_update=True)
    if known is not None and known.status == CheckoutStatus.OPEN:
        known.status = CheckoutStatus.EXPIRED


def invoice_of(tx: Session, payment: str) -> int | None:
    """The id of the invoice whose page that payment was made on."""
    return tx.scalars(select(CheckoutRow.invoice).where(CheckoutRow.payment == payment)).first()
