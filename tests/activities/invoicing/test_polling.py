"""Polling: by one worker at a time, events and cursor together, bounded, and never ended by what a vendor does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from activities.invoicing import polling
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from activities.providers.provider import Changes, Provider
from billing.connections import Connection, Port
from billing.errors import SourceUnavailable
from billing.events import BillingEvent
from tests.activities.ledger.conftest import rows
from tests.activities.providers.vendors import the_only
from tests.company import TestCompany
from workers import polling as worker

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def event(id_: str, deal: str = "1", at: datetime | None = None) -> BillingEvent:
    said = {
        "specversion": "1.0",
        "id": id_,
        "source": "/integrations/one",
        "type": "billow.deal.won",
        "data": {"deal": deal},
        "time": at,
    }
    return BillingEvent.model_validate(said)


@dataclass
class Vendor:
    """A vendor that is polled and answers whatever a test wants, in a provider that is installed as any other."""

    answers: Callable[[str | None], Changes] = lambda cursor: Changes((), cursor or "0")
    cursors: list[str | None] = field(default_factory=list)

    def changes(self, cursor: str | None, now: datetime) -> Changes:
        self.cursors.append(cursor)
        return self.answers(cursor)

    name = "vendor"

    def load(self) -> Provider:
        return Provider(
            "vendor", "Vendor", frozenset({Port.PSA}), "http://x", BaseModel, (), (), lambda *_: self
        )


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    made = Vendor()
    with the_only(made, monkeypatch):
        yield made


ONE, TWO = (Connection(id=each, provider="vendor", port=Port.PSA) for each in ("one", "two"))


@pytest.fixture
def ledger(database_url: str, tmp_path: Path, vendor: Vendor) -> Iterator[Ledger]:
    made = Ledger(database_url)
    company = TestCompany(tmp_path).company().model_copy(update={"connections": (ONE, TWO)})
    apply_company(made, company, str(tmp_path), "mara", NOW)
    yield made
    made.close()


def state(ledger: Ledger) -> list[tuple[Any, ...]]:
    return rows(ledger, "select connection, cursor, failing_since is null, last_error from integrations")


def test_step_by_step(ledger: Ledger, vendor: Vendor) -> None:
    """All there is comes in one poll, each event once, and the cursor stands behind what was stored."""
    steps = {
        None: Changes((event("a"), event("b", "2", NOW - timedelta(hours=2))), "1", more=True),
        "1": Changes((event("b", "2", NOW - timedelta(hours=2)), event("c", "3")), "2"),
        "2": Changes((), "2"),
    }
    vendor.answers = lambda cursor: steps[cursor]
    assert polling.poll(ledger, ONE, NOW) == polling.Polled("one", 3)
    assert polling.poll(ledger, ONE, NOW) == polling.Polled("one", 0)
    assert vendor.cursors == [None, "1", "2"]
    assert state(ledger) == [("one", "2", True, None)]
    assert rows(ledger, "select event, channel from events order by 1") == [
        (each, "polling") for each in "abc"
    ]
    assert rows(ledger, "select lag_seconds from integrations") == [(7200,)]


def test_for_ever(ledger: Ledger, vendor: Vendor) -> None:
    """A vendor that always has more is left after so many steps; the next poll goes on where this one was."""
    vendor.answers = lambda cursor: Changes((), str(int(cursor or 0) + 1), more=True)
    assert "there is more" in polling.poll(ledger, ONE, NOW).problem
    assert len(vendor.cursors) == polling.MOST_AT_ONCE
    assert state(ledger)[0][1] == str(polling.MOST_AT_ONCE)


def test_for_long(ledger: Ledger, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other step is begun once a poll has lasted long enough."""
    monkeypatch.setattr(polling, "LONGEST", 0.0)
    vendor.answers = lambda cursor: Changes((), str(int(cursor or 0) + 1), more=True)
    assert "there is more" in polling.poll(ledger, ONE, NOW).problem
    assert len(vendor.cursors) == 1


def test_one_at_a_time(ledger: Ledger, vendor: Vendor) -> None:
    """While one worker polls a connection another leaves it alone, and may poll any other; the database may let nobody
    be idle in a transaction meanwhile."""
    asked, told = threading.Event(), threading.Event()

    def slow(_cursor: str | None) -> Changes:
        asked.set()
        assert told.wait(60)
        return Changes((event("a"),), "1")

    vendor.answers = slow
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(polling.poll, ledger, ONE, NOW)
        assert asked.wait(60)
        vendor.answers = lambda _: Changes((), "9")
        assert polling.poll(ledger, ONE, NOW).problem == "another worker polls it right now"
        assert polling.poll(ledger, TWO, NOW) == polling.Polled("two", 0)
        idle = "select count(*) from pg_stat_activity where state like 'idle in%' and datname = current_database()"
        assert rows(ledger, idle) == [(0,)]
        told.set()
        assert first.result(60) == polling.Polled("one", 1)
    assert polling.poll(ledger, ONE, NOW) == polling.Polled("one", 0)


@pytest.mark.parametrize(
    ("error", "said", "told"),
    [
        (SourceUnavailable("it does not answer"), "it does not answer", False),
        (KeyError("issues"), "cannot be understood (KeyError: 'issues')", True),
        (AttributeError("'NoneType' has no attribute 'get'"), "cannot be understood (AttributeError", True),
    ],
)
def test_fails(ledger: Ledger, vendor: Vendor, error: Exception, said: str, told: bool) -> None:
    """What the vendor does ends no worker: it is noted, told at once where only a person can help, and tried again."""

    def fails(_cursor: str | None) -> Changes:
        raise error

    vendor.answers = fails
    assert said in polling.poll(ledger, ONE, NOW).problem
    ((_, cursor, well, last_error),) = state(ledger)
    assert (cursor, well) == (None, False) and said in last_error
    open_ones = "select count(*) from exceptions where resolved_at is null and subject = 'integration/one'"
    assert rows(ledger, open_ones) == [(int(told),)]
    polling.poll(ledger, ONE, NOW + timedelta(minutes=31))
    assert rows(ledger, open_ones) == [(1,)]
    vendor.answers = lambda _: Changes((), "1")
    assert polling.poll(ledger, ONE, NOW + timedelta(minutes=36)).problem == ""
    assert rows(ledger, open_ones) == [(0,)]
    assert state(ledger)[0][2]


def test_due(ledger: Ledger, vendor: Vendor) -> None:
    """A connection is due when it never was asked, when its pause is over, or when somebody wants it now."""
    assert [each.id for each in polling.due(ledger, NOW)] == ["one", "two"]
    polling.poll(ledger, ONE, NOW)
    assert [each.id for each in polling.due(ledger, NOW + timedelta(minutes=4))] == ["two"]
    assert [each.id for each in polling.due(ledger, NOW + timedelta(minutes=5))] == ["one", "two"]
    assert [each.id for each in polling.due(ledger, NOW, at_once=True)] == ["one", "two"]


async def test_a_slow_vendor_keeps_no_other_back(ledger: Ledger, vendor: Vendor) -> None:
    """The worker asks each vendor in a thread of its own, and stops when it is told to, whoever is still waited for."""
    slow, release, fast = threading.Event(), threading.Event(), threading.Event()

    def answers(_cursor: str | None) -> Changes:
        if not slow.is_set():
            slow.set()
            release.wait(60)
        else:
            fast.set()
        return Changes((), "1")

    vendor.answers = answers
    watching = asyncio.create_task(worker.watch(ledger))
    assert await asyncio.to_thread(slow.wait, 60)
    assert await asyncio.to_thread(fast.wait, 60)
    watching.cancel()
    done, _ = await asyncio.wait([watching], timeout=60)
    release.set()
    assert done and watching.cancelled()
