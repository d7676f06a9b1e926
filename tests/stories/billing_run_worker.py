"""Works on billing runs in a process of its own, which a test may kill: `python -m tests.stories.billing_run_worker`.

Argument: the database URL. Invoices are started, but nobody takes their steps, which would cost the test a minute.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from temporalio.worker import Worker

from activities.invoicing.billing_runs import LedgerBillingRuns
from activities.ledger.database import Ledger
from workers.temporal_client import connect
from workflows.billing_run import BillingRunWorkflow
from workflows.identifiers import INVOICING_QUEUE

RUNS_QUEUE = "billing-runs-of-a-test"


async def work(url: str) -> None:
    client = await connect()
    story = Worker(client, task_queue=RUNS_QUEUE, workflows=[BillingRunWorkflow])
    effects = Worker(
        client,
        task_queue=INVOICING_QUEUE,
        activities=[LedgerBillingRuns(Ledger(url)).bill_batch],
        activity_executor=ThreadPoolExecutor(2),
    )
    async with story, effects:
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
