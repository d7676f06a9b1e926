"""Billing runs on a real Temporal: what was missed is billed once, and a worker that is killed costs nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select
from temporalio.client import WorkflowHandle

from activities.ledger import billing_run_records
from activities.ledger.billing_run_records import RunView
from activities.ledger.tables import AuditEventRow, InvoiceRow, OutboxRow
from benchmarks.actions import cost
from tests.company import first_of_month, retainer
from tests.replay import histories
from tests.stories.billing_run_worker import RUNS_QUEUE
from tests.stories.story import Story
from workflows.billing_run import BillingRunWorkflow
from workflows.identifiers import INVOICING_QUEUE, invoice_workflow_id
from workflows.messages import BillingRunInput, BillingRunProgress


def months_ago(count: int) -> date:
    """The first of a month."""
    month = first_of_month()
    for _ in range(count):
        month = (month - timedelta(days=1)).replace(day=1)
    return month


async def started(
    story: Story, name: str, queue: str = INVOICING_QUEUE, **asked: object
) -> WorkflowHandle[BillingRunWorkflow, BillingRunProgress]:
    return await story.env.client.start_workflow(
        BillingRunWorkflow.run,
        BillingRunInput.model_validate(asked),
        id=name,
        task_queue=queue,
    )


def view(story: Story, name: str) -> RunView | None:
    with story.effects.ledger.transaction() as tx:
        return billing_run_records.find_run(tx, name)


async def test_two_months_of_downtime(story: Story) -> None:
    """Nobody was there for two months: both periods are billed and mailed, once each, and the trail says so."""
    first, second, third = months_ago(2), months_ago(1), months_ago(0)
    story.company.agreements = [retainer("acme-care", "acme", "1000.00", start=first)]
    story.begin()
    before = await started(story, "before", as_of=datetime(first.year, first.month, 1, 12, tzinfo=UTC))
    assert (await before.result()).triggered == 1
    after = await started(story, "after the outage")
    done = await after.result()
    assert (done.triggered, done.caught_up, done.percent, done.finished) == (2, 2, 100, True)
    for day in (second, third):
        key = f"acme-care/fee/{day}"
        await story.happens(key, "sent")
        assert story.trail(key)[0].facts["reason"] == f"caught up: due since {day}"
        assert story.events(key).count("sent") == 1
    await story.happens(f"acme-care/fee/{first}", "sent")
    assert len(story.mails("ap@client.example")) == 3
    again = await started(story, "again")
    assert (await again.result()).triggered == 0
    assert await again.query(BillingRunWorkflow.progress) == await again.result()
    story.costs.append(("billing run", *_spent(await after.fetch_history(), 3, 4)))
    histories.keep("billing-run-in-batches", await after.fetch_history())


def _spent(history: object, actions: int, kilobytes: int) -> tuple[int, int, int, int]:
    """What it cost, which must not be more than that."""
    spent = cost(history)  # type: ignore[arg-type]
    assert spent.actions <= actions and spent.bytes <= kilobytes * 1024, spent
    return spent.actions, actions, spent.bytes, kilobytes * 1024


@contextmanager
def worker(story: Story, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that works on billing runs and nothing else."""
    environment = os.environ | {
        "TEMPORAL_ADDRESS": story.env.client.service_client.config.target_host,
        "TEMPORAL_CONFIG_FILE": os.devnull,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stories.billing_run_worker", url], env=environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_worker_killed_in_the_middle(story: Story, database_url: str) -> None:
    """A run over 200 agreements whose worker is killed goes on where it was: each invoice once, progress never back."""
    story.company.company_file = {"billing_runs": {"most_waiting": 10}}
    story.company.agreements = [retainer(f"care-{n:03d}", "acme", "10.00") for n in range(200)]
    story.begin()
    await story.stop_workers()
    seen: list[int] = []

    def looked_at() -> int:
        found = view(story, "killed")
        seen.append(found.looked_at if found else 0)
        return seen[-1]

    with worker(story, database_url) as victim:
        run = await started(story, "killed", RUNS_QUEUE)
        await story.until(lambda: looked_at() >= 75, "a third of the run")
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    stood = looked_at()
    assert 75 <= stood < 200
    with worker(story, database_url):
        done = await asyncio.wait_for(run.result(), 90)  # the death is noticed after 15 s without a heartbeat
        looked_at()
        assert await run.query(BillingRunWorkflow.progress) == done
        await story.until(lambda: _unstarted(story) == 0, "every invoice to be started")
    assert (done.looked_at, done.triggered, done.finished) == (200, 200, True)
    assert seen == sorted(seen)
    with story.effects.ledger.transaction() as tx:
        living = dict(
            tx.execute(select(InvoiceRow.billing_key, func.count()).group_by(InvoiceRow.billing_key)).all()
        )
        fired = tx.scalar(select(func.count()).where(AuditEventRow.event == "triggered"))
    assert len(living) == fired == 200 and set(living.values()) == {1}
    for key in (min(living), max(living)):
        assert (await story.handle(key).describe()).id == invoice_workflow_id(key)
    spent = cost(await run.fetch_history())
    assert spent.actions <= 4, f"{spent.actions / 200} Actions an agreement"
    story.costs.append(("billing run over 200, killed", spent.actions, 4, spent.bytes, 8 * 1024))


def _unstarted(story: Story) -> int:
    with story.effects.ledger.transaction() as tx:
        waiting = select(func.count()).where(OutboxRow.kind == "wake", OutboxRow.done_at.is_(None))
        return tx.scalar(waiting.select_from(OutboxRow)) or 0
