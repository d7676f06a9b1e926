"""What is owed, how late it is, and when it can be expected: from the ledger, each currency by itself.

What is read grows with what is open and with what was issued lately, never with the table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, TEXT, Date, and_, case, cast, func, literal_column, select
from sqlalchemy.orm import Session

from activities.ledger.summaries import BUYER, is_open
from activities.ledger.tables import ISSUED_KEY, InvoiceRow, PaymentPlanRow, PaymentRow
from billing.expected_cash import Basis, Expected, Owed, days_sales_outstanding, expected
from billing.instalments import Part
from billing.money import rounded
from billing.status import PaymentStatus

BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
"""Days since the due date; the due date itself is current."""

DSO_DAYS, HABIT_DAYS, LEAST_PAID = 90, 180, 3
"""Days of issue that DSO and habits are taken from, and how many paid invoices make a habit."""


@dataclass
class Bucket:
    """Of an ageing: how many invoices, and what is open of them."""

    invoices: int = 0
    amount: Decimal = Decimal(0)


@dataclass
class ClientOwes:
    """What a client owes in one currency."""

    client: str
    name: str = ""
    invoices: int = 0
    amount: Decimal = Decimal(0)
    late: Decimal = Decimal(0)
    habit: int | None = None


@dataclass
class CurrencyMoney:
    """All about one currency. Amounts carry its decimals."""

    currency: str
    buckets: dict[str, Bucket] = field(default_factory=lambda: {name: Bucket() for name in BUCKETS})
    issued: Decimal = Decimal(0)
    clients: list[ClientOwes] = field(default_factory=list)
    expected: Expected = field(default_factory=Expected)

    @property
    def open(self) -> Decimal:
        return sum((each.amount for each in self.buckets.values()), Decimal(0))

    @property
    def late(self) -> Decimal:
        return self.open - self.buckets[BUCKETS[0]].amount

    @property
    def invoices(self) -> int:
        return sum(each.invoices for each in self.buckets.values())

    @property
    def dso(self) -> int | None:
        """Days sales outstanding; None where nothing was issued lately."""
        return days_sales_outstanding(self.open, self.issued, DSO_DAYS)


def money(
    tx: Session, at: datetime, zone: ZoneInfo, client: str | None = None, most: int = 20
) -> list[CurrencyMoney]:
    """Every currency in which something is open, the one with most invoices first; days are those of the zone.

    `client` narrows it to one; `most` clients are named, those that owe most first.
    """
    today = at.astimezone(zone).date()
    found: dict[str, CurrencyMoney] = {}
    clients: dict[tuple[str, str], ClientOwes] = {}
    owed: dict[str, list[Owed]] = defaultdict(list)
    for row in tx.execute(_open_items(at, client)):
        currency, open_now = row.currency, rounded(row.amount, row.currency)
        about = found.setdefault(currency, CurrencyMoney(currency))
        bucket = about.buckets[row.bucket]
        bucket.invoices, bucket.amount = bucket.invoices + row.invoices, bucket.amount + open_now
        whose = clients.setdefault((currency, row.client), ClientOwes(row.client))
        whose.invoices, whose.amount = whose.invoices + row.invoices, whose.amount + open_now
        whose.late += open_now if row.bucket != BUCKETS[0] else 0
        if row.planned:
            continue
        stopped = Basis.HANDED_OVER if row.handed_over else Basis.DISPUTED
        doubtful = open_now if row.handed_over else rounded(row.disputed, currency)
        if doubtful:
            owed[currency].append(Owed(row.client, doubtful, row.due, stopped=stopped))
        if open_now - doubtful:
            owed[currency].append(Owed(row.client, open_now - doubtful, row.due, row.promised_for))
    for currency, part in _planned(tx, client):
        owed[currency].append(part)
    habits = habits_of(tx, today, None if client is None else [client])
    for currency, amount in _issued(tx, today, client):
        if currency in found:
            found[currency].issued = rounded(amount, currency)
    for currency, about in found.items():
        theirs = [each for (of, _), each in clients.items() if of == currency]
        about.clients = sorted(theirs, key=lambda each: (-each.amount, each.client))[:most]
        about.expected = expected(owed[currency], habits, today)
    _name(tx, [each for about in found.values() for each in about.clients], habits)
    return sorted(found.values(), key=lambda each: (-each.invoices, each.currency))


def _open_items(at: datetime, client: str | None):  # type: ignore[no-untyped-def]  # a Select of many columns
    bucket = case(
        (InvoiceRow.late_from > at, BUCKETS[0]),
        *[(InvoiceRow.late_from > at - timedelta(days=30 * n), BUCKETS[n]) for n in (1, 2, 3)],
        else_=BUCKETS[4],
    )
    open_now = InvoiceRow.open_amount
    disputed = case(
        (
            InvoiceRow.disputed.is_not(None),
            func.least(func.coalesce(InvoiceRow.disputed_amount, open_now), open_now),
        ),
        else_=Decimal(0),
    )
    planned = (
        select(PaymentPlanRow.id)
        .where(PaymentPlanRow.invoice == InvoiceRow.id, PaymentPlanRow.ended_at.is_(None))
        .exists()
    )
    rows = (
        select(
            InvoiceRow.currency,
            InvoiceRow.client,
            bucket.label("bucket"),
            func.coalesce(InvoiceRow.agreed_due_date, InvoiceRow.due_date).label("due"),
            InvoiceRow.promised_for,
            InvoiceRow.handed_over_at.is_not(None).label("handed_over"),
            planned.label("planned"),
            open_now.label("amount"),
            disputed.label("disputed"),
        )
        .where(is_open(), *([] if client is None else [InvoiceRow.client == client]))
        .subquery()
    )
    keys = [rows.c[name] for name in ("currency", "client", "bucket", "due", "promised_for", "handed_over")]
    return select(
        *keys,
        rows.c.planned,
        func.count().label("invoices"),
        func.sum(rows.c.amount).label("amount"),
        func.sum(rows.c.disputed).label("disputed"),
    ).group_by(*keys, rows.c.planned)


def _planned(tx: Session, client: str | None) -> list[tuple[str, Owed]]:
    """What is open of running payment plans, part by part: payments cover the earliest first."""
    query = (
        select(
            InvoiceRow.client,
            InvoiceRow.currency,
            InvoiceRow.open_amount,
            InvoiceRow.promised_for,
            InvoiceRow.disputed,
            PaymentPlanRow.parts,
        )
        .join(PaymentPlanRow, PaymentPlanRow.invoice == InvoiceRow.id)
        .where(PaymentPlanRow.ended_at.is_(None), is_open())
    )
    if client is not None:
        query = query.where(InvoiceRow.client == client)
    found = []
    for whose, currency, open_now, promised, disputed, written in tx.execute(query):
        left = rounded(open_now, currency)
        stopped = Basis.DISPUTED if disputed is not None else None
        for part in reversed([Part.model_validate(each) for each in written]):
            amount = min(left, part.amount)
            if amount > 0:
                found.append((currency, Owed(whose, amount, part.due_date, promised, True, stopped)))
            left -= amount
        if left > 0 and written:
            first = Part.model_validate(written[0])
            found.append((currency, Owed(whose, left, first.due_date, promised, True, stopped)))
    return found


def _issued(tx: Session, today: date, client: str | None) -> Sequence[tuple[str, Decimal]]:
    since = literal_column(ISSUED_KEY, Date).between(today - timedelta(days=DSO_DAYS - 1), today)
    query = select(InvoiceRow.currency, func.sum(InvoiceRow.gross - InvoiceRow.credited)).where(
        since, InvoiceRow.number.is_not(None), InvoiceRow.gross.is_not(None)
    )
    if client is not None:
        query = query.where(InvoiceRow.client == client)
    rows = tx.execute(query.group_by(InvoiceRow.currency))
    return [(currency or "", amount or Decimal(0)) for currency, amount in rows]


def habits_of(tx: Session, today: date, clients: Sequence[str] | None = None) -> Mapping[str, int]:
    """By how many days after the due date each client usually pays: the median, below zero where it pays before.

    Of invoices issued in the last `HABIT_DAYS` days and paid; clients with fewer than `LEAST_PAID` have no habit.
    """
    due = func.coalesce(InvoiceRow.agreed_due_date, InvoiceRow.due_date)
    late = (func.max(PaymentRow.received_on) - due).label("late")
    ours = [] if clients is None else [InvoiceRow.client.in_(clients)]
    paid = (
        select(InvoiceRow.client, late)
        .join(PaymentRow, PaymentRow.invoice == InvoiceRow.id)
        .where(
            and_(
                literal_column(ISSUED_KEY, Date).between(today - timedelta(days=HABIT_DAYS), today),
                InvoiceRow.payment_status.in_([PaymentStatus.PAID, PaymentStatus.OVERPAID]),
                due.is_not(None),
                *ours,
            )
        )
        .group_by(InvoiceRow.id)
        .subquery()
    )
    usual = func.percentile_cont(0.5).within_group(paid.c.late)
    query = select(paid.c.client, usual).group_by(paid.c.client).having(func.count() >= LEAST_PAID)
    return {client: round(days) for client, days in tx.execute(query)}


def names_of(tx: Session, clients: Sequence[str]) -> dict[str, str]:
    """By what name each client was billed last; not those that never were."""
    wanted = func.unnest(cast(list(clients), ARRAY(TEXT))).table_valued("client").render_derived()
    last = (
        select(BUYER.label("name"))
        .where(InvoiceRow.client == wanted.c.client, InvoiceRow.draft.is_not(None))
        .order_by(InvoiceRow.id.desc())
        .limit(1)
        .lateral()
    )
    return {client: name for client, name in tx.execute(select(wanted.c.client, last.c.name)) if name}


def _name(tx: Session, owing: Sequence[ClientOwes], habits: Mapping[str, int]) -> None:
    names = names_of(tx, sorted({each.client for each in owing})) if owing else {}
    for each in owing:
        each.name, each.habit = names.get(each.client, ""), habits.get(each.client)
