"""What becomes of one movement of a bank account: booked, kept for a person, taken back, or no business of ours.

Each has one outcome, written in the transaction of what it caused: none goes missing, and none counts twice.
"""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.bank.movements import Movement, Standing
from activities.ledger import bank_entries, incoming_movements, outgoing_movements, returned_payments
from activities.ledger.bank_entries import Decided, Outcome, Reading
from activities.ledger.tables import BankEntryRow


def take_in(tx: Session, reading: Reading, movement: Movement, key: str) -> Decided | None:
    """Accounts for one movement; None if another import has just done so.

    `Moved` if an invoice it pays is no longer as it was known: the transaction is given up, and taken again.
    """
    row = _begun(tx, reading, movement, key)
    if row is None:
        return None
    decided = _decide(tx, reading, movement, row)
    row.outcome, row.because = decided.outcome, decided.because
    row.client, row.unmatched = decided.client or None, decided.unmatched
    if decided.payment is not None:
        row.details = {**row.details, "payment": decided.payment}
    return decided


def _begun(tx: Session, reading: Reading, movement: Movement, key: str) -> BankEntryRow | None:
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
    made = (
        insert(BankEntryRow)
        .values(
            statement=reading.statement.id,
            key=key,
            position=movement.position,
            amount=movement.amount,
            currency=movement.currency,
            booked_on=movement.booked_on,
            valued_on=movement.valued_on,
            code=movement.code,
            counterparty=movement.counterparty,
            counterparty_account=movement.counterparty_account,
            end_to_end_id=movement.end_to_end_id,
            structured_reference=" ".join(movement.references),
            remittance="\n".join(movement.text),
            details={name: value for name, value in details.items() if value},
            outcome="",
            because="",
        )
        .on_conflict_do_nothing()
        .returning(BankEntryRow)
    )
    return tx.scalars(made).first()


def _decide(tx: Session, reading: Reading, movement: Movement, row: BankEntryRow) -> Decided:
    if movement.standing is not Standing.BOOKED:
        return Decided(
            Outcome.ANNOUNCED, f"the bank calls it {movement.standing}; it counts once it is booked"
        )
    if movement.counterparty_account and movement.counterparty_account in reading.own_accounts:
        return Decided(Outcome.OWN, "between accounts of ours")
    if movement.amount < 0 and bank_entries.is_return(movement):
        return returned_payments.take_back(tx, reading, movement, row)
    if movement.amount <= 0:
        return outgoing_movements.decide(tx, reading, movement, charge=bank_entries.is_charge(movement))
    return incoming_movements.book(tx, reading, movement, row)
