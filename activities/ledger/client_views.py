"""Clients as people see them: what each owes and since when, how it keeps its word, what stands against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from activities.ledger import accounts, credit_holds, money_views
from activities.ledger.promises import PromiseRecord
from activities.ledger.read_models import InvoiceFilter, InvoiceSummary
from activities.ledger.summaries import OPEN, invoices, is_open
from activities.ledger.tables import (
    CreditHoldRow,
    InvoiceRow,
    PromiseRow,
    UnmatchedPaymentRow,
)
from billing import statement_of_account
from billing.company import Client, Company
from billing.errors import NotFound
from billing.money import rounded
from billing.statement_of_account import Account
from billing.status import PaymentStatus

MOST_INVOICES, STATEMENT_DAYS = 100, 92
"""Open invoices on the page of a client, and the days its account is shown for."""


@dataclass
class Owes:
    """Of one currency: what is open, what of it is late, what the client has to its credit."""

    invoices: int = 0
    open: Decimal = Decimal(0)
    late: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)


@dataclass
class ClientSummary:
    """A client in one row; `name` is empty for one that never was billed."""

    client: Client
    name: str = ""
    owes: dict[str, Owes] = field(default_factory=dict)
    promises: PromiseRecord | None = None
    hold: CreditHoldRow | None = None

    @property
    def late(self) -> bool:
        return any(each.late for each in self.owes.values())


def of_clients(tx: Session, clients: Sequence[Client], at: datetime) -> list[ClientSummary]:
    """The clients in their order, in a handful of queries however many they are."""
    found = {each.id: ClientSummary(each) for each in clients}
    if not found:
        return []
    for client, name in money_views.names_of(tx, list(found)).items():
        found[client].name = name
    for client, currency, count, open_now, late in tx.execute(_open(list(found), at)):
        owes = found[client].owes.setdefault(currency, Owes())
        owes.invoices, owes.open, owes.late = count, rounded(open_now, currency), rounded(late, currency)
    for client, currency, credit in _credit(tx, list(found)):
        found[client].owes.setdefault(currency, Owes()).credit += rounded(credit, currency)
    for client, record in _promises(tx, list(found)).items():
        found[client].promises = record
    holds = select(CreditHoldRow).where(CreditHoldRow.client.in_(found), CreditHoldRow.lifted_at.is_(None))
    for hold in tx.scalars(holds):
        found[hold.client].hold = hold
    return list(found.values())


def _open(clients: Sequence[str], at: datetime):  # type: ignore[no-untyped-def]  # a Select of many columns
    open_now = InvoiceRow.open_amount
    return (
        select(
            InvoiceRow.client,
            InvoiceRow.currency,
            func.count(),
            func.sum(open_now),
            func.sum(case((InvoiceRow.late_from <= at, open_now), else_=0)),
        )
        .where(is_open(), InvoiceRow.client.in_(clients))
        .group_by(InvoiceRow.client, InvoiceRow.currency)
    )


def _credit(tx: Session, clients: Sequence[str]) -> list[tuple[str, str, Decimal]]:
    """What was paid too much, and payments kept as credit, less what was booked of them."""
    overpaid = (
        select(InvoiceRow.client, InvoiceRow.currency, func.sum(-InvoiceRow.open_amount))
        .where(InvoiceRow.payment_status == PaymentStatus.OVERPAID, InvoiceRow.client.in_(clients))
        .group_by(InvoiceRow.client, InvoiceRow.currency)
    )
    payment = UnmatchedPaymentRow
    kept = (
        select(payment.client, payment.currency, func.sum(payment.amount - payment.allocated))
        .where(payment.kept_as_credit, payment.client.in_(clients))
        .group_by(payment.client, payment.currency)
    )
    return [
        (client, currency, amount)
        for query in (overpaid, kept)
        for client, currency, amount in tx.execute(query)
    ]


def _promises(tx: Session, clients: Sequence[str]) -> dict[str, PromiseRecord]:
    query = (
        select(PromiseRow.client, PromiseRow.outcome, func.count())
        .where(PromiseRow.client.in_(clients))
        .group_by(PromiseRow.client, PromiseRow.outcome)
    )
    counted: dict[str, dict[str, int]] = defaultdict(dict)
    for client, outcome, count in tx.execute(query):
        counted[client][outcome or "open"] = count
    return {
        client: PromiseRecord(**{name: each.get(name, 0) for name in ("kept", "broken", "moved", "open")})
        for client, each in counted.items()
    }


def late_clients(tx: Session, at: datetime) -> frozenset[str]:
    """Ids of clients with an invoice that is late."""
    query = select(InvoiceRow.client).where(is_open(), InvoiceRow.late_from <= at).distinct()
    return frozenset(tx.scalars(query))


def held_clients(tx: Session) -> frozenset[str]:
    """Ids of clients on credit hold."""
    return frozenset(each.client for each in credit_holds.all_current(tx))


def clients_in_credit(tx: Session) -> frozenset[str]:
    """Ids of clients that have something to their credit."""
    overpaid = select(InvoiceRow.client).where(InvoiceRow.payment_status == PaymentStatus.OVERPAID)
    kept = select(UnmatchedPaymentRow.client).where(UnmatchedPaymentRow.kept_as_credit)
    return frozenset(each for query in (overpaid, kept) for each in tx.scalars(query.distinct()) if each)


@dataclass(frozen=True)
class ClientView:
    """A client in full: in one row, what is open, how late it usually pays, and its account of the last quarter."""

    summary: ClientSummary
    open: Sequence[InvoiceSummary]
    more: bool
    habit: int | None
    since: date
    accounts: Sequence[Account]


def client(tx: Session, company: Company, key: str, at: datetime) -> ClientView:
    """All about one client. `NotFound` if the company has none of that id."""
    found = company.client(key)
    if found is None:
        raise NotFound(f"there is no client {key[:80]!r}; `/clients` lists those there are")
    zone = ZoneInfo(found.zone)
    today = at.astimezone(zone).date()
    since = today - timedelta(days=STATEMENT_DAYS)
    listed = invoices(
        tx,
        InvoiceFilter(status=OPEN, client=key, order="due", descending=False, limit=MOST_INVOICES + 1),
        at,
    )
    return ClientView(
        summary=of_clients(tx, [found], at)[0],
        open=listed[:MOST_INVOICES],
        more=len(listed) > MOST_INVOICES,
        habit=money_views.habits_of(tx, today, [key]).get(key),
        since=since,
        accounts=statement_of_account.accounts(accounts.moved_since(tx, key, since, zone), since, today),
    )
