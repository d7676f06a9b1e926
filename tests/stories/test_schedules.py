"""Schedules on a real Temporal: compared, applied, put back when they are gone, and told when they stand still."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.invoicing import billing_runs
from activities.ledger.database import Ledger
from activities.ledger.tables import ExceptionRow, ScheduleRow
from billing.company import Company
from tests.company import TestCompany
from tests.stories.story import Story
from tests.stories.test_billing_runs import billow, said
from workers import schedules
from workflows.messages import BillingRunInput

NAMES = ["billing-run", "reconciliation"]


@pytest.fixture
async def temporal(temporal_env: WorkflowEnvironment) -> AsyncIterator[Client]:
    """A Temporal without schedules, before and after."""
    await _forget(temporal_env.client)
    yield temporal_env.client
    await _forget(temporal_env.client)


async def _forget(client: Client) -> None:
    for name in NAMES:
        with suppress(RPCError):
            await client.get_schedule_handle(name).delete()


@pytest.fixture
def running(company: TestCompany, ledger: Ledger) -> Company:
    """The company that runs: billing runs every hour, reconciliation at half past three in Berlin."""
    company.apply(ledger)
    return company.company()


async def put(client: Client, ledger: Ledger, company: Company, **changes: bool) -> list[str]:
    """The schedules that had to be put right."""
    found = await schedules.sync(client, ledger, company, by="mara", **changes)
    return [each.schedule for each in found if each.to_apply]


async def change(client: Client, name: str, **changes: object) -> None:
    """Somebody changes a schedule by hand."""

    def changed(current: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = current.description.schedule
        for field, value in changes.items():
            setattr(schedule, field, value)
        return ScheduleUpdate(schedule=schedule)

    await client.get_schedule_handle(name).update(changed)


async def test_from_nothing(temporal: Client, ledger: Ledger, running: Company) -> None:
    """Both schedules are missing, then there, then as they should be; a dry look changes nothing."""
    missing = await schedules.differences(temporal, running)
    assert [(each.schedule, each.missing, each.found) for each in missing] == [
        ("billing-run", True, ("is not there; it runs every 60 minutes",)),
        ("reconciliation", True, ("is not there; it runs daily at 03:30 Europe/Berlin",)),
    ]
    assert [each.missing for each in await schedules.differences(temporal, running)] == [True, True]
    assert await put(temporal, ledger, running) == NAMES
    assert await schedules.differences(temporal, running) == []
    assert await put(temporal, ledger, running) == []
    described = await temporal.get_schedule_handle("reconciliation").describe()
    for at in described.info.next_action_times:
        assert at.astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 30)


OTHER_ACTION = ScheduleActionStartWorkflow(
    "BillingRunWorkflow", BillingRunInput(agreements=("one",)), id="billing-run", task_queue="invoicing"
)
CHANGES: dict[str, tuple[dict[str, object], str]] = {
    "interval": (
        {"spec": ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1))])},
        "runs every 1440 minutes; should run every 60 minutes",
    ),
    "an end": (
        {
            "spec": ScheduleSpec(
                intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))],
                end_at=datetime(2027, 1, 1, tzinfo=UTC),
            )
        },
        "runs by a specification of its own (see it in the Temporal UI); should run every 60 minutes",
    ),
    "only one agreement": (
        {"action": OTHER_ACTION},
        (
            "starts BillingRunWorkflow on 'invoicing' with an input of its own; "
            "should start BillingRunWorkflow on 'invoicing'"
        ),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_changed_by_hand(temporal: Client, ledger: Ledger, running: Company, name: str) -> None:
    """What somebody has changed in Temporal is told in words and put right."""
    changes, told = CHANGES[name]
    await put(temporal, ledger, running)
    await change(temporal, "billing-run", **changes)
    (found,) = await schedules.differences(temporal, running)
    assert (found.schedule, found.found, found.paused) == ("billing-run", (told,), False)
    assert await put(temporal, ledger, running) == ["billing-run"]
    assert await schedules.differences(temporal, running) == []


async def test_changed_overlap(temporal: Client, ledger: Ledger, running: Company) -> None:
    """Runs that would overlap differently are told and put right, too."""
    await put(temporal, ledger, running)
    there = (await temporal.get_schedule_handle("billing-run").describe()).schedule
    there.policy.overlap = ScheduleOverlapPolicy.ALLOW_ALL
    await change(temporal, "billing-run", policy=there.policy)
    (found,) = await schedules.differences(temporal, running)
    assert "overlap ALLOW_ALL" in found.found[0]
    await put(temporal, ledger, running)
    assert await schedules.differences(temporal, running) == []


async def test_company_changed(
    temporal: Client, ledger: Ledger, company: TestCompany, running: Company
) -> None:
    """Another interval and another hour in the company are differences, and applied."""
    await put(temporal, ledger, running)
    company.company_file = {"billing_runs": {"every_minutes": 15}, "reconciliation": {"at": "05:10"}}
    found = await schedules.differences(temporal, company.company())
    assert [each.found for each in found] == [
        ("runs every 60 minutes; should run every 15 minutes",),
        ("runs daily at 03:30 Europe/Berlin; should run daily at 05:10 Europe/Berlin",),
    ]
    assert await put(temporal, ledger, company.company()) == NAMES
    assert await schedules.differences(temporal, company.company()) == []


async def test_paused(temporal: Client, ledger: Ledger, running: Company) -> None:
    """A pause is somebody's decision: it is told, survives what is put right, and ends only when that is asked for."""
    await put(temporal, ledger, running)
    handle = temporal.get_schedule_handle("billing-run")
    await handle.pause(note="month end")
    await change(
        temporal, "billing-run", spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(timedelta(days=1))])
    )
    (found,) = await schedules.differences(temporal, running)
    assert (found.paused, len(found.found)) == (True, 1)
    await put(temporal, ledger, running)
    (found,) = await schedules.differences(temporal, running)
    assert (found.paused, found.found, found.to_apply) == (True, (), False)
    await put(temporal, ledger, running, resume=True)
    assert await schedules.differences(temporal, running) == []
    assert not (await handle.describe()).schedule.state.paused


async def test_deleted_by_hand(temporal: Client, ledger: Ledger, running: Company) -> None:
    """A schedule somebody has deleted is put back by a worker; nothing is lost, for a run finds all that is due."""
    assert await schedules.put_back(temporal, ledger) == [], "nobody has ever asked for them"
    await put(temporal, ledger, running)
    assert await schedules.put_back(temporal, ledger) == []
    await temporal.get_schedule_handle("billing-run").delete()
    assert await schedules.put_back(temporal, ledger) == ["billing-run"]
    assert await schedules.differences(temporal, running) == []


def open_exceptions(ledger: Ledger) -> list[tuple[str | None, str]]:
    with ledger.transaction() as tx:
        rows = tx.scalars(select(ExceptionRow).where(ExceptionRow.resolved_at.is_(None)))
        return [(each.subject, each.code) for each in rows]


async def test_nothing_stalls_silently(temporal: Client, ledger: Ledger, running: Company) -> None:
    """No run for three intervals, whatever keeps them away: a person is told once, until one finishes."""
    now = datetime.now(UTC)
    assert schedules.tell_if_stopped(ledger, now) is False, "nobody wants runs yet"
    await put(temporal, ledger, running)
    assert schedules.tell_if_stopped(ledger, now + timedelta(hours=3)) is False
    with ledger.transaction() as tx:
        tx.execute(update(ScheduleRow).values(since=now - timedelta(days=30)))
    billing_runs.run(ledger, "a run", now)
    assert schedules.tell_if_stopped(ledger, now + timedelta(hours=2, minutes=59)) is False
    for minutes in (2, 12):
        assert schedules.tell_if_stopped(ledger, now + timedelta(hours=3, minutes=minutes)) is True
    assert open_exceptions(ledger) == [("schedule/billing-run", "billing-stopped")]
    billing_runs.run(ledger, "the next", now + timedelta(hours=4))
    assert open_exceptions(ledger) == []


async def test_on_the_command_line(temporal: Client, story: Story) -> None:
    """`billow sync-schedules` shows what differs, changes nothing when dry, and tells what it put right."""
    story.company.company_file = {"reconciliation": {"at": "02:30"}}
    story.begin()
    code, out, _ = await said(await billow(story, "sync-schedules", "--dry-run"))
    assert code == 0 and "2 schedules would be put right; nothing was changed." in out
    assert "Clocks are put forward over 02:30 on" in out
    code, out, _ = await said(await billow(story, "sync-schedules", "--as", "mara"))
    assert code == 0 and "2 schedules put right" in out
    await temporal.get_schedule_handle("billing-run").pause()
    code, out, _ = await said(await billow(story, "sync-schedules", "--json"))
    document = json.loads(out)
    assert document["differences"] == [{"schedule": "billing-run", "found": [], "paused": True}]
    code, out, _ = await said(await billow(story, "sync-schedules"))
    assert "billing-run: is paused" in out and "billow sync-schedules --resume" in out
    code, out, _ = await said(await billow(story, "sync-schedules", "--resume"))
    assert "billing-run: is paused, and goes on now" in out
    assert await schedules.differences(temporal, story.company.company()) == []


@pytest.mark.parametrize(
    ("at", "zone", "skipped"),
    [
        (time(3, 30), "Europe/Berlin", None),
        (time(2, 30), "Europe/Berlin", date(2027, 3, 28)),
        (time(2, 30), "America/New_York", date(2027, 3, 14)),
        (time(0, 15), "Asia/Beirut", date(2027, 3, 28)),
        (time(3, 30), "Pacific/Chatham", date(2027, 9, 26)),
        (time(2, 30), "Asia/Tokyo", None),
    ],
)
def test_nights_that_are_skipped(company: TestCompany, at: time, zone: str, skipped: date | None) -> None:
    """A time over which clocks are put forward is told with the day it will be missing on."""
    wanted = company.company()
    issuer = wanted.issuers[0].model_copy(update={"zone": zone})
    reconciliation = wanted.reconciliation.model_copy(update={"at": at})
    wanted = wanted.model_copy(update={"issuers": (issuer,), "reconciliation": reconciliation})
    assert schedules.skipped_day(wanted, date(2026, 11, 22)) == skipped
