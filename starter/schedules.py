"""Temporal Schedules: the one that starts billing runs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from activities.ledger import company_records
from activities.ledger.database import Ledger
from workers.settings import Settings
from workers.temporal_client import connect
from workflows.identifiers import BILLING_RUN_SCHEDULE, BILLING_RUN_WORKFLOW, INVOICING_QUEUE
from workflows.messages import BillingRunInput

_CATCH_UP = timedelta(minutes=10)
"""Missed starts are not made up for: one run after an outage finds every period that is due anyway."""


def sync(_settings: Settings, ledger: Ledger, *, run_now: bool = False) -> None:
    """Makes the billing-run schedule what the company says; with `run_now` also starts a run at once."""
    with ledger.transaction() as tx:
        every = timedelta(minutes=company_records.current(tx).company.billing_runs.every_minutes)
    asyncio.run(_sync(every, run_now))


async def _sync(every: timedelta, run_now: bool) -> None:
    client = await connect()
    wanted = _schedule(every)
    handle = client.get_schedule_handle(BILLING_RUN_SCHEDULE)
    try:
        handle = await client.create_schedule(BILLING_RUN_SCHEDULE, wanted)
    except ScheduleAlreadyRunningError:
        await handle.update(lambda current: _updated(current, wanted))
    if run_now:
        await handle.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)


def _updated(current: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate:
    """The wanted schedule, paused if somebody has paused it."""
    wanted.state = current.description.schedule.state
    return ScheduleUpdate(schedule=wanted)


def _schedule(every: timedelta) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            BILLING_RUN_WORKFLOW,
            BillingRunInput(),
            id="billing-run",
            task_queue=INVOICING_QUEUE,
            static_summary="Bills every period that is due and unbilled",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=_CATCH_UP),
        state=ScheduleState(
            note="Each run computes from the ledger what is due; running twice bills nothing twice."
        ),
    )
