"""A burst of deliveries on real web processes, one of which is killed: none is lost, doubled, or kept waiting."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from activities.ledger import events
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from starter.local_stack import ports
from tests.activities.crm.hubspot_account import SECRET, TOKEN, HubSpotAccount
from tests.activities.ledger.conftest import rows
from tests.company import TestCompany
from tests.starter.web.vendors import by_hubspot, stage_changed
from workers.assembly import effects
from workers.outbox_dispatcher import OutboxDispatcher
from workers.settings import Settings

DELIVERIES = 2000
REPEATED_EVERY = 3
"""A third comes twice: the same event, signed anew, as HubSpot does when it has got no answer in time."""

DEALS = 100
AT_ONCE = 8
"""HubSpot sends at most ten deliveries at a time to one app unless it is told otherwise."""

USUAL = 2.0
"""Seconds in which 99 of 100 deliveries are answered; the rest may meet other tests on the machine."""

SLOWEST = 5.0
"""Seconds in which each is: HubSpot waits no longer, and sends it again."""

PATH = "/webhooks/hubspot"

pytestmark = pytest.mark.timeout(900)


@dataclass
class Sender:
    """Sends what there is as HubSpot does: what gets no answer, or one of 500 or more, is sent again later."""

    url: str
    public: str
    todo: asyncio.Queue[dict[str, object]] = field(default_factory=asyncio.Queue)
    took: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    failed: int = 0
    half_way: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, http: httpx.AsyncClient) -> None:
        while not self.todo.empty():
            event = self.todo.get_nowait()
            body = httpx.Request("POST", self.url, json=[event]).content
            began = time.perf_counter()
            try:
                answer = await http.post(
                    self.url + PATH, content=body, headers=by_hubspot(body, self.public + PATH)
                )
            except httpx.TransportError:
                self.failed += 1
                self.todo.put_nowait({**event, "attemptNumber": 1})
                await asyncio.sleep(0.05)  # the vendor waits for minutes
                continue
            self.took.append(time.perf_counter() - began)
            self.answers[answer.status_code] += 1
            if len(self.took) == DELIVERIES * 2 // 3:
                self.half_way.set()
            if answer.status_code != httpx.codes.OK:
                self.todo.put_nowait({**event, "attemptNumber": 1})


def web_process(port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """`billow web`, once it takes deliveries."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from starter.cli import main; main()", "web", "--port", str(port)],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == httpx.codes.OK:
                return process
        except httpx.TransportError:
            pass
        assert process.poll() is None, "the web process ended"
        time.sleep(0.1)
    raise AssertionError("the web process does not answer")


@pytest.fixture
def account() -> Iterator[HubSpotAccount]:
    account = HubSpotAccount().example()
    with account.server:
        yield account


def company_of(folder: Path, crm: str) -> TestCompany:
    company = TestCompany(folder)
    company.clients[0]["crm"] = "550001"
    company.agreements = [
        {
            "id": f"deal-{n}",
            "title": f"Deal {n}",
            "model": "fixed price",
            "trigger": "deal won",
            "deal": str(9870000 + n),
            "project": "P-1",
            "client": "acme",
            "currency": "EUR",
            "start": "2026-01-01",
            "amount": "12500.00",
        }
        for n in range(DEALS)
    ]
    company.company_file = {
        "connections": [{"id": "hubspot", "provider": "hubspot", "port": "crm", "base_url": crm}]
    }
    company.write_sources()
    return company


def test_a_burst_with_a_kill(
    settings: Settings,
    ledger: Ledger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    account: HubSpotAccount,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """2,000 deliveries, a third of them twice, and the web process killed in the middle: none lost, none doubled,
    99 of 100 answered within two seconds, each while the vendor waits."""
    for n in range(DEALS):
        account.deal(str(9870000 + n), dealstage="closedwon")
    monkeypatch.setenv("BILLOW_HUBSPOT_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("BILLOW_HUBSPOT_CLIENT_SECRET", SECRET)
    company = company_of(tmp_path / "company", account.server.url)
    apply_company(ledger, company.company(), str(company.folder), "mara", datetime.now(UTC))
    port = ports.choose(22000 + os.getpid() % 500 * 10, None, "a port")
    public = "https://billow.test"
    environment = os.environ | {
        "BILLOW_DATABASE_URL": settings.database_url.get_secret_value(),
        "BILLOW_HOME": str(tmp_path / "home"),
        "BILLOW_WEB_URL": public,
    }
    said = [stage_changed(str(9870000 + n % DEALS), event=n) for n in range(DELIVERIES)]
    repeats = [{**each, "attemptNumber": 1} for each in said[::REPEATED_EVERY]]
    everything = [*said, *repeats]
    random.Random(5).shuffle(everything)

    async def burst() -> tuple[Sender, float]:
        sender = Sender(f"http://127.0.0.1:{port}", public)
        for each in everything:
            sender.todo.put_nowait(each)
        process = await asyncio.to_thread(web_process, port, environment)
        began = time.perf_counter()
        try:
            async with httpx.AsyncClient(timeout=10) as http, asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(sender.send(http))
                await sender.half_way.wait()
                process.send_signal(signal.SIGKILL)
                await asyncio.to_thread(process.wait)
                process = await asyncio.to_thread(web_process, port, environment)
            return sender, time.perf_counter() - began
        finally:
            process.kill()
            process.wait()

    sender, seconds = asyncio.run(burst())
    stored = rows(
        ledger, "select count(*), sum(repeats), count(*) filter (where status = 'waiting') from deliveries"
    )
    took = sorted(sender.took)
    figures = (
        f"\n{len(everything):,} deliveries in {seconds:.1f} s, {sender.failed} tries without an answer while the web "
        f"process was down; answered within {took[len(took) // 2] * 1000:.0f} ms (median), "
        f"{took[len(took) * 99 // 100] * 1000:.0f} ms (99 %), {took[-1] * 1000:.0f} ms (slowest)\n"
    )
    with capsys.disabled():
        sys.stdout.write(figures)
    assert set(sender.answers) == {200} and sender.answers[200] == len(everything)
    assert sender.failed > 0, "nobody was hit by the kill"
    (count, again, waiting) = stored[0]
    assert (count, waiting) == (DELIVERIES, DELIVERIES)
    assert again >= len(repeats)  # and what was stored but not answered
    assert took[len(took) * 99 // 100] < USUAL
    assert took[-1] < SLOWEST
    assert rows(ledger, "select count(*) from outbox where kind = 'delivery'") == [(DELIVERIES,)]
    dispatcher = OutboxDispatcher(cast(Any, None), effects(settings))
    acted_on = sum([asyncio.run(dispatcher.carry_deliveries()) for _ in range(3)])
    assert acted_on >= 600
    events.act_on_waiting(ledger, datetime.now(UTC))
    assert rows(ledger, "select count(*) from deliveries where status = 'acted on'") == [(acted_on,)]
    billed = [key for (key,) in rows(ledger, "select billing_key from invoices order by 1")]
    deals = rows(
        ledger, "select count(distinct content->>'objectId') from deliveries where status = 'acted on'"
    )
    assert [(len(billed),)] == [(len(set(billed)),)] == deals == rows(ledger, "select count(*) from events")
