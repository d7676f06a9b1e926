"""Money that came in on a bank account: booked for the invoices it pays, else kept for a person to decide."""

from __future__ import annotations

from collections.abc import Sequence
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
from billing.company import Company
from billing.errors import Refused
from billing.matching import Incoming, Match, Suggestion, Suggestions, match
from billing.money import Money
from billing.payment_text import words_of

MANUAL_DAYS = 3
"""Days between a payment typed in by a person and the bank's entry, if both are the same money."""


class Moved(Exception):
    """Invoices were paid or credited since they were looked at: look again."""

    def __init__(self, invoices: Sequence[int]) -> None:
        super().__init__("invoices have changed")
        self.invoices = invoices


def book(tx: Session, reading: Reading, movement: Movement, row: BankEntryRow) -> Decided:
    """Books money that came in for the invoices it pays, or keeps it for a person.

    `Moved` if an invoice is no longer as it was known: the transaction is given up, and the movement looked at anew.
    """
    if is_return(movement):
        return _kept(tx, reading, movement, row, "a payment of ours came back", Suggestions())
    if is_charge(movement):
        return Decided(Outcome.CHARGE, "the bank's own")
    incoming = _incoming(tx, reading, movement)
    named = reading.items.named(incoming)
    if not named and _is_payout(reading.company, movement):
        return Decided(Outcome.PAYOUT, "paid out by the payment provider; its payments are booked one by one")
    typed = _typed_in(tx, movement)
    if typed is not None:
        number, client, payment = typed
        because = f"booked for {number} by hand already"
        return Decided(Outcome.KNOWN, because, client=client, payment=payment)
    if movement.batch > 1 and "." not in movement.position:
        because = f"a batch of {movement.batch} payments without details; ask the bank for them"
        return _kept(tx, reading, movement, row, because, Suggestions())
    found = match(incoming, reading.items, reading.company.payments)
    if isinstance(found, Match):
        try:
            with tx.begin_nested():
                return _booked(tx, reading, movement, row, found)
        except Refused as error:  # a rule nobody foresaw here: the money is there all the same
            return _kept(tx, reading, movement, row, str(error)[:200], Suggestions(), incoming.client)
    return _kept(tx, reading, movement, row, "", _with_others(tx, reading, movement, found), incoming.client)


def _incoming(tx: Session, reading: Reading, movement: Movement) -> Incoming:
    account = movement.counterparty_account
    if account not in reading.payers:
        reading.payers[account] = open_items.payer(tx, account)
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


def _typed_in(tx: Session, movement: Movement) -> tuple[str, str, int] | None:
    """Number, client and payment of what a person has booked already for an invoice this movement names."""
    for row in open_items.numbered(tx, (*movement.references, *movement.text)):
        claimed = (
            select(BankEntryRow.id)
            .where(BankEntryRow.details["payment"].astext.is_not(None))
            .where(BankEntryRow.details["payment"].as_integer() == PaymentRow.id)
        )
        query = select(PaymentRow).where(
            PaymentRow.invoice == row.id,
            PaymentRow.source == "manual",
            PaymentRow.amount == movement.amount,
            PaymentRow.currency == movement.currency,
            ~claimed.exists(),
        )
        for payment in tx.scalars(query.order_by(PaymentRow.id)):
            if abs((payment.received_on - received_on(movement)).days) <= MANUAL_DAYS:
                return row.number or "", row.client, payment.id
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
    clients = {part.client for part in found.parts}
    return Decided(
        Outcome.BOOKED,
        f"{', '.join(part.number for part in found.parts)}: {found.because}",
        client=clients.pop() if len(clients) == 1 else "",
        invoices=tuple(rows),
    )


def _kept(
    tx: Session,
    reading: Reading,
    movement: Movement,
    entry: BankEntryRow,
    because: str,
    found: Suggestions,
    client: str = "",
) -> Decided:
    """Keeps money for a person to decide about, with what it may be for."""
    clients = {each.client for each in found.found}
    likely = client or (clients.pop() if len(clients) == 1 else "")
    kept = unmatched_payments.record(
        tx,
        Money.of(movement.amount, movement.currency),
        key=f"bank/{entry.key}",
        received_on=received_on(movement),
        payer=movement.counterparty,
        reference=" · ".join(filter(None, (*movement.references, *movement.text, because)))[:500],
        source=f"bank statement {reading.statement.statement}",
        by=reading.by,
        company=reading.company,
        client=client or None,
        payer_account=movement.counterparty_account,
        suggestions=found.found,
        at=reading.at,
    )
    why = because or (f"perhaps of {likely}" if likely else "nothing says for which invoice")
    return Decided(Outcome.UNMATCHED, why, unmatched=kept.id if kept else None)


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
        for row in open_items.numbered(tx, (*movement.references, *movement.text))
        if row.number not in known
    ]
    return Suggestions((*others, *found.found))


def _why_not(row: InvoiceRow, issuer: str | None) -> str:
    if row.issuer != issuer:
        return f"but it is of {row.issuer}, and the account is not"
    return f"but it is {row.payment_status}, with nothing open"
