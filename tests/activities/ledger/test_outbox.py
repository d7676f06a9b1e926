"""The outbox: taken by one dispatcher at a time, tried again with growing pauses, never given up."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event, Thread

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from activities.ledger import outbox
from activities.ledger.database import Ledger
from tests.activities.ledger.conftest import tamper
from tests.starter.web.story import NOW


def put(ledger: Ledger, *subjects: str) -> None:
    with ledger.transaction() as tx:
        for subject in subjects:
            outbox.write(tx, outbox.WAKE, subject, invoice=None, at=NOW)


def subjects(tx: Session, limit: int = 10) -> list[str]:
    return [row.subject for row in outbox.take(tx, outbox.WAKE, limit)]


def server_time(tx: Session) -> datetime:
    now = tx.scalar(text("select now()"))
    assert isinstance(now, datetime)
    return now


def test_oldest_first(ledger: Ledger) -> None:
    """Rows come in the order in which they were written, as many as asked for."""
    put(ledger, "a", "b", "c")
    with ledger.transaction() as tx:
        assert subjects(tx, 2) == ["a", "b"]
        assert outbox.waiting(tx) == 3


def test_done(ledger: Ledger) -> None:
    """What is done is not taken again."""
    put(ledger, "a", "b")
    with ledger.transaction() as tx:
        outbox.done(outbox.take(tx, outbox.WAKE, 1)[0])
    with ledger.transaction() as tx:
        assert subjects(tx) == ["b"]
        assert outbox.waiting(tx) == 1


def test_two_dispatchers(ledger: Ledger) -> None:
    """What one dispatcher has taken another passes over without waiting, until the first gives it back."""
    put(ledger, "a", "b", "c")
    with ledger.transaction() as one:
        assert subjects(one, 2) == ["a", "b"]
        with ledger.transaction() as two:
            assert subjects(two) == ["c"]
        with ledger.transaction() as three:
            assert subjects(three) == ["c"]
    with ledger.transaction() as four:
        assert subjects(four) == ["a", "b", "c"]


def test_not_before_the_commit(ledger: Ledger) -> None:
    """What a transaction writes is not seen before its commit, and never if it fails."""
    written, go_on = Event(), Event()

    def writing() -> None:
        with ledger.transaction() as tx:
            outbox.write(tx, outbox.WAKE, "a", invoice=None, at=NOW)
            tx.flush()
            written.set()
            go_on.wait(60)
            tx.rollback()

    writer = Thread(target=writing)
    writer.start()
    assert written.wait(60)
    with ledger.transaction() as tx:
        assert subjects(tx) == []
    go_on.set()
    writer.join()
    with ledger.transaction() as tx:
        assert outbox.waiting(tx) == 0


def test_back_off(ledger: Ledger) -> None:
    """Each failure doubles the pause, from 2 seconds to 5 minutes; it is never given up."""
    put(ledger, "a")
    pauses = []
    for _ in range(12):
        with ledger.transaction() as tx:
            row = outbox.take(tx, outbox.WAKE, 1)[0]
            outbox.failed(row, "no answer " * 500)
            tx.flush()
            tx.refresh(row)
            pauses.append(row.not_before - server_time(tx))
            assert row.last_error is not None and len(row.last_error) == 1000
        with ledger.transaction() as tx:
            assert subjects(tx) == []
        tamper(ledger, "update outbox set not_before = now()")
    assert pauses == [timedelta(seconds=min(2**n, 300)) for n in range(1, 13)]


def test_notice(ledger: Ledger) -> None:
    """Whoever listens is told as soon as something is committed."""
    conninfo = ledger.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(conninfo, autocommit=True) as listening:
        listening.execute(f"listen {outbox.CHANNEL}")
        put(ledger, "a")
        assert [each.channel for each in listening.notifies(timeout=60, stop_after=1)] == [outbox.CHANNEL]
