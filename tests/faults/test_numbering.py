"""Numbers stay gapless, unique and in order of date while processes and the database server are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, company_records, invoices, number_audit, number_series
from activities.ledger.database import Ledger, migrate
from activities.ledger.tables import InvoiceRow
from starter.local_stack import ports, service
from starter.local_stack.postgres import Cluster
from starter.local_stack.service import Child
from tests.starter.web.story import COMPANY, NOW, Story

PATIENCE = 100.0
"""Seconds anything may take before the test counts as stuck."""


class Server:
    """A durable PostgreSQL server of this test's own, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        first = 26000 + os.getpid() % 500 * 10
        self.cluster = Cluster(folder / "data", ports.choose(first, None, "a port"), durable=True)
        self.start()
        self.url = self.cluster.create_database()
        migrate(self.url)

    def start(self) -> None:
        self.cluster.prepare()
        self.child = Child.start(self.cluster.service(), os.environ, self.folder)
        until(self.cluster.answers, "the server to answer")

    def kill(self) -> None:
        """As a power cut would: nothing is flushed, nobody is asked."""
        postmaster = int((self.cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(postmaster, signal.SIGKILL)
        self.child.process.wait(PATIENCE)


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="billow-killed-") as folder:
        made = Server(Path(folder))
        try:
            yield made
        finally:
            service.stop([made.child])


class Issuing:
    """A process that issues, and what it was told: number by billing key, each committed before it was told."""

    def __init__(self, url: str, seed: int, instants: Sequence[datetime], *options: str) -> None:
        self.told: dict[str, str] = {}
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.faults.issuing",
                url,
                str(seed),
                *(each.isoformat() for each in instants),
                *options,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):  # a killed process may leave half a line
                key, number = line.rstrip("\n").rsplit(" ", 1)
                self.told[key] = number

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> int:
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return code


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE} s for {what}"
        time.sleep(0.05)  # less often, since those waited for need the processor


def issued(ledger: Ledger) -> list[InvoiceRow]:
    """Issued invoices in the order of their numbers; the database may be away meanwhile."""
    with ledger.transaction() as tx:
        query = select(InvoiceRow).where(InvoiceRow.number.is_not(None))
        return list(tx.scalars(query.order_by(InvoiceRow.issuer, InvoiceRow.number)))


def given(ledger: Ledger) -> int:
    try:
        return len(issued(ledger))
    except OperationalError:
        return 0


def holds(ledger: Ledger, issued_count: int) -> None:
    """No gap, no double, dates in order, the trail of every invoice whole."""
    with ledger.transaction() as tx:
        found = number_audit.audit_numbers(tx)
    assert (found.invoices, found.problems) == (issued_count, [])
    with ledger.transaction() as tx:
        for (key,) in tx.execute(select(InvoiceRow.id)):
            assert audit_trail.verify(tx, key) == []
            assert Counter(each.event for each in audit_trail.trail(tx, key))["issued"] <= 1


def draft_many(ledger: Ledger, count: int) -> None:
    story = Story(ledger)
    for number in range(count):
        story.drafted(f"n{number}")


def test_killed_processes_and_server(server: Server) -> None:
    """200 invoices issued by four processes: gapless, each once, whoever is killed, the database server included.

    A number anybody was told is the invoice's number for ever after, and asking again returns it.
    """
    ledger = Ledger(server.url)
    draft_many(ledger, 200)
    running = [Issuing(server.url, seed, [NOW]) for seed in range(4)]
    ended: list[Issuing] = []
    for death, issued_before in enumerate((25, 50, 75, 100, 125, 150)):
        until(lambda least=issued_before: given(ledger) >= least, f"{issued_before} invoices")  # type: ignore[misc]
        if death % 2:
            server.kill()
            server.start()
        else:
            victim = running.pop(0)
            victim.kill()
            ended.append(victim)
            running.append(Issuing(server.url, 10 + death, [NOW]))
    assert [each.end() for each in running] == [0] * 4
    holds(ledger, 200)
    numbers = {row.billing_key: row.number for row in issued(ledger)}
    for process in (*running, *ended):
        assert process.told.items() <= numbers.items()
    assert all(len(process.told) == 200 for process in running)
    ledger.close()


def test_killed_while_it_holds_a_number(server: Server) -> None:
    """A process killed after taking a number, before its commit, gives the number back at once; the next gets it."""
    ledger = Ledger(server.url)
    draft_many(ledger, 3)
    holding = Issuing(server.url, 1, [NOW], "--hold")
    until(lambda: "holding" in holding.told, "a number to be held")
    other = Issuing(server.url, 2, [NOW])
    until(lambda: _waiting_for_lock(ledger), "the other process to wait for the series")
    holding.kill()
    assert other.end() == 0
    assert sorted(other.told.values()) == [f"ELB-2026-0000{n}" for n in (1, 2, 3)]
    assert holding.told == {"holding": "ELB-2026-00001"}
    holds(ledger, 3)
    ledger.close()


def test_server_killed_while_a_number_is_held(server: Server) -> None:
    """The database server killed before a commit leaves no trace of the number taken; the next one gets it."""
    ledger = Ledger(server.url)
    draft_many(ledger, 2)
    holding = Issuing(server.url, 1, [NOW], "--hold")
    until(lambda: "holding" in holding.told, "a number to be held")
    server.kill()
    server.start()
    assert given(ledger) == 0
    holding.kill()
    assert Issuing(server.url, 2, [NOW]).end() == 0
    holds(ledger, 2)
    ledger.close()


def _waiting_for_lock(ledger: Ledger) -> bool:
    with ledger.transaction() as tx:
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        return bool(tx.connection().exec_driver_sql(waiting).scalar())


def test_two_issuers(ledger: Ledger) -> None:
    """Two issuers number side by side: each its own series, and one does not wait for the other."""
    draft_many(ledger, 40)
    second = COMPANY.issuers[0].model_copy(update={"id": "donauwerk", "number_prefix": "DON-"})
    company = COMPANY.model_copy(update={"issuers": (*COMPANY.issuers, second)})
    company_records.apply_company(ledger, company, "company", "lena", NOW)
    with ledger.transaction() as tx:
        for row in tx.scalars(select(InvoiceRow).order_by(InvoiceRow.id).offset(20)):
            invoices.put_draft(tx, row, invoices.draft_of(row).model_copy(update={"issuer": second}))
            row.issuer = second.id
    running = [Issuing(ledger.url, seed, [NOW]) for seed in range(3)]
    assert [each.end() for each in running] == [0] * 3
    holds(ledger, 40)
    numbers = [row.number for row in issued(ledger)]
    assert numbers == [f"{p}-2026-{n:05d}" for p in ("DON", "ELB") for n in range(1, 21)]
    draft_many(ledger, 42)
    with ledger.transaction() as slow:
        number_series.issue(slow, invoices.find(slow, "manual/n40", lock=True), at=NOW)
        with ledger.transaction() as quick:
            row = invoices.find(quick, "manual/n41", lock=True)
            donau = invoices.draft_of(row).model_copy(update={"issuer": second})
            invoices.put_draft(quick, row, donau)
            assert number_series.issue(quick, row, at=NOW) == "DON-2026-00021"


def at(text: str) -> datetime:
    """An instant, from the time a clock in Berlin shows."""
    return datetime.fromisoformat(f"{text}+01:00").astimezone(UTC)


NEW_YEAR = [
    at("2026-12-31T23:59:59.999999"),
    at("2027-01-01T00:00:00"),
    at("2026-12-31T23:00:00"),
    at("2027-01-01T00:30:00"),
]
"""In UTC all of these lie in the old year."""


def test_new_year(ledger: Ledger) -> None:
    """The year is the issuer's; an instant from before New Year that comes too late counts in the new year."""
    expected = [
        ("2026-12-31T23:59:59.999999", "ELB-2026-00001", date(2026, 12, 31)),
        ("2026-12-31T23:00:00", "ELB-2026-00002", date(2026, 12, 31)),
        ("2027-01-01T00:00:00", "ELB-2027-00001", date(2027, 1, 1)),
        ("2026-12-31T23:59:59.999999", "ELB-2027-00002", date(2027, 1, 1)),
        ("2026-12-30T12:00:00", "ELB-2027-00003", date(2027, 1, 1)),
        ("2027-01-02T09:00:00", "ELB-2027-00004", date(2027, 1, 2)),
        ("2028-02-29T09:00:00", "ELB-2028-00001", date(2028, 2, 29)),
    ]
    draft_many(ledger, len(expected))
    for number, (when, wanted, dated) in enumerate(expected):
        with ledger.transaction() as tx:
            row = invoices.find(tx, f"manual/n{number}", lock=True)
            assert _issue(tx, row, at(when)) == (wanted, dated, dated + timedelta(days=14))
    holds(ledger, len(expected))


def _issue(tx: Session, row: InvoiceRow, when: datetime) -> tuple[str, date | None, date | None]:
    first = number_series.issue(tx, row, at=when)
    assert number_series.issue(tx, row, at=when + timedelta(days=400)) == first
    return first, row.issue_date, row.due_date


def test_new_year_from_many_sides(ledger: Ledger) -> None:
    """Processes whose clocks stand on both sides of New Year give two gapless years, the old one closed for good."""
    draft_many(ledger, 60)
    running = [Issuing(ledger.url, seed, NEW_YEAR) for seed in range(3)]
    assert [each.end() for each in running] == [0] * 3
    holds(ledger, 60)
    rows = issued(ledger)
    dates = [row.issue_date for row in rows]
    assert dates == sorted(dates)  # type: ignore[type-var]
    assert {row.number[:8] for row in rows if row.number} <= {"ELB-2026", "ELB-2027"}
    ids_by_year = [row.issue_date.year for row in rows if row.issue_date]
    assert ids_by_year == sorted(ids_by_year)
