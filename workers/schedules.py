"""Temporal Schedules: billing runs and reconciliation, as the company wants them.

Somebody puts them there once (`billow sync-schedules`); from then on the ledger knows that they are wanted, and the
invoicing worker puts back one that is gone. One that is paused stays paused, and a person hears of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.invoicing.billing_runs import STOPPED
from activities.ledger import billing_run_records, company_exceptions, company_records
from activities.ledger.database import Ledger
from activities.ledger.tables import ScheduleRow
from billing.company import Company
from billing.errors import BillowError
from billing.exceptions import Finding, ReasonCode
from workflows.identifiers import (
    BILLING_RUN_SCHEDULE,
    BILLING_RUN_WORKFLOW,
    INVOICING_QUEUE,
    RECONCILIATION_SCHEDULE,
    RECONCILIATION_WORKFLOW,
    manual_run_id,
)
from workflows.messages import BillingRunInput, ReconciliationInput

_log = logging.getLogger("billow.schedules")

LOOK_EVERY = timedelta(minutes=10)
"""How often a worker looks whether the schedules are still there: as long as one may be gone."""

_CATCH_UP = timedelta(minutes=10)
"""Missed starts are not made up for: one run after an outage finds everything that is due anyway."""

_INTERVALS_MISSED, _LEAST_SILENCE = 3, timedelta(minutes=30)
"""After how many intervals without a run, and after how long at least, a person is told."""


@dataclass(frozen=True)
class Difference:
    """What about a schedule in Temporal is not as the company wants it, in words; `paused` is somebody's decision."""

    schedule: str
    found: tuple[str, ...]
    missing: bool = False
    paused: bool = False

    @property
    def to_apply(self) -> bool:
        """Whether there is something to put right; a pause alone is left alone."""
        return self.missing or bool(self.found)


def wanted(company: Company) -> Mapping[str, Schedule]:
    """The schedules of a company, by id."""
    zone, at = _reconciliation_zone(company), company.reconciliation.at
    every = timedelta(minutes=company.billing_runs.every_minutes)
    return {
        BILLING_RUN_SCHEDULE: Schedule(
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
        ),
        RECONCILIATION_SCHEDULE: Schedule(
            action=ScheduleActionStartWorkflow(
                RECONCILIATION_WORKFLOW,
                ReconciliationInput(),
                id="reconciliation",
                task_queue=INVOICING_QUEUE,
                static_summary="Looks for what should have been billed and was not",
            ),
            spec=ScheduleSpec(
                calendars=[
                    ScheduleCalendarSpec(hour=(ScheduleRange(at.hour),), minute=(ScheduleRange(at.minute),))
                ],
                time_zone_name=zone.key,
            ),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(hours=12)),
            state=ScheduleState(note="Each night; a night that is missed is made up for by the next."),
        ),
    }


def _reconciliation_zone(company: Company) -> ZoneInfo:
    return ZoneInfo(company.issuers[0].zone if company.issuers else "UTC")


def skipped_day(company: Company, today: date) -> date | None:
    """The next day within a year that has no such time for the reconciliation, because clocks are put forward."""
    zone, at = _reconciliation_zone(company), company.reconciliation.at
    days = (today + timedelta(days=distance) for distance in range(366))
    return next((day for day in days if not _exists(day, at, zone)), None)


def _exists(day: date, at: time, zone: ZoneInfo) -> bool:
    local = datetime.combine(day, at, tzinfo=zone)
    return local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)


async def differences(client: Client, company: Company) -> list[Difference]:
    """What is not as the company wants it; a schedule that is as it should be is left out."""
    found = [await _difference(client, name, each) for name, each in wanted(company).items()]
    return [each for each in found if each is not None]


async def _difference(client: Client, name: str, should: Schedule) -> Difference | None:
    try:
        described = (await client.get_schedule_handle(name).describe()).schedule
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return Difference(name, (f"is not there; it runs {_told(should.spec)}",), missing=True)
    found = tuple(_differing(described, should))
    state = described.state
    paused = state.paused or (state.limited_actions and not state.remaining_actions)
    return Difference(name, found, paused=paused) if found or paused else None


def _differing(there: Schedule, should: Schedule) -> list[str]:
    """In words, each by what is there and what should be."""
    found = []
    if there.spec != should.spec:
        found.append(f"runs {_told(there.spec)}; should run {_told(should.spec)}")
    if there.policy != should.policy:
        found.append(
            f"overlap {there.policy.overlap.name}, catch-up {there.policy.catchup_window}; "
            f"should be {should.policy.overlap.name}, {should.policy.catchup_window}"
        )
    is_, ought = _action(there), _action(should)
    if is_ != ought:
        found.append(f"starts {is_}; should start {ought}")
    return found


def _told(spec: ScheduleSpec) -> str:
    """When it runs, as people say it; anything unusual as it is."""
    zone = spec.time_zone_name or "UTC"
    plain = ScheduleSpec(intervals=spec.intervals)
    if len(spec.intervals) == 1 and spec == plain and not spec.intervals[0].offset:
        minutes = int(spec.intervals[0].every.total_seconds() // 60)
        return "every minute" if minutes == 1 else f"every {minutes} minutes"
    if len(spec.calendars) == 1 and spec == _daily(spec):
        (only,) = spec.calendars
        return f"daily at {only.hour[0].start:02d}:{only.minute[0].start:02d} {zone}"
    return "by a specification of its own (see it in the Temporal UI)"


def _daily(spec: ScheduleSpec) -> ScheduleSpec:
    """The specification with nothing in it but a time of day."""
    (only,) = spec.calendars
    at = ScheduleCalendarSpec(hour=only.hour[:1], minute=only.minute[:1])
    return ScheduleSpec(calendars=[at], time_zone_name=spec.time_zone_name)


def _action(schedule: Schedule) -> str:
    action = schedule.action
    if not isinstance(action, ScheduleActionStartWorkflow):
        return "no workflow"
    model = BillingRunInput if action.workflow == BILLING_RUN_WORKFLOW else ReconciliationInput
    given = [_input(each, model) for each in action.args]
    usual = given == [model()]
    return f"{action.workflow} on {action.task_queue!r}" + ("" if usual else " with an input of its own")


def _input(given: object, model: type[BillingRunInput | ReconciliationInput]) -> object:
    if not isinstance(given, Payload):
        return given
    try:
        return model.model_validate_json(given.data)
    except ValidationError:
        return None


async def sync(
    client: Client, ledger: Ledger, company: Company, *, by: str, resume: bool = False
) -> list[Difference]:
    """Makes Temporal's schedules those of the company; from now on they are wanted. Returns what was different.

    One that somebody has paused stays paused, unless `resume`.
    """
    found = await differences(client, company)
    for each in found:
        await _put(client, each, wanted(company)[each.schedule], resume=resume)
    with ledger.transaction() as tx:
        for name in wanted(company):
            tx.execute(
                insert(ScheduleRow)
                .values(schedule=name, since=datetime.now(UTC), by=by)
                .on_conflict_do_nothing()
            )
    return found


async def _put(client: Client, found: Difference, should: Schedule, *, resume: bool) -> None:
    if found.missing:
        try:
            await client.create_schedule(found.schedule, should)
        except ScheduleAlreadyRunningError:  # somebody else was faster
            return
    else:

        def updated(current: ScheduleUpdateInput) -> ScheduleUpdate:
            if not resume:
                should.state = current.description.schedule.state
            return ScheduleUpdate(schedule=should)

        await client.get_schedule_handle(found.schedule).update(updated)


async def start_run(client: Client, run: BillingRunInput, at: datetime) -> str:
    """Starts a billing run by hand; returns its name. One that was started in the same second is the same run."""
    name = manual_run_id(at)
    with contextlib.suppress(WorkflowAlreadyStartedError):
        await client.start_workflow(
            BILLING_RUN_WORKFLOW,
            run,
            id=name,
            task_queue=INVOICING_QUEUE,
            static_summary="Bills every period that is due and unbilled, by hand",
        )
    return name


async def put_back(client: Client, ledger: Ledger) -> list[str]:
    """Puts back the wanted schedules that are gone; returns their names. The next run catches up by construction."""
    with ledger.transaction() as tx:
        names = set(tx.scalars(select(ScheduleRow.schedule)))
        if not names:
            return []
        company = company_records.current(tx).company
    gone = [each for each in await differences(client, company) if each.missing and each.schedule in names]
    for each in gone:
        await _put(client, each, wanted(company)[each.schedule], resume=False)
        _log.warning("the schedule %s was gone; it is put back, and nothing is lost", each.schedule)
    return [each.schedule for each in gone]


def tell_if_stopped(ledger: Ledger, at: datetime) -> bool:
    """Tells a person if billing runs are wanted and none has moved for several intervals; True if so."""
    with ledger.transaction() as tx:
        row = tx.get(ScheduleRow, BILLING_RUN_SCHEDULE)
        if row is None:
            return False
        company = company_records.current(tx).company
        every = company.billing_runs.every_minutes
        last = max(row.since, billing_run_records.last_moved(tx) or row.since)
        if at - last <= max(timedelta(minutes=every * _INTERVALS_MISSED), _LEAST_SILENCE):
            return False
        finding = Finding(
            code=ReasonCode.BILLING_STOPPED,
            message=f"no billing run since {last:%Y-%m-%d %H:%M} UTC, though one is wanted every {every} minutes: the "
            f"schedule {BILLING_RUN_SCHEDULE!r} is paused, or its runs fail. Nothing is lost; see it with "
            "`billow sync-schedules --dry-run`, go on with `billow sync-schedules --resume`",
        )
        company_exceptions.raise_one(tx, STOPPED, finding, company, at=at)
        return True


async def watch(client: Client, ledger: Ledger) -> None:
    """Looks at once and every ten minutes, until cancelled; survives a server that is away for a while."""
    while True:
        try:
            await put_back(client, ledger)
            await asyncio.to_thread(tell_if_stopped, ledger, datetime.now(UTC))
        except (RPCError, SQLAlchemyError, psycopg.Error, BillowError) as error:
            _log.warning("schedules: cannot be looked at, trying again: %s", str(error).splitlines()[0])
        await asyncio.sleep(LOOK_EVERY.total_seconds())
