"""Deliveries: acted on once, held where only a person can help, tried again once that is mended, erased in time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import BaseModel

from activities.invoicing.effects import Effects
from activities.ledger import commands, company_records, deliveries, integration_views, integrations, outbox
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from activities.ledger.exceptions import Resolution
from activities.providers.provider import Delivery, Provider, Received
from billing.approval_policy import Channel
from billing.connections import Connection, Port
from billing.errors import SourceFaulty, SourceUnavailable, WrongState
from billing.events import BillingEvent
from tests.activities.ledger.conftest import rows
from tests.activities.providers.vendors import the_only
from tests.company import TestCompany
from workers.outbox_dispatcher import OutboxDispatcher

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)
LATER = NOW + timedelta(minutes=31)


@dataclass
class Vendor:
    """A vendor whose webhook says whatever a test wants, in a provider that is installed as any other."""

    says: Callable[[Delivery], tuple[BillingEvent, ...]] = lambda _: ()
    asked: list[str] = field(default_factory=list)
    media_types: tuple[str, ...] = ("application/json",)
    answer: str = ""

    def verify(self, received: Received, secrets: Any, now: datetime) -> tuple[Delivery, ...]:
        return ()

    def events(self, delivery: Delivery, adapter: Any) -> tuple[BillingEvent, ...]:
        self.asked.append(delivery.id)
        return self.says(delivery)

    name = "vendor"

    def load(self) -> Provider:
        return Provider(
            "vendor",
            "Vendor",
            frozenset({Port.CRM}),
            "http://x",
            BaseModel,
            (),
            (),
            lambda *_: self,
            webhook=self,
        )


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    made = Vendor()
    with the_only(made, monkeypatch):
        yield made


ONE, TWO = (Connection(id=each, provider="vendor", port=Port.CRM) for each in ("one", "two"))


def connect(ledger: Ledger, folder: Path, *connections: Connection, **changes: Any) -> None:
    company = TestCompany(folder).company().model_copy(update={"connections": connections, **changes})
    apply_company(ledger, company, str(folder), "mara", NOW)


@pytest.fixture(autouse=True)
def company(vendor: Vendor, ledger: Ledger, tmp_path: Path) -> None:
    connect(ledger, tmp_path / "company", ONE, TWO)


def come(ledger: Ledger, *ids: str, connection: Connection = ONE, at: datetime = NOW, **content: Any) -> int:
    received = Received(
        "POST", "https://x", {"content-type": "application/json", "x-signature": "s3cret"}, b"{}"
    )
    with ledger.transaction() as tx:
        messages = [Delivery(each, {"deal": each, **content}) for each in ids]
        return deliveries.store(tx, connection, received, messages, verified_by="Vendor", at=at)


def act(ledger: Ledger, id_: str = "m1", connection: str = "one", at: datetime = NOW) -> tuple[str, str]:
    with ledger.transaction() as tx:
        row = deliveries.act(tx, connection, id_, at=at)
        return row.status, row.outcome


def won(delivery: Delivery, id_: str | None = None) -> tuple[BillingEvent, ...]:
    said = {
        "specversion": "1.0",
        "id": id_ or delivery.id,
        "source": "/integrations/one",
        "type": "billow.deal.won",
        "data": {"deal": delivery.content["deal"]},
    }
    return (BillingEvent.model_validate(said),)


def fails(error: Exception) -> Callable[[Delivery], tuple[BillingEvent, ...]]:
    def says(_delivery: Delivery) -> tuple[BillingEvent, ...]:
        raise error

    return says


def open_exceptions(ledger: Ledger) -> list[tuple[Any, ...]]:
    return rows(
        ledger, "select subject, finding->>'message' from exceptions where resolved_at is null order by 1"
    )


def exception(ledger: Ledger) -> int:
    return int(rows(ledger, "select max(id) from exceptions")[0][0])


async def carry(ledger: Ledger) -> int:
    effects = cast(Effects, type("Outside", (), {"ledger": ledger})())
    return await OutboxDispatcher(cast(Any, None), effects).carry_deliveries()


def test_acted_on_once(vendor: Vendor, ledger: Ledger) -> None:
    """A message makes its events once, however often it comes and is acted on."""
    vendor.says = won
    assert come(ledger, "m1") == 1
    assert come(ledger, "m1") == 0
    assert act(ledger) == ("acted on", "billow.deal.won")
    assert come(ledger, "m1") == 0
    assert act(ledger) == ("acted on", "billow.deal.won")
    assert vendor.asked == ["m1"]
    assert rows(ledger, "select repeats, attempts, events from deliveries") == [
        (2, 1, ["/integrations/one m1"])
    ]
    assert rows(ledger, "select event from events") == [("m1",)]
    assert rows(ledger, "select count(*) from outbox where kind = 'delivery'") == [(1,)]


def test_no_secret_is_kept(ledger: Ledger) -> None:
    """Of headers only ids, times and types stay."""
    headers = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "x-request-timestamp": "1",
        "authorization": "Bearer s3cret",
        "cookie": "s3cret",
        "x-signature": "s3cret",
        "x-session-id": "s3cret",
        "x-token-id": "s3cret",
        "x-signature-timestamp": "s3cret",
    }
    with ledger.transaction() as tx:
        received = Received("POST", "https://x", headers, b"{}")
        deliveries.store(tx, ONE, received, [Delivery("m1", {})], verified_by="Vendor", at=NOW)
    kept = {"content-type": "application/json", "webhook-id": "msg_1", "x-request-timestamp": "1"}
    assert rows(ledger, "select headers from deliveries") == [(kept,)]


def test_repeated_while_the_vendor_is_asked(vendor: Vendor, ledger: Ledger) -> None:
    """A vendor that repeats a message while it is asked about it is answered at once, and the repetition counted."""
    asked, told = threading.Event(), threading.Event()

    def slow(delivery: Delivery) -> tuple[BillingEvent, ...]:
        asked.set()
        assert told.wait(60)
        return won(delivery)

    vendor.says = slow
    come(ledger, "m1")
    with ThreadPoolExecutor(1) as threads:
        acting = threads.submit(act, ledger)
        assert asked.wait(60)
        with ledger.transaction() as tx:
            tx.connection().exec_driver_sql("set local lock_timeout = '500ms'")
            received = Received("POST", "https://x", {}, b"{}")
            deliveries.store(tx, ONE, received, [Delivery("m1", {})], verified_by="Vendor", at=NOW)
        told.set()
        assert acting.result(60) == ("acted on", "billow.deal.won")
    assert rows(ledger, "select repeats from deliveries") == [(1,)]


def test_acted_on_by_two_at_once(vendor: Vendor, ledger: Ledger) -> None:
    """Two who act on one message at once make its events once."""
    both = threading.Barrier(2, timeout=20)

    def together(delivery: Delivery) -> tuple[BillingEvent, ...]:
        both.wait()
        return won(delivery)

    vendor.says = together
    come(ledger, "m1")
    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(act, ledger) for _ in range(2)]
        assert {each.result(60) for each in done} == {("acted on", "billow.deal.won")}
    assert rows(ledger, "select count(*), max(d.attempts) from events, deliveries d") == [(1, 1)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SourceFaulty("it does not know the credentials"), "it does not know the credentials"),
        (KeyError("dealstage"), "KeyError: 'dealstage'"),
        (AttributeError("no such thing\0"), "AttributeError"),
        (ValueError("x" * 5000), "ValueError"),
    ],
)
async def test_held(vendor: Vendor, ledger: Ledger, error: Exception, said: str) -> None:
    """What only a person can mend, or nobody can make sense of, is held; its owner hears, and no other is kept back."""
    vendor.says = lambda delivery: fails(error)(delivery) if delivery.id == "m1" else won(delivery)
    come(ledger, "m1")
    come(ledger, "m2")
    assert await carry(ledger) == 2
    assert rows(ledger, "select status from deliveries order by delivery") == [("held",), ("acted on",)]
    ((subject, message),) = open_exceptions(ledger)
    assert (
        subject == "integration/one"
        and message.startswith("Vendor: delivery m1 is held: ")
        and said in message
    )
    assert rows(ledger, "select count(*) from outbox where kind = 'delivery' and done_at is null") == [(0,)]


def test_mended(vendor: Vendor, ledger: Ledger) -> None:
    """Once what held a message is mended, it is acted on by itself, and the exception closed with the last of them."""
    vendor.says = fails(SourceFaulty("no scope"))
    come(ledger, "m1", "m2")
    act(ledger, "m1")
    act(ledger, "m2")
    assert len(open_exceptions(ledger)) == 1
    vendor.says = won
    with ledger.transaction() as tx:
        for row in outbox.take(tx, outbox.DELIVERY, 9):
            outbox.done(row)
    with ledger.transaction() as tx:
        assert deliveries.queue_held(tx, at=SOON) == 2
    with ledger.transaction() as tx:
        assert deliveries.queue_held(tx, at=SOON) == 0  # they wait already
    assert act(ledger, "m1")[0] == "acted on"
    assert len(open_exceptions(ledger)) == 1
    assert act(ledger, "m2")[0] == "acted on"
    assert open_exceptions(ledger) == []


async def test_away(vendor: Vendor, ledger: Ledger) -> None:
    """A vendor that is away is asked about one message at a time; those of another are acted on meanwhile."""
    vendor.says = lambda each: (
        fails(SourceUnavailable("away"))(each) if each.id.startswith("a") else won(each)
    )
    at = datetime.now(UTC)
    come(ledger, *(f"a{n}" for n in range(30)), at=at)
    come(ledger, "b1", connection=TWO, at=at)
    await carry(ledger)
    assert len([each for each in vendor.asked if each.startswith("a")]) <= 8
    assert act(ledger, "b1", "two")[0] == "acted on"
    assert rows(ledger, "select distinct status from deliveries where connection = 'one'") == [("waiting",)]
    assert open_exceptions(ledger) == []
    assert await carry(ledger) == 0  # nothing of it is due yet


def test_away_for_long(ledger: Ledger) -> None:
    """After half an hour a person hears, and the message is held; it is not tried for ever every few seconds."""
    come(ledger, "m1")
    error = SourceUnavailable("away")
    with ledger.transaction() as tx:
        assert not deliveries.put_off(tx, "one", "m1", error, at=SOON)
    assert open_exceptions(ledger) == []
    with ledger.transaction() as tx:
        assert deliveries.put_off(tx, "one", "m1", error, at=LATER)
    ((_, message),) = open_exceptions(ledger)
    assert "away" in message
    assert rows(ledger, "select status, attempts from deliveries") == [("held", 2)]


def test_reached_again(vendor: Vendor, ledger: Ledger) -> None:
    """An outage is over when the vendor answers; the next one is told anew, though this one was accepted."""
    vendor.says = won
    for start in (NOW, NOW + timedelta(days=1)):
        with ledger.transaction() as tx:
            company = company_records.current(tx).company
            integrations.failed(tx, "one", "Vendor", SourceFaulty("401"), company, at=start)
        assert len(open_exceptions(ledger)) == 1
        commands.resolve(
            ledger,
            exception(ledger),
            Resolution.ACCEPT,
            by="mara",
            channel=Channel.CLI,
            reason="known",
            at=start,
        )
        with ledger.transaction() as tx:
            integrations.failed(
                tx, "one", "Vendor", SourceFaulty("401"), company, at=start + timedelta(hours=1)
            )
        assert open_exceptions(ledger) == []
        id_ = f"m{start.day}"
        come(ledger, id_, at=start)
        act(ledger, id_, at=start + timedelta(hours=2))
    assert rows(ledger, "select failing_since from integrations where connection = 'one'") == [(None,)]


def test_retried(vendor: Vendor, ledger: Ledger) -> None:
    """Retried, what is held is tried and the system polled at once, by the workers; accepted, it is set aside."""
    vendor.says = fails(SourceFaulty("no scope"))
    come(ledger, "m1")
    act(ledger)
    with ledger.transaction() as tx:
        outbox.done(outbox.take(tx, outbox.DELIVERY, 1)[0])
        integrations.of(tx, "one").polled_at = NOW
    given = {"by": "mara", "channel": Channel.CLI, "at": SOON}
    commands.resolve(ledger, exception(ledger), Resolution.RETRY, **given)  # type: ignore[arg-type]
    assert rows(ledger, "select count(*) from outbox where kind = 'delivery' and done_at is null") == [(1,)]
    assert rows(ledger, "select polled_at from integrations") == [(None,)]
    commands.resolve(ledger, exception(ledger), Resolution.ACCEPT, reason="a test", **given)  # type: ignore[arg-type]
    assert open_exceptions(ledger) == []
    assert act(ledger) == ("set aside", "accepted: a test")
    vendor.says = won
    with ledger.transaction() as tx:
        assert deliveries.run_again(tx, "one", "m1", by="mara", at=SOON).status == "acted on"
    assert rows(ledger, "select outcome from deliveries") == [("billow.deal.won (run again by mara)",)]


def test_said_otherwise(vendor: Vendor, ledger: Ledger) -> None:
    """Two messages that make one event say the same thing, or the second is held for a person."""
    vendor.says = lambda delivery: won(delivery, "same")
    come(ledger, "m1", "m2")
    assert act(ledger, "m1")[0] == "acted on"
    status, outcome = act(ledger, "m2")
    assert status == "held" and "said something else" in outcome
    assert rows(ledger, "select count(*) from events") == [(1,)]
    assert [subject for subject, _ in open_exceptions(ledger)] == ["integration/one"]


def test_a_connection_taken_out(vendor: Vendor, ledger: Ledger, tmp_path: Path) -> None:
    """What a connection delivered before it was taken out is held; connected again, it is acted on."""
    vendor.says = won
    come(ledger, "m1")
    connect(ledger, tmp_path / "company", TWO)
    status, outcome = act(ledger)
    assert status == "held" and "'one' is in integrations.yaml no more" in outcome
    assert [subject for subject, _ in open_exceptions(ledger)] == ["integration/one"]
    connect(ledger, tmp_path / "company", ONE, TWO)
    assert act(ledger)[0] == "acted on"
    assert open_exceptions(ledger) == []


def test_run_again(vendor: Vendor, ledger: Ledger) -> None:
    """What made nothing due can be run again; what made events stands."""
    come(ledger, "m1")
    assert act(ledger) == ("nothing due", "it says nothing that bills anything")
    vendor.says = won
    with ledger.transaction() as tx:
        assert deliveries.run_again(tx, "one", "m1", at=SOON).status == "acted on"
    with ledger.transaction() as tx, pytest.raises(WrongState, match="was acted on"):
        deliveries.run_again(tx, "one", "m1", at=SOON)


def test_erased(vendor: Vendor, ledger: Ledger) -> None:
    """What was said long ago and is done with is erased; that it came stays, and so what waits for somebody."""
    come(ledger, "m1", "m2", "m3")
    act(ledger, "m1")
    vendor.says = fails(SourceFaulty("no scope"))
    act(ledger, "m2")
    with ledger.transaction() as tx:
        assert deliveries.forget(tx, NOW) == 0
        assert deliveries.forget(tx, NOW + timedelta(seconds=1)) == 1
        assert deliveries.forget(tx, NOW + timedelta(seconds=1)) == 0
    found = rows(
        ledger, "select delivery, status, length(body) > 0, content = '{}' from deliveries order by 1"
    )
    assert found == [
        ("m1", "nothing due", False, True),
        ("m2", "held", True, False),
        ("m3", "waiting", True, False),
    ]
    assert come(ledger, "m1") == 0
    with ledger.transaction() as tx, pytest.raises(WrongState, match="was erased"):
        deliveries.run_again(tx, "one", "m1", at=LATER)
    with ledger.transaction() as tx:
        assert integration_views.delivery(tx, "one", "m1").erased


def test_views(vendor: Vendor, ledger: Ledger, tmp_path: Path) -> None:
    """Each connection says how it fares: state, what waits since when, what was refused, and what it billed."""
    vendor.says = won
    come(ledger, "m1", "m2")
    act(ledger, "m1")
    with ledger.transaction() as tx:
        integrations.refused(tx, "one", "the signature is wrong", at=NOW)
        company = company_records.current(tx).company
        one, two, standard = integration_views.all_of(tx, company, "https://x", LATER)
        log = integration_views.log_of(tx, "one", 10)
    assert (one.state, two.state, standard.state) == ("works", "not used yet", "not used yet")
    assert (one.received, one.waiting, one.held, one.refused) == (2, 1, 0, 1)
    assert one.lag == timedelta(minutes=31)
    assert one.endpoint is not None and (one.endpoint.url, one.endpoint.on) == (
        "https://x/webhooks/one",
        False,
    )
    assert [(each.id, each.status, each.verified) for each in log] == [
        ("m2", "waiting", "signed by Vendor"),
        ("m1", "acted on", "signed by Vendor"),
    ]
    connect(ledger, tmp_path / "company", TWO)
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        names = [
            (each.connection, each.state)
            for each in integration_views.all_of(tx, company, "https://x", LATER)
        ]
    assert names == [("two", "not used yet"), ("one", "taken out"), ("events", "not used yet")]


def test_readable() -> None:
    """JSON is shown with its lines broken, anything else as it came."""
    assert json.loads(integration_views.readable('{"a": [1]}')) == {"a": [1]}
    assert integration_views.readable('{"a": 1}') == '{\n  "a": 1\n}'
    assert integration_views.readable("--limit\r\n") == "--limit\r\n"
    assert integration_views.readable("[" * 100_000) == "[" * 100_000
