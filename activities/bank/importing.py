"""Bank statements are imported: read to the end first, then each entry accounted for in the transaction of its outcome.

Whatever breaks off is taken up by importing the same file again: what is accounted for is not touched.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import IO

from activities.bank import camt
from activities.bank.movements import Movement, Standing, Statement
from activities.ledger import (
    bank_booking,
    bank_data,
    bank_entries,
    bank_statements,
    company_records,
    open_items,
)
from activities.ledger.bank_entries import Decided, Reading
from activities.ledger.database import Ledger
from activities.ledger.incoming_movements import Moved
from billing.company import Company
from billing.errors import Refused
from billing.matching import OpenItems
from billing.parties import Issuer

AT_A_TIME = 200
"""Entries that are looked up together, while other imports of the account wait."""

_TRIES = 20
"""How often an entry is looked at anew because an invoice it pays has just changed."""


@dataclass
class Imported:
    """What became of one statement; `known` entries were accounted for before."""

    id: int
    account: str
    statement: str
    currency: str
    until: datetime
    new: bool
    entries: int
    known: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    problems: tuple[str, ...] = ()


@dataclass
class _Checked:
    """A statement that was read to its end, and whose account is known."""

    head: Statement
    issuer: Issuer
    until: datetime
    entries: int
    booked: Decimal
    last_booked: date | None = None


def import_file(
    ledger: Ledger, file: IO[bytes], *, file_name: str, by: str, channel: str, at: datetime
) -> list[Imported]:
    """Imports a file of camt.053; the same again, or one that overlaps, changes nothing that is known.

    `file` can be read twice. `Refused`, and nothing is taken in, for what cannot be read to its end or is of an account
    nobody knows.
    """
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
    digest = _sha256(file)
    file.seek(0)
    checked = _checked(file, company, at)
    file.seek(0)
    return _Import(ledger, company, digest, file_name[:200], by, channel, at).run(file, checked)


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while data := file.read(2**16):
        digest.update(data)
    return digest.hexdigest()


def _checked(file: IO[bytes], company: Company, at: datetime) -> list[_Checked]:
    """Reads the file to its end: what breaks off, or is of an account nobody knows, is refused as a whole."""
    found: list[_Checked] = []
    last_booked: date | None = None
    for each in camt.read(file):
        if isinstance(each, Statement):
            last_booked = None
            found.append(_Checked(each, bank_statements.issuer_of(company, each.account), at, 0, Decimal(0)))
            continue
        now = found[-1]
        now.entries += 1
        if each.standing is Standing.BOOKED:
            now.booked += each.amount
            last_booked = max(last_booked or each.booked_on, each.booked_on)
        now.last_booked = last_booked
    for one in found:
        one.until = bank_statements.reaches(one.head, one.last_booked, one.issuer.zone, at)
    return found


def _is_next_page(checked: Sequence[_Checked], place: int) -> bool:
    """Whether the statement goes on with the one before it: what says the same is counted on."""
    if place == 0:
        return False
    before, now = checked[place - 1].head, checked[place].head
    same = (before.account, before.currency, before.id) == (now.account, now.currency, now.id)
    return same and bool(now.page) and now.page != before.page


class _Import:
    """One file, while it is taken in."""

    def __init__(
        self, ledger: Ledger, company: Company, digest: str, name: str, by: str, channel: str, at: datetime
    ) -> None:
        self._ledger, self._company, self._at = ledger, company, at
        self._digest, self._name, self._by, self._channel = digest, name, by, channel
        self._items: dict[str, OpenItems] = {}

    def run(self, file: IO[bytes], checked: Sequence[_Checked]) -> list[Imported]:
        """Takes in every statement, one after the other."""
        imported: list[Imported] = []
        following = iter(checked)
        reading: Reading | None = None
        batch: list[tuple[str, Movement]] = []
        seen: Counter[str] = Counter()
        for each in camt.read(file):
            if isinstance(each, Movement) and reading is not None:
                batch.append((bank_entries.key_of(checked[len(imported) - 1].head, each, seen), each))
            if reading is not None and (isinstance(each, Statement) or len(batch) >= AT_A_TIME):
                self._take_in(reading, batch, imported[-1])
                batch = []
            if isinstance(each, Statement):
                if reading is not None:
                    self._finish(imported[-1])
                reading, made = self._begin(next(following))
                imported.append(made)
                if not _is_next_page(checked, len(imported) - 1):
                    seen = Counter()
        if reading is not None:
            self._take_in(reading, batch, imported[-1])
            self._finish(imported[-1])
        return imported

    def _begin(self, checked: _Checked) -> tuple[Reading, Imported]:
        head, issuer = checked.head, checked.issuer
        with self._ledger.transaction() as tx:
            row, new = bank_statements.begin(
                tx,
                head,
                issuer,
                entries=checked.entries,
                booked=checked.booked,
                until=checked.until,
                file=self._digest,
                file_name=self._name,
                by=self._by,
                channel=self._channel,
                at=self._at,
            )
            if issuer.id not in self._items:
                self._items[issuer.id] = open_items.of_issuer(tx, issuer.id)
        own = bank_statements.own_accounts(self._company) - {head.account}
        items = self._items[issuer.id]
        reading = Reading(row, self._company, items, own, self._by, self._channel, self._at)
        made = Imported(row.id, row.account, row.statement, row.currency, row.until, new, checked.entries)
        return reading, made

    def _take_in(self, reading: Reading, batch: Sequence[tuple[str, Movement]], made: Imported) -> None:
        if not batch:
            return
        with self._ledger.transaction() as turn:
            bank_entries.take_turn(turn, reading.statement)
            counted = [key for key, movement in batch if bank_entries.is_counted(movement)]
            names = bank_entries.counted_on(turn, reading.statement, counted)
            batch = [(names.get(key, key), movement) for key, movement in batch]
            known = bank_entries.known(turn, [key for key, _ in batch])
            left = [(key, movement) for key, movement in batch if key not in known]
            made.known += len(batch) - len(left)
            bank_booking.look_ahead(turn, reading, [movement for _, movement in left])
            while left:
                decided = self._some(reading, left)
                made.outcomes.update(each.outcome for each in decided if each is not None)
                made.known += decided.count(None)
                left = left[len(decided) :]

    def _some(self, reading: Reading, left: Sequence[tuple[str, Movement]]) -> list[Decided | None]:
        """Accounts for the first of these, in one transaction: as many as can share one."""
        for _ in range(_TRIES):
            try:
                with self._ledger.transaction() as tx:
                    decided = bank_booking.take_in(tx, reading, left)
                    last, (_, movement) = decided[-1], left[len(decided) - 1]
                    if last is not None and last.invoices:
                        tx.flush()
                        open_items.refresh(tx, reading.items, last.invoices)
                    if last is not None and last.client:
                        reading.payers.pop(movement.counterparty_account, None)
            except Moved as moved:
                with self._ledger.transaction() as tx:
                    open_items.refresh(tx, reading.items, moved.invoices)
                    bank_booking.look_ahead(tx, reading, [movement for _, movement in left])
            else:
                return decided
        raise Refused(
            f"the invoices that entry {left[0][1].position} or one after it pays keep changing; "
            "import the file again"
        )

    def _finish(self, made: Imported) -> None:
        with self._ledger.transaction() as tx:
            row = bank_statements.finish(tx, made.id, self._company, at=self._at)
            if row.issuer is not None:
                bank_data.arrived(tx, row.issuer, at=self._at)
            made.problems = tuple(each["said"] for each in row.problems)
