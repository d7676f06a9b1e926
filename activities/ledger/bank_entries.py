"""One movement of a bank account in the ledger: its key, whichever statement tells of it, and what became of it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from activities.bank.movements import Movement, Standing, Statement
from activities.ledger.tables import BankEntryRow, BankStatementRow
from billing.company import Company
from billing.matching import OpenItems

_CHARGES = frozenset({"CHRG", "FEES", "COMM", "INTR", "TAXE", "COMT", "CCHRG"})
_RETURNS = frozenset({"RRTN", "UPDD", "UPCT", "UPCQ", "PRDD", "ARET", "RCDD", "RPCR"})
_OWN_CHARGE = re.compile(r"[A-Z]{4}\+8(05|06|07|08|09|13|14)(\+.*)?")
"""German transaction codes (GVC) of closing, fees and interest, as banks put them into theirs (`NCHG+808+9310`);
behind the second plus stands the number of a batch, which may be anything."""

_LONGEST_REFERENCE = 140

_TURNS = 7220429
"""First half of the lock (PostgreSQL, advisory) under which movements of an account are accounted for."""


MOST_ALIKE = 100
"""Movements of a day that say the same, without any reference of the bank's."""


class Outcome(StrEnum):
    """What became of a movement."""

    BOOKED = "booked"
    KNOWN = "known already"
    UNMATCHED = "unmatched"
    TAKEN_BACK = "taken back"
    TO_DECIDE = "taken back, of what is unknown"
    REFUND = "refund"
    PAYOUT = "payout"
    OWN = "own transfer"
    CHARGE = "charge"
    OUTGOING = "outgoing"
    ANNOUNCED = "not booked yet"


@dataclass
class Reading:
    """One import of one statement: what is open, and who pays from which account.

    Of the movements that are taken in now: `numbers` are those of all invoices that may stand in their texts, bare;
    `typed_in` those of them for which a person has booked money; `refunds` amount and currency of what is to be paid
    back.
    """

    statement: BankStatementRow
    company: Company
    items: OpenItems
    own_accounts: frozenset[str]
    by: str
    channel: str
    at: datetime
    payers: dict[str, str] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()
    typed_in: frozenset[str] = frozenset()
    refunds: frozenset[tuple[Decimal, str]] = frozenset()


@dataclass(frozen=True)
class Decided:
    """The outcome of a movement, why, and whose it is; `invoices` are those of which more may be open than before."""

    outcome: Outcome
    because: str = ""
    client: str = ""
    invoices: tuple[int, ...] = ()
    unmatched: int | None = None
    payment: int | None = None


def key_of(head: Statement, movement: Movement, seen: Counter[str]) -> str:
    """The movement's key: by the bank's own references, else by all it says, and counted where two say the same."""
    name = _identity(head, movement)
    seen[name] += 1
    return f"{name}#{seen[name]}"


def is_counted(movement: Movement) -> bool:
    """Whether nothing but counting tells it from another movement of the same day."""
    return not (movement.bank_reference or movement.transaction_reference)


def _identity(head: Statement, movement: Movement) -> str:
    parts = [
        head.account,
        head.currency,
        movement.booked_on.isoformat(),
        str(movement.amount),
        "" if movement.standing is Standing.BOOKED else movement.standing,
        movement.bank_reference,
        movement.transaction_reference,
        movement.end_to_end_id,
    ]
    if is_counted(movement):
        said = "".join((*movement.references, *movement.text))
        parts += [movement.counterparty_account, re.sub(r"\W", "", said).casefold()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]


def received_on(movement: Movement) -> date:
    """The day on which the money was ours: that of its value, if that is before it was booked."""
    return min(movement.valued_on or movement.booked_on, movement.booked_on)


def payment_key(entry: BankEntryRow, number: int) -> str:
    """The key of the payment that a part of an entry is booked as."""
    return f"bank/{entry.key}/{number}"


def told(movement: Movement) -> str:
    """What the payer says, in a line."""
    said = (movement.counterparty, *movement.references, *movement.text)
    return " · ".join(filter(None, said))[:_LONGEST_REFERENCE]


def take_turn(tx: Session, statement: BankStatementRow) -> None:
    """Waits until no other import accounts for movements of this account; they wait until the transaction ends."""
    tx.execute(select(func.pg_advisory_xact_lock(_TURNS, func.hashtext(statement.account))))


def known(tx: Session, keys: Sequence[str]) -> frozenset[str]:
    """Those of the keys that are accounted for."""
    return frozenset(tx.scalars(select(BankEntryRow.key).where(BankEntryRow.key.in_(list(keys)))))


def counted_on(tx: Session, statement: BankStatementRow, keys: Sequence[str]) -> dict[str, str]:
    """The keys of movements that nothing but counting tells apart, counted on from statements that do not overlap.

    Two payments of a day that say the same are two; a statement of the afternoon goes on counting where that of the
    morning stopped, whichever was imported first. One that does not say when it begins may hold either.
    """
    if statement.begins is None:
        return {}
    names = {key.partition("#")[0] for key in known(tx, keys)}
    apart = (
        select(func.count())
        .select_from(BankEntryRow)
        .join(BankStatementRow, BankStatementRow.id == BankEntryRow.statement)
        .where(
            or_(BankStatementRow.until <= statement.begins, BankStatementRow.begins >= statement.until),
            BankStatementRow.id != statement.id,
        )
    )
    offsets = {
        name: tx.scalar(apart.where(BankEntryRow.key.in_([f"{name}#{n}" for n in range(1, MOST_ALIKE)]))) or 0
        for name in names
    }
    counted = {}
    for key in keys:
        name, _, number = key.partition("#")
        counted[key] = f"{name}#{int(number) + offsets.get(name, 0)}"
    return counted


def is_return(movement: Movement) -> bool:
    """Whether a payment comes back with it."""
    return movement.reversal or bool(movement.returned) or bool(_RETURNS & _codes(movement))


def is_charge(movement: Movement) -> bool:
    """Whether the bank itself takes or gives it: charges, interest, what is left of a batch."""
    left_over = movement.amount < 0 and movement.position.endswith(".rest")
    own = movement.code.rpartition(" ")[2]
    return left_over or bool(_CHARGES & _codes(movement)) or bool(_OWN_CHARGE.fullmatch(own))


def _codes(movement: Movement) -> frozenset[str]:
    return frozenset(movement.code.partition(" ")[0].split("/"))
