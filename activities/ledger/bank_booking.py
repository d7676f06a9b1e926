"""What becomes of the movements of a bank account: booked, kept for a person, taken back, or no business of ours.

Each has one outcome, written in the transaction of what it caused: none goes missing, and none counts twice. Those that
touch no invoice are written together; one that does is the last of its transaction, and no invoice is locked for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.bank.movements import Movement, Standing
from activities.ledger import (
    bank_entries,
    incoming_movements,
    open_items,
    outgoing_movements,
    refunds,
    returned_payments,
)
from activities.ledger.bank_entries import Decided, Outcome, Reading
from activities.ledger.incoming_movements import Kept
from activities.ledger.tables import BankEntryRow
from billing.matching import Match


@dataclass(frozen=True)
class _Looked:
    """A movement, and what becomes of it as far as that is known without a lock; None for money that goes back."""

    key: str
    movement: Movement
    found: Decided | Kept | Match | None

    @property
    def changes(self) -> bool:
        """Whether what comes next must be looked at with this one done."""
        if isinstance(self.found, Decided):
            return bool(self.found.client)
        return not isinstance(self.found, Kept)


def look_ahead(tx: Session, reading: Reading, movements: Sequence[Movement]) -> None:
    """Reads at once what many movements need: numbers they may name, who pays from their accounts, refunds to pay."""
    lines = [incoming_movements.said(each) for each in movements if each.amount > 0]
    reading.numbers = open_items.known_numbers(tx, lines)
    reading.typed_in = incoming_movements.numbers_typed_in(tx, reading.numbers)
    accounts = {each.counterparty_account for each in movements} - reading.payers.keys()
    reading.payers |= open_items.payers(tx, accounts)
    reading.refunds = frozenset(
        (each.amount, each.currency) for each in refunds.to_pay(tx, refunds.BANK_TRANSFER)
    )


def take_in(tx: Session, reading: Reading, movements: Sequence[tuple[str, Movement]]) -> list[Decided | None]:
    """Accounts for the first of the movements, each with its key, up to and with one that touches an invoice.

    What became of each; None of what another import has accounted for. `Moved` if an invoice that is paid is no longer
    as it was known: the transaction is given up, and taken again.
    """
    looked = _looked(tx, reading, movements)
    rows = _begun(tx, reading, looked)
    new = [each for each in looked if each.key in rows]
    decided = {each.key: each.found for each in new if isinstance(each.found, Decided)}
    kept = [(rows[each.key], each.movement, each.found) for each in new if isinstance(each.found, Kept)]
    decided |= incoming_movements.keep(tx, reading, kept)
    for each in new[-1:]:
        if each.key not in decided:
            decided[each.key] = _settled(tx, reading, each, rows[each.key])
    for key, made in decided.items():
        _note(rows[key], made)
    return [decided.get(each.key) for each in looked]


def _looked(tx: Session, reading: Reading, movements: Sequence[tuple[str, Movement]]) -> list[_Looked]:
    looked: list[_Looked] = []
    for key, movement in movements:
        looked.append(_Looked(key, movement, _look(tx, reading, movement)))
        if looked[-1].changes:
            break
    return looked


def _look(tx: Session, reading: Reading, movement: Movement) -> Decided | Kept | Match | None:
    if movement.standing is not Standing.BOOKED:
        return Decided(
            Outcome.ANNOUNCED, f"the bank calls it {movement.standing}; it counts once it is booked"
        )
    if movement.counterparty_account and movement.counterparty_account in reading.own_accounts:
        return Decided(Outcome.OWN, "between accounts of ours")
    if movement.amount < 0 and bank_entries.is_return(movement):
        return None
    if movement.amount <= 0:
        return outgoing_movements.look(reading, movement)
    return incoming_movements.look(tx, reading, movement)


def _begun(tx: Session, reading: Reading, looked: Sequence[_Looked]) -> dict[str, BankEntryRow]:
    """Rows of those that nobody has accounted for, by their keys."""
    made = insert(BankEntryRow).on_conflict_do_nothing().returning(BankEntryRow)
    values = [_values(reading, each) for each in looked]
    return {row.key: row for row in tx.scalars(made, values)}


def _values(reading: Reading, looked: _Looked) -> dict[str, Any]:
    movement = looked.movement
    known = looked.found if isinstance(looked.found, Decided) else None
    original = movement.original
    details = {
        "original": [str(original[0]), original[1]] if original else None,
        "charges": str(movement.charges) if movement.charges else None,
        "returned": movement.returned,
        "reversal": movement.reversal,
        "batch": movement.batch,
        "bank_reference": movement.bank_reference,
        "transaction": movement.transaction_reference,
        "remarks": list(movement.remarks),
    }
    return {
        "statement": reading.statement.id,
        "key": looked.key,
        "position": movement.position,
        "amount": movement.amount,
        "currency": movement.currency,
        "booked_on": movement.booked_on,
        "valued_on": movement.valued_on,
        "code": movement.code,
        "counterparty": movement.counterparty,
        "counterparty_account": movement.counterparty_account,
        "end_to_end_id": movement.end_to_end_id,
        "structured_reference": " ".join(movement.references),
        "remittance": "\n".join(movement.text),
        "details": {name: value for name, value in details.items() if value},
        "outcome": known.outcome if known else "",
        "because": known.because if known else "",
    }


def _settled(tx: Session, reading: Reading, looked: _Looked, row: BankEntryRow) -> Decided:
    """What becomes of a movement that touches an invoice."""
    if isinstance(looked.found, Match):
        return incoming_movements.book(tx, reading, looked.movement, row, looked.found)
    if bank_entries.is_return(looked.movement):
        return returned_payments.take_back(tx, reading, looked.movement, row)
    return outgoing_movements.pay_back(tx, reading, looked.movement)


def _note(row: BankEntryRow, decided: Decided) -> None:
    row.outcome, row.because = decided.outcome, decided.because
    row.client, row.unmatched = decided.client or None, decided.unmatched
    if decided.payment is not None:
        row.details = {**row.details, "payment": decided.payment}
