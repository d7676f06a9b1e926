"""Billing runs on a real Temporal: what was missed is billed once, and a worker that is killed costs nothing."""

from __future__ import annotations

import asyncio
import json
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
    story.spent("billing run", await after.fetch_history(), actions=3, kilobytes=4)
    histories.keep("billing-run-in-batches", await after.fetch_history())


def environment(story: Story) -> dict[str, str]:
    """What a process of its own is to know."""
    return os.environ | {
        "BILLOW_DATABASE_URL": story.effects.ledger.url,
        "BILLOW_HOME": str(story.company.folder),
        "TEMPORAL_ADDRESS": story.env.client.service_client.config.target_host,
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "COLUMNS": "80",
    }


@contextmanager
def worker(story: Story, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that works on billing runs and nothing else."""
    arguments = [sys.executable, "-m", "tests.stories.billing_run_worker", url]
    process = subprocess.Popen(arguments, env=environment(story))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_worker_killed_in_the_middle(story: Story, database_url: str) -> None:
    """A run over 200 agreements whose worker is killed goes on where it was: each invoice once, progress never back."""
    story.company.company_file = {"billing_runs": {"most_waiting": 10_000}}
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
    story.spent("billing run over 200, killed", await run.fetch_history(), actions=4, kilobytes=8)


def _unstarted(story: Story) -> int:
    with story.effects.ledger.transaction() as tx:
        waiting = select(func.count()).where(OutboxRow.kind == "wake", OutboxRow.done_at.is_(None))
        return tx.scalar(waiting.select_from(OutboxRow)) or 0


async def billow(story: Story, *arguments: str) -> asyncio.subprocess.Process:
    """The command, in a process of its own."""
    program = [sys.executable, "-c", "from starter.cli import main; main()", *arguments]
    return await asyncio.create_subprocess_exec(
        *program, env=environment(story), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


async def said(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    """Exit code, stdout and stderr, once it has ended."""
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


async def test_on_the_command_line(story: Story) -> None:
    """`billow run` tells progress on stderr, then what it asked for, caught up and held; with --json one document."""
    story.company.agreements = [
        retainer("acme-care", "acme", "1000.00", start=months_ago(1)),
        retainer("acme-more", "acme", "10.00", contract="K-1"),
    ]
    story.begin()
    code, out, err = await said(await billow(story, "run", "--as", "pia"))
    assert (code, err.splitlines()[-1]) == (0, "2 of 2 agreements, 2 invoices, 1 held")
    lines = out.splitlines()
    assert "started by pia" in " ".join(lines[:2])
    assert f"Caught up 2 periods, the oldest due since {months_ago(1)}." in lines
    assert "Looked at 2 agreements: 2 invoices asked for, 1 held." in lines
    assert f"  acme-more/fee/{months_ago(0)}" in lines
    assert f"acme-care/fee/{months_ago(1)}  caught up: due since {months_ago(1)}" in lines
    assert all(len(line) <= 80 for line in lines)
    code, out, err = await said(await billow(story, "run", "--json", "--client", "acme"))
    document = json.loads(out)
    assert (code, err, document["triggered"], document["held"]) == (0, "", 0, 1)
    assert document["items"][0]["code"] == "not-signed"


async def test_ctrl_c_leaves_the_run_going(story: Story) -> None:
    """Without a worker the command says so; Ctrl-C ends the command, not the run, and says how to look at it."""
    story.begin()
    await story.stop_workers()
    waiting = await billow(story, "run")
    assert waiting.stderr is not None
    line = await asyncio.wait_for(waiting.stderr.readline(), 90)
    assert b"No invoicing worker has taken the run yet" in line
    waiting.send_signal(signal.SIGINT)
    code, _, err = await said(waiting)
    assert code == 130 and "The run goes on" in err
    name = err.split("billow runs show ")[1].strip()
    await story.start_workers()
    done = await asyncio.wait_for(story.env.client.get_workflow_handle(name).result(), 90)
    assert BillingRunProgress.model_validate(done).triggered == 1


async def test_a_run_that_is_terminated(story: Story) -> None:
    """Whoever watches a run that somebody terminates is told, and that another goes on from there."""
    story.begin()
    await story.stop_workers()
    waiting = await billow(story, "run")
    assert waiting.stderr is not None
    await waiting.stderr.readline()
    async for each in story.env.client.list_workflows(
        "WorkflowType = 'BillingRunWorkflow' and ExecutionStatus = 'Running'"
    ):
        await story.env.client.get_workflow_handle(each.id).terminate("by hand")
    code, _, err = await said(waiting)
    assert code == 1 and "ended before it was finished: terminated" in err and "another `billow run`" in err
    await story.start_workers()
    assert (await (await started(story, "another")).result()).triggered == 1
