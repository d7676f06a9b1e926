"""Money that came in on a bank account: booked for the invoices it pays, else kept for a person to decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.bank.movements import Movement
from activities.ledger import invoices, open_items, payments, unmatched_payments
from activities.ledger.bank_entries import (
    Decided,
    Outcome,
    Reading,
    is_charge,
    is_return,
    payment_key,
    received_on,
    told,
)
from activities.ledger.tables import BankEntryRow, InvoiceRow, PaymentRow
from activities.ledger.unmatched_payments import Unmatched
from billing.company import Company
from billing.errors import Refused
from billing.matching import Incoming, Match, Suggestion, Suggestions, match
from billing.money import Money, rounded
from billing.payment_text import words_of

MANUAL_DAYS = 3
"""Days between a payment typed in by a person and the bank's entry, if both are the same money."""


_BY_HAND = "manual"


class Moved(Exception):
    """Invoices were paid or credited since they were looked at: look again."""

    def __init__(self, invoices: Sequence[int]) -> None:
        super().__init__("invoices have changed")
        self.invoices = invoices


_NOTHING = Suggestions()


@dataclass(frozen=True)
class Kept:
    """Money a person decides about: why, and what it may be for."""

    because: str = ""
    found: Suggestions = _NOTHING
    client: str = ""


def look(tx: Session, reading: Reading, movement: Movement) -> Decided | Kept | Match:
    """What money that came in is for: what it pays, as far as that is known without a lock, or what becomes of it."""
    if is_return(movement):
        return Kept("a payment of ours came back")
    if is_charge(movement):
        return Decided(Outcome.CHARGE, "the bank's own")
    incoming = _incoming(tx, reading, movement)
    if _is_payout(reading.company, movement) and not reading.items.named(incoming):
        return Decided(Outcome.PAYOUT, "paid out by the payment provider; its payments are booked one by one")
    typed = _typed_in(tx, reading, movement)
    if typed is not None:
        return typed
    if movement.batch > 1 and "." not in movement.position:
        return Kept(f"a batch of {movement.batch} payments without details; ask the bank for them")
    found = match(incoming, reading.items, reading.company.payments)
    if isinstance(found, Match):
        return found
    return Kept("", _with_others(tx, reading, movement, found), incoming.client)


def book(tx: Session, reading: Reading, movement: Movement, row: BankEntryRow, found: Match) -> Decided:
    """Books money that came in for the invoices it pays; kept for a person if a rule refuses that.

    `Moved` if an invoice is no longer as it was known: the transaction is given up, and the movement looked at anew.
    """
    try:
        with tx.begin_nested():
            return _booked(tx, reading, movement, row, found)
    except Refused as error:  # a rule nobody foresaw here: the money is there all the same
        why = Kept(str(error)[:200], client=reading.payers.get(movement.counterparty_account, ""))
        return keep(tx, reading, [(row, movement, why)])[row.key]


def _incoming(tx: Session, reading: Reading, movement: Movement) -> Incoming:
    account = movement.counterparty_account
    if account not in reading.payers:
        reading.payers |= open_items.payers(tx, [account])
    return Incoming(
        amount=movement.amount,
        currency=movement.currency,
        received_on=received_on(movement),
        references=movement.references,
        text=(*movement.text, movement.end_to_end_id),
        payer=movement.counterparty,
        client=reading.payers[account],
        original=movement.original,
        charges=movement.charges,
    )


def _is_payout(company: Company, movement: Movement) -> bool:
    """Whether the payer's name has that of a provider in it, as words of their own."""
    payer = words_of(movement.counterparty)
    return any(words_of(each) and words_of(each) <= payer for each in company.payments.payouts_from)


def said(movement: Movement) -> tuple[str, ...]:
    """Where the payer may have written a number."""
    return (*movement.references, *movement.text)


def numbers_typed_in(tx: Session, numbers: Iterable[str]) -> frozenset[str]:
    """Those of the numbers, bare, for whose invoices a person has booked money."""
    query = open_items.with_numbers(numbers).join(PaymentRow, PaymentRow.invoice == InvoiceRow.id)
    return frozenset(tx.scalars(query.where(PaymentRow.source == _BY_HAND)))


def _typed_in(tx: Session, reading: Reading, movement: Movement) -> Decided | None:
    """What a person has booked already for an invoice this movement names."""
    for row in open_items.numbered(tx, said(movement), reading.typed_in):
        claimed = (
            select(BankEntryRow.id)
            .where(BankEntryRow.details["payment"].astext.is_not(None))
            .where(BankEntryRow.details["payment"].as_integer() == PaymentRow.id)
        )
        query = select(PaymentRow).where(
            PaymentRow.invoice == row.id,
            PaymentRow.source == _BY_HAND,
            PaymentRow.amount == movement.amount,
            PaymentRow.currency == movement.currency,
            ~claimed.exists(),
        )
        for payment in tx.scalars(query.order_by(PaymentRow.id)):
            if abs((payment.received_on - received_on(movement)).days) <= MANUAL_DAYS:
                because = f"booked for {row.number} by hand already"
                return Decided(Outcome.KNOWN, because, client=row.client, payment=payment.id)
    return None


def _booked(tx: Session, reading: Reading, movement: Movement, entry: BankEntryRow, found: Match) -> Decided:
    """Books what the payment pays. The invoices are locked in the order of their ids, and must be as known."""
    rows: dict[int, InvoiceRow] = {
        each: invoices.locked(tx, each) for each in sorted(part.invoice for part in found.parts)
    }
    for part in found.parts:
        if not reading.items.is_as_known(part.invoice, rows[part.invoice].open_amount):
            raise Moved(tuple(rows))
    for number, part in enumerate(found.parts, 1):
        row = rows[part.invoice]
        payments.record(
            tx,
            row,
            Money.of(part.amount, row.currency or ""),
            key=payment_key(entry, number),
            received_on=received_on(movement),
            source=f"bank statement {reading.statement.statement}",
            by=reading.by,
            channel=reading.channel,
            reference=told(movement),
            fee=part.fee or None,
            difference=part.difference,
            at=reading.at,
        )
    for part in found.parts:
        row = rows[part.invoice]
        reading.items.paid(part.invoice, rounded(row.open_amount, row.currency or ""))
    clients = {part.client for part in found.parts}
    return Decided(
        Outcome.BOOKED,
        f"{', '.join(part.number for part in found.parts)}: {found.because}",
        client=clients.pop() if len(clients) == 1 else "",
    )


def keep(
    tx: Session, reading: Reading, movements: Sequence[tuple[BankEntryRow, Movement, Kept]]
) -> dict[str, Decided]:
    """Keeps money for persons to decide about, with what it may be for; what became of each, by the entry's key."""
    payments_ = [_unmatched(reading, *each) for each in movements]
    made = unmatched_payments.record_all(tx, payments_, by=reading.by, company=reading.company, at=reading.at)
    decided = {}
    for (row, _, why), payment in zip(movements, payments_, strict=True):
        likely = f"perhaps of {payment.client}" if payment.client else "nothing says for which invoice"
        kept = made.get(payment.key)
        decided[row.key] = Decided(
            Outcome.UNMATCHED, why.because or likely, unmatched=kept.id if kept else None
        )
    return decided


def _unmatched(reading: Reading, row: BankEntryRow, movement: Movement, why: Kept) -> Unmatched:
    clients = {each.client for each in why.found.found}
    return Unmatched(
        key=f"bank/{row.key}",
        amount=Money.of(movement.amount, movement.currency),
        received_on=received_on(movement),
        payer=movement.counterparty,
        reference=" · ".join(filter(None, (*movement.references, *movement.text, why.because)))[:500],
        source=f"bank statement {reading.statement.statement}",
        client=why.client or (clients.pop() if len(clients) == 1 else ""),
        payer_account=movement.counterparty_account,
        suggestions=why.found.found,
    )


def _with_others(tx: Session, reading: Reading, movement: Movement, found: Suggestions) -> Suggestions:
    """With the invoices that are named and cannot be paid: paid already, or of another issuer."""
    known = {each.number for each in found.found}
    others = [
        Suggestion(
            row.number or "",
            row.client,
            max(row.open_amount, Decimal(0)),
            row.currency or "",
            ("its number is in the text", _why_not(row, reading.statement.issuer)),
        )
        for row in open_items.numbered(tx, said(movement), reading.numbers)
        if row.number not in known
    ]
    return Suggestions((*others, *found.found))


def _why_not(row: InvoiceRow, issuer: str | None) -> str:
    if row.issuer != issuer:
        return f"but it is of {row.issuer}, and the account is not"
    return f"but it is {row.payment_status}, with nothing open"
