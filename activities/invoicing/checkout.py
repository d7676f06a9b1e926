"""Paying by the payment provider: a client clicks, and gets a page for what is asked at that moment, or for all of it.

No page is made before somebody wants to pay, so none is out of date in an old mail. A second click gets the same
page. The provider is asked outside of any transaction; what it made is kept with its amount, and ended if nobody asks
for that any more.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from activities.ledger import checkouts, collection, company_records, instalments, invoices
from activities.ledger.database import Ledger
from activities.ledger.tables import CheckoutRow, InvoiceRow
from activities.payments.provider import CheckoutStatus, Order, PaymentProvider
from activities.payments.stand_in import STAND_IN, StandInCheckout
from activities.providers.http import at_most
from activities.providers.registry import adapter
from billing.company import Company
from billing.connections import Connection, Port
from billing.errors import BillowError, Refused, SourceUnavailable, WrongState
from billing.money import Money, rounded
from billing.status import DocumentStatus

_log = logging.getLogger("billow.checkout")

LASTS = timedelta(minutes=60)
"""How long a page can be paid on, and up to `_STEP` more: Stripe wants half an hour to a day."""

LEFT_AT_LEAST = timedelta(minutes=15)
"""A page with less time left is not handed out again."""

PATIENCE = 20.0
"""Seconds a client waits for the provider at most."""

_STEP = timedelta(minutes=30)


@dataclass(frozen=True)
class _Wanted:
    """What a click asks for, as the ledger had it at that moment."""

    order: Order
    connection: Connection
    made: str | None
    """The address of a page that can be handed out again."""


def amounts(tx: Session, row: InvoiceRow, company: Company, at: datetime) -> tuple[Money, ...]:
    """What the client may pay: what is asked of it now, then all that is open where that is more; one where they agree.

    All that is open, where everything is disputed: nothing is asked then, and nobody is kept from paying.
    """
    whole = Money.of(rounded(row.open_amount, row.currency or ""), row.currency or "")
    if whole.amount <= 0:
        return ()
    asked = instalments.asked_amount(tx, row, collection.client_today(row, company, at))
    now = Money.of(rounded(asked, whole.currency), whole.currency)
    return (now, whole) if 0 < now.amount < whole.amount else (whole,)


def offered(
    company: Company, row: InvoiceRow, amount: Money | None = None, *, stand_in: bool = False
) -> bool:
    """Whether so much of the invoice, all that is open unless told, can be paid by a provider now.

    Asks nobody, never raises. `stand_in`: in development, a page of our own stands in for a provider where none is
    connected.
    """
    if not _payable(row):
        return False
    amount = amount or Money.of(row.open_amount, row.currency or "")
    return _connection(company, row, amount, stand_in) is not None


def start(
    ledger: Ledger,
    reference: str,
    *,
    return_url: str,
    whole: bool = False,
    language: str = "en",
    stand_in: str = "",
    at: datetime,
) -> str:
    """The address of the page on which the client pays what is asked now; they come back to `return_url`.

    With `whole`, all that is open, be it due or not. `reference` is a number or billing key; `stand_in` the base
    address of the page that stands in for a provider in development. `WrongState` when nothing is open or a payment is
    under way, `Refused` where the provider will not take the amount, `SourceUnavailable` when it cannot be asked: each
    message can be shown to the client.
    """
    with ledger.transaction() as tx:
        wanted = _wanted(tx, reference, return_url, whole, language, bool(stand_in), at)
    if wanted.made is not None:
        return wanted.made
    with at_most(PATIENCE):
        provider = _adapter(wanted.connection, stand_in)
        page = provider.check_out(wanted.order)
    with ledger.transaction() as tx:
        row = invoices.find(tx, reference, lock=True)
        checkouts.note(tx, row, wanted.connection.id, page, wanted.order.amount, at=at)
        here = [each for each in _open(tx, row) if each.connection == wanted.connection.id]
        others = [each.session for each in here if each.session != page.session]
        company = company_records.current(tx).company
        still = wanted.order.amount in amounts(tx, row, company, at)
    close(ledger, others if still else [*others, page.session], provider, wanted.connection, at=at)
    if not still:
        raise WrongState("what is to be paid has changed in this moment; look at the amount and pay again")
    return page.url


def close(
    ledger: Ledger,
    sessions: Sequence[str],
    provider: PaymentProvider,
    connection: Connection,
    *,
    at: datetime,
) -> None:
    """Ends pages nobody shall pay on any more. Those the provider cannot end now, it ends later by itself."""
    for session in sessions:
        try:
            with at_most(PATIENCE):
                report = provider.close(session)
        except BillowError as error:
            _log.warning("page %s of %s is not ended: %s", session, connection.id, error)
            continue
        with ledger.transaction() as tx:
            if report is None:
                checkouts.gone(tx, session)
            else:
                checkouts.moved(tx, report, by=connection.id, channel="workflow", at=at)


def close_outdated(ledger: Ledger, *, at: datetime) -> int:
    """Ends the pages for what is asked no more, so that a client does not pay twice; how many there were."""
    with ledger.transaction() as tx:
        doubtful = checkouts.to_check(tx, at)
        if not doubtful:
            return 0
        company = company_records.current(tx).company
        found = [
            page for page, row in doubtful if page.expires_at <= at or not _fits(tx, page, row, company, at)
        ]
        by_connection: dict[str, list[str]] = {}
        for each in found:
            by_connection.setdefault(each.connection, []).append(each.session)
        connections = {each.id: each for each in company.connections}
    for name, sessions in by_connection.items():
        connection = connections.get(name)
        try:
            provider = adapter(connection) if connection else None
        except SourceUnavailable as error:
            _log.warning("pages of %s are not ended: %s", name, error)
            continue
        if connection and provider:
            close(ledger, sessions, provider, connection, at=at)
        else:
            with ledger.transaction() as tx:
                for session in sessions:
                    checkouts.gone(tx, session)
    return len(found)


def _fits(tx: Session, page: CheckoutRow, row: InvoiceRow, company: Company, at: datetime) -> bool:
    return Money.of(page.amount, page.currency) in amounts(tx, row, company, at)


def _wanted(
    tx: Session, reference: str, return_url: str, whole: bool, language: str, stand_in: bool, at: datetime
) -> _Wanted:
    row = invoices.find(tx, reference)
    company = company_records.current(tx).company
    if not _payable(row):
        raise WrongState("nothing is open on this invoice: there is nothing to pay")
    amount = amounts(tx, row, company, at)[-1 if whole else 0]
    connection = _connection(company, row, amount, stand_in)
    if connection is None:
        raise Refused("this invoice cannot be paid here; pay it by bank transfer")
    made = checkouts.of_invoice(tx, row)
    if any(each.status == CheckoutStatus.UNDER_WAY for each in made):
        raise WrongState("a payment is under way already; the bank needs a few days, nothing is to be done")
    expires_at = _expiry(at)
    identity = (row.id, amount, connection.id, return_url, language, expires_at.isoformat(), len(made))
    return _Wanted(
        Order(
            billing_key=row.billing_key,
            number=row.number or "",
            title=" · ".join(each for each in (row.number, row.title) if each),
            amount=amount,
            language=language,
            return_url=return_url,
            key=f"billow/{hashlib.sha256(repr(identity).encode()).hexdigest()}",
            expires_at=expires_at,
        ),
        connection,
        next(
            (
                each.url
                for each in _open(tx, row)
                if each.amount == amount.amount
                and each.connection == connection.id
                and each.expires_at - at >= LEFT_AT_LEAST
            ),
            None,
        ),
    )


def _payable(row: InvoiceRow) -> bool:
    return row.number is not None and row.document_status != DocumentStatus.CREDITED and row.open_amount > 0


def _connection(company: Company, row: InvoiceRow, amount: Money, stand_in: bool) -> Connection | None:
    """The first provider that takes this amount for this issuer. One that is not set up well takes nothing."""
    connected = [each for each in company.connections if each.port is Port.PAYMENTS]
    for each in connected:
        try:
            if adapter(each).can_take(amount, row.issuer or ""):
                return each
        except SourceUnavailable as error:
            _log.warning("%s takes no payments: %s", each.id, error)
    return STAND_IN if stand_in and not connected else None


def _adapter(connection: Connection, stand_in: str) -> PaymentProvider:
    found: PaymentProvider = StandInCheckout(stand_in) if connection is STAND_IN else adapter(connection)
    return found


def _open(tx: Session, row: InvoiceRow) -> list[CheckoutRow]:
    return [each for each in checkouts.of_invoice(tx, row) if each.status == CheckoutStatus.OPEN]


def _expiry(at: datetime) -> datetime:
    """The same for clicks within half an hour, so that a second one asks for the very same page."""
    step = int(_STEP.total_seconds())
    return datetime.fromtimestamp(-(-int((at + LASTS).timestamp()) // step) * step, UTC)
