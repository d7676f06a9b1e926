"""Refunds through the payment provider: what is agreed to goes back the way it came.

The provider is asked first whether it has paid a refund already, so that a crash between paying and booking pays
nothing twice. Booked is what the provider then says of the payment: as if it had told us by itself.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import company_records, giving_up, provider_payments, refunds
from activities.ledger.database import Ledger
from activities.ledger.tables import GivingUpRow, PaymentRow, UnmatchedPaymentRow
from activities.payments.provider import PaymentProvider
from activities.providers.http import at_most
from activities.providers.registry import adapter, provider_of
from billing.connections import Connection, Port
from billing.errors import Refused, SourceUnavailable
from billing.money import Money

_log = logging.getLogger("billow.refunds")

METHODS = ("stripe",)
"""Methods of refunds that are carried out here: names of providers."""

PATIENCE = 30.0
"""Seconds one refund may take at the provider."""


@dataclass(frozen=True)
class _Way:
    """The payment a refund goes back to, and the provider it came by."""

    connection: Connection
    payment: str
    amount: Money


def due(ledger: Ledger) -> list[int]:
    """The refunds that are agreed to and wait to be paid by a provider."""
    with ledger.transaction() as tx:
        return [each.id for each in refunds.to_pay(tx, *METHODS)]


def pay(ledger: Ledger, item: int, *, at: datetime) -> str:
    """Pays one refund and books it; what came of it, in a line. Paid before, nothing is paid.

    `SourceUnavailable` when it is to be tried again later. What the provider will never do is told to the refund's
    owner, who pays it otherwise.
    """
    with ledger.transaction() as tx:
        found, row = giving_up.locked(tx, item)
        if found.status != giving_up.Status.AGREED:
            return f"refund {item} is {found.status}"
        company = company_records.current(tx).company
        try:
            way = _way(tx, found)
        except Refused as refusal:
            refunds.failed(tx, found, row, company, error=str(refusal), at=at)
            return f"refund {item} failed: {refusal}"
    provider: PaymentProvider = adapter(way.connection)
    with ledger.transaction() as tx:
        provider_payments.alone(tx, way.connection.id)
        if (
            tx.get_one(GivingUpRow, item).status != giving_up.Status.AGREED
        ):  # in this moment, by somebody else
            return f"refund {item} waits no more"
        # the invoice is not locked while the provider takes its time: a refund withdrawn meanwhile is booked, too
        try:
            with at_most(PATIENCE):
                provider.refund(way.payment, way.amount, item=item)
                stands = provider.payment(way.payment)
        except Refused as refusal:
            found, row = giving_up.locked(tx, item)
            refunds.failed(tx, found, row, company, error=str(refusal), at=at)
            return f"refund {item} failed: {refusal}"
        if stands is None:
            raise SourceUnavailable(f"payment {way.payment} is not to be read; it is tried again later")
        title = provider_of(way.connection).title
        return provider_payments.take_in(tx, way.connection, title, stands, company, at=at)


def _way(tx: Session, found: GivingUpRow) -> _Way:
    """The newest payment by that provider of which so much is there. `Refused` where there is none."""
    company = company_records.current(tx).company
    connection = next(
        (each for each in company.connections if (each.port, each.provider) == (Port.PAYMENTS, found.method)),
        None,
    )
    if connection is None:
        raise Refused(f"no connection pays by {found.method}; pay it by bank transfer")
    amount = Money.of(found.amount, found.currency)
    for payment in _payments(tx, found):
        if sum(provider_payments.booked_on(tx, payment).values()) >= amount.amount or found.unmatched:
            return _Way(connection, payment, amount)
    raise Refused(
        f"no single payment by {provider_of(connection).title} covers {amount}; ask for it in parts, or pay it by "
        "bank transfer"
    )


def _payments(tx: Session, found: GivingUpRow) -> list[str]:
    """The provider's ids of what was paid there, the newest first."""
    if found.unmatched is not None:
        key = tx.get_one(UnmatchedPaymentRow, found.unmatched).key
        method, _, payment = key.partition("/")
        return [payment] if method == found.method else []
    rows = select(PaymentRow).where(PaymentRow.invoice == found.invoice, PaymentRow.amount > 0)
    own = [each for each in tx.scalars(rows.order_by(PaymentRow.id.desc())) if each.source == found.method]
    allocated = select(UnmatchedPaymentRow.key).where(
        UnmatchedPaymentRow.source == found.method,
        UnmatchedPaymentRow.id.in_(
            select(PaymentRow.received_as).where(PaymentRow.invoice == found.invoice, PaymentRow.amount > 0)
        ),
    )
    ids = [each.provider_reference for each in own if each.provider_reference]
    return [*ids, *(each.partition("/")[2] for each in tx.scalars(allocated))]
