"""The state machine: sources, people, crashes and several writers at once do anything to four meters."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.ledger import company_records, invoices, meters, triggers
from activities.ledger.database import Ledger
from activities.ledger.meters import Intake
from activities.ledger.tables import (
    ExceptionRow,
    InvoiceRow,
    MeterCrossingRow,
    MeterEntryRow,
    MeterRow,
    OutboxRow,
)
from billing.company import Company
from billing.errors import Conflicting
from billing.meter_entries import Measure, MeterEntry
from tests.activities.ledger.conftest import at_once
from tests.company import TestCompany
from tests.invariants.world import empty
from tests.metering import agreements
from tests.metering.model import AGREEMENTS, BLOCK, BUILD, HOLD, SPEND, Contradiction, Model

BEGINNING = datetime(2026, 6, 15, 9, tzinfo=UTC)
DAYS = [date(2026, 2, 3), date(2026, 5, 4), date(2026, 6, 15), date(2026, 6, 17)]
"""The last is still to come at first."""

IDS = st.sampled_from(["e1", "e2", "e3", "e4", "e5", "e6"])
REVISIONS = st.sampled_from([None, None, 1, 2, 3, 4])


def _hours(agreement: str, roles: Sequence[str] = ("",)) -> st.SearchStrategy[dict[str, Any]]:
    quantities = ["0", "0.5", "3", "4.25", "9.75", "10", "12", "25", "-1"]
    return st.fixed_dictionaries(
        {
            "agreement": st.just(agreement),
            "quantity": st.sampled_from(quantities).map(Decimal),
            "role": st.sampled_from(list(roles)),
        }
    )


WORK = st.one_of(
    _hours(BLOCK),
    _hours(BLOCK),
    _hours(HOLD),
    _hours(SPEND, ("dev", "dev", "boss")),
    st.fixed_dictionaries(
        {
            "agreement": st.just(BUILD),
            "measure": st.just(Measure.PROGRESS),
            "quantity": st.sampled_from([0, 29, 30, 60, 80, 100]).map(Decimal),
            "milestone": st.sampled_from([None, None, "plan", "build"]),
        }
    ),
)


def _entry(key: str, day: date, revision: int | None, deleted: bool, work: dict[str, Any]) -> MeterEntry:
    if deleted:
        work = {"agreement": work["agreement"]}
    return MeterEntry(
        source="psa", id=key, day=None if deleted else day, revision=revision, deleted=deleted, **work
    )


DELETED = st.sampled_from([False, False, False, True])
ENTRIES = st.builds(_entry, IDS, st.sampled_from(DAYS), REVISIONS, DELETED, WORK)


class Crash(Exception):
    """The process dies before it commits."""


class Machine(RuleBasedStateMachine):
    """One company in one database; every example begins with an empty one."""

    ledger: ClassVar[Ledger]

    def __init__(self) -> None:
        super().__init__()
        empty(self.ledger)
        self._folder = tempfile.TemporaryDirectory(prefix="billow-metering-")
        self.now = BEGINNING
        self.model = Model(BEGINNING.date())
        self.sent: list[MeterEntry] = []
        self.revision = 100
        self.company = self._apply()

    def teardown(self) -> None:
        self._folder.cleanup()

    def _apply(self) -> Company:
        made = TestCompany(Path(self._folder.name))
        model = self.model
        made.agreements = [
            agreements.block(BLOCK, replenish_at=str(model.replenish_at)),
            agreements.block(HOLD, overage="hold", replenish_at=str(model.replenish_at)),
            agreements.spend(SPEND, bill_at=str(model.bill_at)),
            agreements.milestones(BUILD),
        ]
        made.agreements[-1]["milestones"][1]["progress"] = model.build_at
        company = made.company()
        company_records.apply_company(self.ledger, company, self._folder.name, "mara", self.now)
        return company

    def _take(self, tx: Session, entries: Sequence[MeterEntry]) -> Intake:
        return meters.take_in(tx, entries, self.company, by="psa", channel="cli", at=self.now, hold=True)

    # what sources do ------------------------------------------------------------------------------------------

    @rule(entries=st.lists(ENTRIES, min_size=1, max_size=4))
    def take_in(self, entries: list[MeterEntry]) -> None:
        """A message, or several at once: new ones, edits, deletions, entries that move to another agreement."""
        try:
            self.model.take(entries)
        except Contradiction:
            with pytest.raises(Conflicting), self.ledger.transaction() as tx:
                self._take(tx, entries)
            return
        with self.ledger.transaction() as tx:
            self._take(tx, entries)
        self.sent += entries
        self.model.look()

    @rule(which=st.integers(0, 50), again=st.integers(1, 3))
    def deliver_again(self, which: int, again: int) -> None:
        """An old message comes once more, late, and several times over."""
        if self.sent:
            self.take_in([self.sent[which % len(self.sent)]] * again)

    @rule(entries=st.lists(ENTRIES, min_size=1, max_size=3))
    def crash(self, entries: list[MeterEntry]) -> None:
        """Nothing of what was done before the commit is left."""
        try:
            with self.ledger.transaction() as tx:
                self._take(tx, entries)
                raise Crash
        except (Crash, Conflicting):
            pass

    @rule(batches=st.lists(st.lists(ENTRIES, min_size=1, max_size=3), min_size=2, max_size=4))
    def write_at_once(self, batches: list[list[MeterEntry]]) -> None:
        """Several writers in one instant, over the same entries and meters. Revisions tell which message is newest."""
        numbered = [[self._numbered(each) for each in batch] for batch in batches]

        def write(number: int) -> list[tuple[datetime, str, list[MeterEntry]]]:
            """What this writer commits: of each meter it moved, while it holds the lock, when and which entries."""
            with self.ledger.transaction() as tx:
                intake = self._take(tx, numbered[number])
                moment = tx.execute(select(func.clock_timestamp())).scalar_one()
                return [(moment, each, _live(tx, each)) for each in intake.stored.agreements]

        seen: list[tuple[datetime, str, list[MeterEntry]]] = []
        for result in at_once(len(batches), write):
            assert not isinstance(result, Exception), result
            seen += result
        for _, agreement, live in sorted(seen, key=lambda each: each[:2]):
            self.model.fire(agreement, self.model.reached(agreement, live))
        for batch in numbered:
            self.model.take(batch)
            self.sent += batch
        for agreement in AGREEMENTS:
            unseen = self.model.reached(agreement, self.model.live(agreement)) - self.model.fired[agreement]
            assert not unseen, f"{agreement}: {unseen} stand reached, and no writer has seen it"

    def _numbered(self, entry: MeterEntry) -> MeterEntry:
        self.revision += 1
        return entry.model_copy(update={"revision": self.revision})

    # what people do and what time does ------------------------------------------------------------------------

    @rule(
        agreement=st.sampled_from([BLOCK, HOLD, SPEND]), block=st.sampled_from([None, "block-2", "block-3"])
    )
    def bill_by_hand(self, agreement: str, block: str | None) -> None:
        """A person bills the next block, or one that is named, or the work so far, before any line is reached."""
        item = None if agreement == SPEND else block
        with self.ledger.transaction() as tx:
            asked = triggers.by_agreement(tx, agreement, item, by="pia", channel="cli", at=self.now)
        key = asked.invoice.billing_key
        assert asked.new == (key not in self.model.living)
        self.model.ask(key)

    @rule(which=st.integers(0, 20), rebill=st.booleans())
    def void(self, which: int, rebill: bool) -> None:
        """A draft is voided; its line stays crossed, whatever becomes of its key."""
        keys = sorted(self.model.living - self.model.waived)
        if keys:
            key = keys[which % len(keys)]
            with self.ledger.transaction() as tx:
                row = invoices.find(tx, key, lock=True)
                invoices.void(tx, row, rebill=rebill, by="pia", channel="cli", reason="test", at=self.now)
            self.model.void(key, rebill=rebill)

    @rule(
        replenish_at=st.sampled_from([0, 3, 5]),
        bill_at=st.sampled_from([700, 1000, 2000]),
        build_at=st.sampled_from([50, 80, 100]),
    )
    def move_lines(self, replenish_at: int, bill_at: int, build_at: int) -> None:
        """The agreements change: lines come to the meters, not meters to the lines."""
        model = self.model
        model.replenish_at, model.bill_at, model.build_at = Decimal(replenish_at), Decimal(bill_at), build_at
        self.company = self._apply()
        self.look()

    @rule()
    def day_passes(self) -> None:
        """What was dated in the future counts once its day has come."""
        self.now += timedelta(days=1)
        self.model.today = self.now.date()
        self.look()

    @rule()
    def look(self) -> None:
        """A billing run looks at every meter."""
        with self.ledger.transaction() as tx:
            meters.look(tx, AGREEMENTS, self.company, by="run", channel="billing run", at=self.now)
        self.model.look()

    # what must hold after each of it --------------------------------------------------------------------------

    @invariant()
    def meters_are_the_sum_of_live_entries(self) -> None:
        """At all times; an agreement nothing was taken in for may have no meter yet."""
        with self.ledger.transaction() as tx:
            values = {row.agreement: row.value for row in tx.scalars(select(MeterRow))}
            live = {each: sorted(entry.id for entry in _live(tx, each)) for each in AGREEMENTS}
        for agreement in AGREEMENTS:
            expected = self.model.live(agreement)
            assert live[agreement] == sorted(each.id for each in expected)
            assert values.get(agreement, 0) == self.model.value(agreement, expected), agreement

    @invariant()
    def lines_fire_once_when_they_were_reached(self) -> None:
        """No line crossed unseen, none without having been reached, none twice; each invoice made once, and woken."""
        with self.ledger.transaction() as tx:
            crossed = list(tx.execute(select(MeterCrossingRow.agreement, MeterCrossingRow.line)))
            made = [
                *tx.execute(select(InvoiceRow.billing_key, func.count()).group_by(InvoiceRow.billing_key))
            ]
            woken = set(tx.scalars(select(OutboxRow.subject).where(OutboxRow.kind == "wake")))
            told = tx.scalars(
                select(ExceptionRow.subject).where(ExceptionRow.subject.startswith(f"meter/{HOLD}/block-"))
            ).all()
            keys = set(tx.scalars(select(MeterCrossingRow.billing_key))) - {None}
        expected = {(agreement, line) for agreement, lines in self.model.fired.items() for line in lines}
        assert {(agreement, line) for agreement, line in crossed} == expected
        assert dict(tuple(each) for each in made) == dict(self.model.made)
        assert set(self.model.made) <= woken
        assert sorted(str(each).rsplit("/", 1)[1] for each in told) == sorted(self.model.told)
        assert keys <= set(self.model.made)


def _live(tx: Session, agreement: str) -> list[MeterEntry]:
    """The entries of an agreement as the ledger has them now."""
    rows = tx.scalars(
        select(MeterEntryRow).where(MeterEntryRow.agreement == agreement, MeterEntryRow.deleted.is_(False))
    )
    return [
        MeterEntry(
            source=row.source,
            id=row.entry,
            agreement=row.agreement,
            measure=Measure(row.measure),
            day=row.day,
            quantity=row.quantity,
            role=row.content.get("role", ""),
            milestone=row.content.get("milestone"),
        )
        for row in rows
    ]
