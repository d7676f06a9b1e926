"""A statement of account: what a client owed, what moved between two days, what is open since when.

Amounts say what the client owes: an invoice adds to it, money received takes from it, and what was paid too much makes
it negative. Each currency is an account of its own; nothing is converted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from billing.errors import Refused
from billing.money import Currency, Figure, Money, rounded, total
from billing.parties import Buyer, Issuer, Language

BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
"""Days since the due date, at the end of the last day; the due date itself is current."""


class Value(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True)


class EntryKind(StrEnum):
    """What moved an account."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit note"
    PAYMENT = "payment"
    REPAYMENT = "repayment"
    DISCOUNT = "discount"
    CREDIT = "credit"
    WRITE_OFF = "write-off"


class Movement(Value):
    """What an invoice's open amount falls by on a day; below zero where money is given back."""

    on: date
    amount: Figure
    kind: EntryKind
    reference: str = ""


class AccountInvoice(Value):
    """An issued document with what moved it; `amount` is what was to be paid, below zero for a credit note."""

    number: str
    title: str
    issue_date: date
    due_date: date
    amount: Money
    movements: tuple[Movement, ...] = ()

    def open_after(self, day: date) -> Decimal:
        """What of it is open at the end of a day."""
        return self.amount.amount - total(each.amount for each in self.movements if each.on <= day)


class Entry(Value):
    """A line of an account: by how much the day changed what is owed, and what is owed after it."""

    on: date
    kind: EntryKind
    number: str
    text: str
    amount: Figure
    balance: Figure


class OpenItem(Value):
    """What of a document is open at the end, and how many days it is late; 0 where it is not."""

    number: str
    title: str
    issue_date: date
    due_date: date
    amount: Figure
    open: Figure
    days_late: int

    @property
    def bucket(self) -> str:
        """One of `BUCKETS`."""
        return BUCKETS[min((self.days_late + 29) // 30, 4)] if self.days_late else BUCKETS[0]


class Account(Value):
    """One currency of a client: `balance` is what was brought forward and all entries, and what its items have open."""

    currency: Currency
    brought_forward: Figure
    entries: tuple[Entry, ...]
    balance: Figure
    items: tuple[OpenItem, ...]

    @property
    def ageing(self) -> dict[str, Decimal]:
        """What is open by how late it is; what was paid too much counts as current."""
        return {
            bucket: _exact((each.open for each in self.items if each.bucket == bucket), self.currency)
            for bucket in BUCKETS
        }

    @property
    def late(self) -> Decimal:
        """What is open and late."""
        return _exact((each.open for each in self.items if each.days_late), self.currency)


class StatementOfAccount(Value):
    """Everything a renderer needs. `since` and `until` are days at the client, both included."""

    issuer: Issuer
    buyer: Buyer | None
    client_name: str
    language: Language
    since: date
    until: date
    accounts: tuple[Account, ...]


def accounts(invoices: Iterable[AccountInvoice], since: date, until: date) -> tuple[Account, ...]:
    """The accounts of a client, by currency; those that hold nothing and did not move are left out.

    `Refused` if the first day comes after the last.
    """
    if since > until:
        raise Refused(f"the statement would begin on {since}, after its end on {until}; turn the two round")
    by_currency: dict[str, list[AccountInvoice]] = {}
    for each in invoices:
        by_currency.setdefault(each.amount.currency, []).append(each)
    found = (_account(currency, by_currency[currency], since, until) for currency in sorted(by_currency))
    return tuple(each for each in found if each.entries or each.items or each.brought_forward)


def _account(currency: str, invoices: Sequence[AccountInvoice], since: date, until: date) -> Account:
    moves = sorted(_moves(invoices), key=lambda move: (move.on, move.kind not in _DOCUMENTS, move.number))
    before = since - timedelta(days=1)
    brought = balance = _exact((move.amount for move in moves if move.on <= before), currency)
    entries: list[Entry] = []
    for move in moves:
        if since <= move.on <= until:
            balance += move.amount
            entries.append(move.model_copy(update={"balance": balance}))
    return Account(
        currency=currency,
        brought_forward=brought,
        entries=tuple(entries),
        balance=balance,
        items=tuple(_open_items(invoices, until)),
    )


def _exact(amounts: Iterable[Decimal], currency: str) -> Decimal:
    """The sum with the decimals of the currency, of nothing too."""
    return rounded(total(amounts), currency)


_DOCUMENTS = (EntryKind.INVOICE, EntryKind.CREDIT_NOTE)


def _moves(invoices: Sequence[AccountInvoice]) -> Iterator[Entry]:
    """Every change of what is owed, still without the balance after it."""
    for each in invoices:
        kind = EntryKind.CREDIT_NOTE if each.amount.amount < 0 else EntryKind.INVOICE
        amount = each.amount.amount
        yield Entry(
            on=each.issue_date, kind=kind, number=each.number, text=each.title, amount=amount, balance=amount
        )
        for move in each.movements:
            noted = move.kind is EntryKind.CREDIT and move.reference  # a credit note has a number of its own
            yield Entry(
                on=move.on,
                kind=EntryKind.CREDIT_NOTE if noted else move.kind,
                number=move.reference if noted else each.number,
                text=each.number if noted else move.reference,
                amount=-move.amount,
                balance=-move.amount,
            )


def _open_items(invoices: Sequence[AccountInvoice], until: date) -> Iterator[OpenItem]:
    """What is open at the end, oldest due first. Money that came before its invoice stands open against the client."""
    for each in sorted(invoices, key=lambda invoice: (invoice.due_date, invoice.number)):
        issued = each.issue_date <= until
        left = each.open_after(until) - (0 if issued else each.amount.amount)
        if not left:
            continue
        late = (until - each.due_date).days if left > 0 else 0
        yield OpenItem(
            number=each.number,
            title=each.title,
            issue_date=each.issue_date,
            due_date=each.due_date,
            amount=each.amount.amount,
            open=left,
            days_late=max(late, 0),
        )
