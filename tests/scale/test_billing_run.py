"""A billing run over thousands of agreements, with real worker processes of which one is killed (`make scale`)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select
from temporalio.testing import WorkflowEnvironment

from activities.ledger import billing_run_records
from activities.ledger.database import Ledger
from activities.ledger.tables import AuditEventRow, InvoiceRow
from benchmarks.actions import cost
from tests.company import TestCompany, client, crm_client, retainer
from workers.settings import Settings
from workflows.billing_run import BillingRunWorkflow
from workflows.identifiers import INVOICING_QUEUE
from workflows.messages import BillingRunInput

AGREEMENTS = int(os.environ.get("BILLOW_SCALE", "5000"))
CLIENTS = 100

MOST_MEMORY = 500 * 1024**2
"""Bytes a worker may take, however many agreements there are; at rest it takes about 200 MB."""

PATIENCE = 1800.0
"""Seconds a part of the run may take, on a machine that has other things to do."""

pytestmark = [pytest.mark.scale, pytest.mark.timeout(3600)]


@dataclass
class Watched:
    """What was seen of the run and its workers while it went on."""

    ledger: Ledger
    looked_at: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    memory: int = 0

    def look(self, process: psutil.Process) -> int:
        with self.ledger.transaction() as tx:
            found = billing_run_records.find_run(tx, "scale")
            self.looked_at.append(found.looked_at if found else 0)
            self.waiting.append(billing_run_records.not_assembled(tx))
        self.memory = max(self.memory, process.memory_info().rss)
        return self.looked_at[-1]


def company_of(count: int, folder: Path) -> TestCompany:
    made = TestCompany(folder)
    made.clients = [client(f"client-{n}", f"C-{n}") for n in range(CLIENTS)]
    made.crm = [crm_client(f"C-{n}", f"Client {n} GmbH") for n in range(CLIENTS)]
    made.agreements = [
        retainer(f"care-{n:05d}", f"client-{n % CLIENTS}", f"{10 + n // 100}.{n % 100:02d}")
        for n in range(count)
    ]
    return made


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[psutil.Process]:
    process = subprocess.Popen(
        [sys.executable, "-m", "workers", "invoicing"], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


async def until(condition: Callable[[], bool], what: str) -> None:
    """Returns once the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE} s for {what}"
        await asyncio.sleep(0.2)


async def test_thousands(temporal_env: WorkflowEnvironment, settings: Settings, tmp_path: Path) -> None:
    """Progress is shown, the run throttled, resumed after its worker is killed; each invoice once, memory bounded."""
    ledger = Ledger(settings.database_url.get_secret_value())
    company_of(AGREEMENTS, tmp_path / "company").apply(ledger)
    environment = os.environ | {
        "BILLOW_DATABASE_URL": ledger.url,
        "BILLOW_HOME": str(settings.home),
        "BILLOW_SMTP_HOST": settings.smtp_host,
        "BILLOW_SMTP_PORT": str(settings.smtp_port),
        "TEMPORAL_ADDRESS": temporal_env.client.service_client.config.target_host,
        "TEMPORAL_CONFIG_FILE": os.devnull,
    }
    watched, began = Watched(ledger), time.monotonic()
    with worker(environment) as victim:
        run = await temporal_env.client.start_workflow(
            BillingRunWorkflow.run, BillingRunInput(), id="scale", task_queue=INVOICING_QUEUE
        )
        await until(lambda: watched.look(victim) >= AGREEMENTS * 2 // 5, "the middle of the run")
        victim.send_signal(signal.SIGKILL)
    stood, killed = watched.looked_at[-1], time.monotonic()
    with worker(environment) as heir:
        await until(lambda: watched.look(heir) > stood, "the run to be resumed")
        resumed = time.monotonic()
        await until(
            lambda: watched.look(heir) == AGREEMENTS and not watched.waiting[-1], "the end of the run"
        )
        done = await run.result()
        assert await run.query(BillingRunWorkflow.progress) == done
    took = time.monotonic() - began
    spent = cost(await run.fetch_history())
    print(  # noqa: T201 what `make scale` is for
        f"\n{AGREEMENTS:,} agreements in {took:.0f} s, {AGREEMENTS / took:.0f} a second; worker killed at {stood:,}, "
        f"resumed after {resumed - killed:.0f} s\nat most {max(watched.waiting):,} invoices waiting to be assembled; "
        f"worker at most {watched.memory / 1024**2:.0f} MB\n{spent.actions} Actions, {spent.actions / AGREEMENTS:.4f} "
        f"an agreement (and one for each invoice started); history {spent.bytes / 1024:.0f} KB, {spent.events} events"
    )
    assert (done.looked_at, done.triggered, done.finished) == (AGREEMENTS, AGREEMENTS, True)
    assert watched.looked_at == sorted(watched.looked_at) and stood < AGREEMENTS
    assert max(watched.waiting) < 200 + 25, "throttled"
    with ledger.transaction() as tx:
        assert tx.scalar(select(func.count(InvoiceRow.billing_key.distinct()))) == AGREEMENTS
        assert tx.scalar(select(func.count()).select_from(InvoiceRow)) == AGREEMENTS
        assert tx.scalar(select(func.count()).where(AuditEventRow.event == "triggered")) == AGREEMENTS
    started = await temporal_env.client.count_workflows("WorkflowType = 'InvoiceWorkflow'")
    assert started.count == AGREEMENTS
    assert watched.memory < MOST_MEMORY
    ledger.close()
