"""Payments the bank takes back: returned debits, recalled and reversed transfers.

What came in with the first movement goes out again with the same amounts; an invoice that was paid by it is owed again,
at the level where it stood. What nobody can tell the first movement of, a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from activities.bank.movements import Movement
from activities.ledger import (
    bank_entries,
    bank_statements,
    company_exceptions,
    invoices,
    open_items,
    overpayments,
    payments,
    unmatched_payments,
)
from activities.ledger.bank_entries import Decided, Outcome, Reading
from activities.ledger.tables import BankEntryRow, InvoiceRow, PaymentRow, UnmatchedPaymentRow
from billing.errors import Refused
from billing.exceptions import Finding, ReasonCode
from billing.money import Money, written

LONGEST_AGO = timedelta(days=430)
"""Thirteen months, in which a debit may be returned that was not authorised (SEPA Direct Debit Core Rulebook, 4.3), and
a bit."""


def take_back(tx: Session, reading: Reading, movement: Movement, entry: BankEntryRow) -> Decided:
    """Takes back what the first movement brought, or asks a person of what it is."""
    first = _first(tx, movement, entry)
    if first is not None:
        done = _take_back_entry(tx, reading, movement, entry, first)
        if done is not None:
            return done
    named = _take_back_named(tx, reading, movement, entry) if first is None else None
    return named or _ask(tx, reading, movement, entry)


def _first(tx: Session, movement: Movement, entry: BankEntryRow) -> BankEntryRow | None:
    """The one movement that came in before and is this one the other way round."""
    amounts = _amounts(movement)
    came = select(BankEntryRow).where(
        BankEntryRow.amount.in_(amounts),
        BankEntryRow.currency == movement.currency,
        BankEntryRow.id != entry.id,
        BankEntryRow.booked_on <= movement.booked_on,
        BankEntryRow.booked_on >= movement.booked_on - LONGEST_AGO,
        BankEntryRow.outcome.in_((Outcome.BOOKED, Outcome.UNMATCHED, Outcome.KNOWN)),
        BankEntryRow.details["taken_back_by"].astext.is_(None),
    )
    for wanted in _ways(came, movement):
        found = tx.scalars(wanted.order_by(BankEntryRow.booked_on.desc()).limit(2)).all()
        if len(found) == 1:
            return found[0]
        if found:
            return None
    return None


def _ways(came: Select[BankEntryRow], movement: Movement) -> Sequence[Select[BankEntryRow]]:
    """How the first movement may be known, the surest first."""
    ways = []
    if movement.end_to_end_id:
        ways.append(came.where(BankEntryRow.end_to_end_id == movement.end_to_end_id))
    if movement.transaction_reference:
        ways.append(came.where(BankEntryRow.details["transaction"].astext == movement.transaction_reference))
    if movement.counterparty_account:
        ways.append(came.where(BankEntryRow.counterparty_account == movement.counterparty_account))
    return ways


def _amounts(movement: Movement) -> list[Decimal]:
    """What the first movement may have been: as much, or as much without what the bank charges for the return."""
    whole = -movement.amount
    original = (
        movement.original[0] if movement.original and movement.original[1] == movement.currency else whole
    )
    return sorted({whole, original, whole - movement.charges} - {Decimal(0)})


def _take_back_entry(
    tx: Session, reading: Reading, movement: Movement, entry: BankEntryRow, first: BankEntryRow
) -> Decided | None:
    """Takes back the payments of the first movement; None if the money went on since, as a refund or credit."""
    paid = _payments_of(tx, first)
    rows = {each: invoices.locked(tx, each) for each in sorted({payment.invoice for payment in paid})}
    tx.refresh(first, with_for_update=True)
    kept = tx.get(UnmatchedPaymentRow, first.unmatched, with_for_update=True) if first.unmatched else None
    if kept is not None and not paid and kept.resolved_at is not None and not kept.kept_as_credit:
        return None  # set aside: a person decides again
    try:
        with tx.begin_nested():
            for number, payment in enumerate(paid, 1):
                amount = Money.of(-payment.amount, payment.currency)
                _book(tx, reading, movement, rows[payment.invoice], amount, entry, number)
    except Refused:
        return None
    why = f"taken back by the bank on {movement.booked_on}: {movement.returned or 'no reason given'}"
    if kept is not None:
        unmatched_payments.taken_back(tx, kept, why, by=reading.by, at=reading.at)
    first.details = {**first.details, "taken_back_by": entry.key}
    numbers = ", ".join(row.number or "" for row in rows.values()) or "no invoice"
    fee = -movement.amount - first.amount
    charged = f"; the bank charges {written(fee, movement.currency)} {movement.currency}" if fee > 0 else ""
    because = f"{numbers}: what came on {first.booked_on} went back, {movement.returned or 'no reason given'}{charged}"
    return Decided(Outcome.TAKEN_BACK, because, client=first.client or "", invoices=tuple(rows))


def _payments_of(tx: Session, first: BankEntryRow) -> list[PaymentRow]:
    """What was booked of a movement: for invoices at once, from the unmatched payment later, or by hand before."""
    mine = PaymentRow.key.startswith(f"bank/{first.key}/", autoescape=True)
    if first.unmatched is not None:
        mine |= (PaymentRow.received_as == first.unmatched) & (PaymentRow.amount > 0)
    if first.details.get("payment"):
        mine |= PaymentRow.id == int(first.details["payment"])
    found = tx.scalars(select(PaymentRow).where(mine).order_by(PaymentRow.id)).all()
    undone = select(PaymentRow.key).where(
        PaymentRow.key.in_([f"{payments.UNDONE}/{each.id}/in" for each in found])
    )
    gone = set(tx.scalars(undone))
    return [each for each in found if f"{payments.UNDONE}/{each.id}/in" not in gone]


def _take_back_named(
    tx: Session, reading: Reading, movement: Movement, entry: BankEntryRow
) -> Decided | None:
    """Takes back a payment of the one invoice the return names, if it was paid that much in one payment."""
    named = open_items.numbered(tx, (*movement.references, *movement.text))
    if len(named) != 1:
        return None
    row = invoices.locked(tx, named[0].id)
    paid = tx.scalars(
        select(PaymentRow.amount).where(
            PaymentRow.invoice == row.id,
            PaymentRow.currency == movement.currency,
            PaymentRow.amount.in_(_amounts(movement)),
            PaymentRow.source.not_in((*overpayments.WAIVED, payments.CREDIT)),
        )
    ).first()
    if paid is None:
        return None
    try:
        with tx.begin_nested():
            _book(tx, reading, movement, row, Money.of(-paid, movement.currency), entry, 1)
    except Refused:
        return None
    because = f"{row.number}: named, {movement.returned or 'no reason given'}"
    return Decided(Outcome.TAKEN_BACK, because, client=row.client, invoices=(row.id,))


def _book(
    tx: Session,
    reading: Reading,
    movement: Movement,
    row: InvoiceRow,
    amount: Money,
    entry: BankEntryRow,
    number: int,
) -> None:
    payments.record(
        tx,
        row,
        amount,
        key=bank_entries.payment_key(entry, number),
        received_on=movement.booked_on,
        source=f"bank statement {reading.statement.statement}",
        by=reading.by,
        channel=reading.channel,
        reference=" · ".join(filter(None, (movement.returned, bank_entries.told(movement)))),
        at=reading.at,
    )


def _ask(tx: Session, reading: Reading, movement: Movement, entry: BankEntryRow) -> Decided:
    """Nobody can tell what came back: its owner finds out, and books it with `billow pay` and a negative amount."""
    amount = Money.of(-movement.amount, movement.currency)
    said = bank_entries.told(movement) or "no text"
    finding = Finding(
        code=ReasonCode.PAYMENT_REVERSED,
        message=f"The bank took back {amount} on {movement.booked_on} "
        f"({movement.returned or 'no reason given'}; {said}), and nobody can tell of which payment; "
        "book it with `billow pay INVOICE --amount -…`, then accept this",
        field="payment",
        left=f"{reading.statement.statement} {movement.position}",
    )
    company_exceptions.raise_one(
        tx,
        f"{bank_statements.SUBJECT}entry/{entry.id}",
        finding,
        reading.company,
        at_stake=amount,
        at=reading.at,
    )
    return Decided(Outcome.TO_DECIDE, "which payment came back is unknown")
