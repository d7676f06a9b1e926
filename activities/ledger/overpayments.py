"""What is paid too much for an invoice: an exception until it is refunded, used elsewhere or kept as credit."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.ledger import company_exceptions, company_records, giving_up
from activities.ledger.tables import InvoiceRow, PaymentRow
from billing.exceptions import Finding, ReasonCode
from billing.money import Money, rounded

SUBJECT = "overpaid/"
"""How the subject of such an exception begins: `overpaid/<number>`. Accepted means: kept as credit of the client."""

EARLY_PAYMENT = "early payment discount"
"""Source of what is waived, not received, when an invoice is paid early; also the event that says so."""

DIFFERENCE = "accepted difference"
"""Source of what is let pass, not received, as `payments.accept_difference` says; also the event that says so."""

WAIVED = (EARLY_PAYMENT, DIFFERENCE)
"""Sources of payments nobody made."""


def look(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """Raises the exception about an issued invoice (locked before), says what it is about now, or closes it.

    What is set apart for a refund is decided. What was kept as credit is not raised again while it stays the same.
    """
    left = undecided(tx, row)
    subject = f"{SUBJECT}{row.number}"
    if left.amount <= 0:
        company_exceptions.close_repaired(tx, [subject], at=at)
        return
    said = f"{row.number} is paid {left} too much"
    company_exceptions.raise_one(
        tx,
        subject,
        Finding(
            code=ReasonCode.OVERPAID,
            message=f"{said}; refund it, use it for another invoice, or keep it as credit",
            field="paid",
            left=f"{row.number} {left}",
        ),
        company_records.current(tx).company,
        client=row.client,
        at_stake=left,
        at=at,
    )


def undecided(tx: Session, row: InvoiceRow) -> Money:
    """What of the money paid too much for the invoice is set apart for no refund; zero or more."""
    too_much = of_client(tx, row)
    if too_much.amount <= 0:
        return too_much
    left = too_much.amount - giving_up.set_apart(tx, invoice=row.id)
    return Money.of(rounded(max(left, Decimal(0)), too_much.currency), too_much.currency)


def of_client(tx: Session, row: InvoiceRow) -> Money:
    """What of the money that stands on the invoice is the client's own: paid too much, or credited since; zero or more.

    What was waived, a discount say, is no money: nobody gets it back.
    """
    currency = row.currency or ""
    if row.open_amount >= 0:
        return Money.zero(currency)
    received = select(func.coalesce(func.sum(PaymentRow.amount), 0)).where(
        PaymentRow.invoice == row.id, PaymentRow.source.not_in(WAIVED)
    )
    too_much = min(-row.open_amount, tx.scalar(received) or Decimal(0))
    return Money.of(rounded(max(too_much, Decimal(0)), currency), currency)
