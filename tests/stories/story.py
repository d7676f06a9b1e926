"""A story: one company, real workers, a real Temporal server whose time can be skipped, real Postgres, real mail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.invoicing import steps
from activities.invoicing.effects import Effects
from activities.invoicing.instants import at_this_attempt
from activities.ledger import audit_trail, commands, invoices, triggers
from activities.ledger.exceptions import Resolution
from activities.ledger.tables import AuditEventRow, InvoiceRow, OutboxRow
from benchmarks.actions import cost
from billing.approval_policy import Channel, Verdict
from starter.local_stack.mailbox import StoredMessage
from tests.company import TestCompany
from tests.mail_server import MailServer
from tests.replay import histories
from workers.assembly import effects, invoicing_worker, rendering_worker
from workers.outbox_dispatcher import OutboxDispatcher
from workers.settings import Settings
from workflows.identifiers import invoice_workflow_id
from workflows.messages import Plan, StepInput

PATIENCE = 60.0
"""Seconds a condition may take before the story counts as stuck."""


def now() -> datetime:
    """The instant of a command: people live in real time, whatever the invoice's clock says."""
    return datetime.now(UTC)


@dataclass
class Story:
    """What a story is told with."""

    env: WorkflowEnvironment
    effects: Effects
    company: TestCompany
    smtp: MailServer
    keys: list[str] = field(default_factory=list)
    costs: list[dict[str, str | int]] = field(default_factory=list)
    workers: AsyncExitStack = field(default_factory=AsyncExitStack)
    patches: pytest.MonkeyPatch = field(default_factory=pytest.MonkeyPatch)
    _dispatcher: asyncio.Task[None] = field(init=False)

    async def start_workers(self, outside: Effects | None = None) -> None:
        """Starts one worker a queue; given, they act with another outside world than the story's own."""
        for worker in (invoicing_worker, rendering_worker):
            await self.workers.enter_async_context(worker(self.env.client, outside or self.effects))

    async def stop_workers(self) -> None:
        """Stops the workers once they have finished what they are at; wake-ups are still carried."""
        await self.workers.aclose()

    def carry_wake_ups(self) -> None:
        """Starts the outbox dispatcher."""
        self._dispatcher = asyncio.create_task(OutboxDispatcher(self.env.client, self.effects).run())

    async def stop_carrying(self) -> None:
        """Stops the outbox dispatcher, which must not have died before."""
        died = self._dispatcher.done() and self._dispatcher.exception()
        self._dispatcher.cancel()
        await asyncio.gather(self._dispatcher, return_exceptions=True)
        assert not died, f"the outbox dispatcher died: {died!r}"

    async def move_to(self, env: WorkflowEnvironment) -> None:
        """Goes on with another Temporal."""
        await self.stop_carrying()
        await self.stop_workers()
        self.env = env
        await self.start_workers()
        self.carry_wake_ups()

    def not_before(self, instant: datetime) -> None:
        """Steps are taken at that instant at the earliest: nobody was there to take them before.

        Time cannot be skipped while a task waits for a worker, so an outage is told by the clock of the steps.
        """

        def later(step: StepInput) -> StepInput:
            step = at_this_attempt(step)
            return step.model_copy(update={"as_of": max(step.as_of, instant)})

        self.patches.setattr(steps, "at_this_attempt", later)

    def begin(self) -> None:
        """Applies the company as it is now."""
        self.company.apply(self.effects.ledger)

    def trigger(self, agreement: str, by: str = "pia", item: str | None = None) -> str:
        """Bills an agreement by hand; returns the billing key."""
        with self.effects.ledger.transaction() as tx:
            requested = triggers.by_agreement(
                tx, agreement, item, by=by, channel="cli", reason="asked for in a story", at=datetime.now(UTC)
            )
            self.keys.append(requested.invoice.billing_key)
            return requested.invoice.billing_key

    def pay(self, key: str, amount: str, /, **changes: Any) -> bool:
        """Books a payment in euro, received today."""
        given = {"received_on": now().date(), "by": "pia", "channel": Channel.CLI, "at": now(), **changes}
        return commands.pay(self.effects.ledger, key, Decimal(amount), "EUR", **given)

    def decide(self, key: str, verdict: Verdict, by: str, **changes: Any) -> None:
        """Approves or rejects in the web."""
        given = {"channel": Channel.WEB, "at": now(), **changes}
        commands.decide(self.effects.ledger, key, verdict, by=by, **given)

    async def recorded(self, key: str, name: str, *, actions: int, kilobytes: int) -> None:
        """The finished run costs no more than that; where asked for, its history is kept for replay tests."""
        history = await self.handle(key).fetch_history()
        histories.keep(name, history)
        self.spent(name, history, actions=actions, kilobytes=kilobytes)

    def spent(self, name: str, history: WorkflowHistory, *, actions: int, kilobytes: int) -> None:
        """Keeps what a run has cost for `make bench ARGS=life`; it must not be more than that."""
        spent, allowed = cost(history), {"most_actions": actions, "most_bytes": kilobytes * 1024}
        self.costs.append({"name": name, **asdict(spent), **allowed})
        assert spent.actions <= actions, spent
        assert spent.bytes <= kilobytes * 1024, spent

    def row(self, key: str) -> InvoiceRow:
        with self.effects.ledger.transaction() as tx:
            return invoices.find(tx, key)

    def events(self, key: str) -> list[str]:
        """The audit trail, as names."""
        return [each.event for each in self.trail(key)]

    def trail(self, key: str) -> list[AuditEventRow]:
        with self.effects.ledger.transaction() as tx:
            return list(audit_trail.trail(tx, invoices.find(tx, key).id))

    def handle(self, key: str) -> WorkflowHandle[None, Plan]:
        return self.env.client.get_workflow_handle(invoice_workflow_id(key), result_type=Plan)

    def exception(self, key: str, code: str) -> int:
        """The id of the invoice's one open exception, which must have that code."""
        with self.effects.ledger.transaction() as tx:
            (found,) = invoices.open_exceptions(tx, invoices.find(tx, key))
            assert found.code == code, found.finding
            return found.id

    def retry(self, key: str, code: str) -> None:
        """Somebody has repaired the cause and says so."""
        exception = self.exception(key, code)
        commands.resolve(
            self.effects.ledger, exception, Resolution.RETRY, by="pia", channel=Channel.CLI, at=now()
        )

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Returns once the condition holds."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while not condition():
            assert asyncio.get_running_loop().time() < end, f"waited {PATIENCE} s for: {what}"
            await asyncio.sleep(0.02)

    async def happens(self, key: str, event: str) -> None:
        """Returns once the audit trail has that event."""
        await self.until(lambda: event in self.events(key), event)

    async def waits(self, key: str, for_what: str) -> InvoiceRow:
        """Returns the invoice once its workflow sleeps and waits for that."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while True:
            row = self.row(key)
            if for_what in row.waits_for and await self.is_asleep(key):
                return row
            assert asyncio.get_running_loop().time() < end, (
                f"{key} waits for {row.waits_for!r}, not {for_what!r}: {row.document_status}, {self.events(key)}"
            )
            await asyncio.sleep(0.02)

    async def is_asleep(self, key: str) -> bool:
        """Whether nothing is under way: no wake-up to carry, no activity, no workflow task."""
        with self.effects.ledger.transaction() as tx:
            if tx.scalar(
                select(OutboxRow.id).where(OutboxRow.done_at.is_(None), OutboxRow.kind == "wake").limit(1)
            ):
                return False
        try:
            described = await self.handle(key).describe()
        except RPCError:
            return False
        raw = described.raw_description
        return not raw.pending_activities and not raw.HasField("pending_workflow_task")

    async def skip(self, key: str, time: timedelta) -> None:
        """Lets that much time pass for the invoice."""
        await self.env.fast_forward(self.handle(key), time)

    async def until_next(self, key: str) -> None:
        """Lets time pass up to the instant the invoice waits for, and a minute more."""
        row = self.row(key)
        assert row.next_at is not None, f"{key} waits for no instant"
        now = await self.now(key)
        await self.skip(key, row.next_at - now + timedelta(minutes=1))

    async def now(self, key: str) -> datetime:
        """What time it is for the invoice."""
        return await self.env.get_current_time(self.handle(key))

    async def ends(self, key: str) -> Plan:
        """The last plan of the workflow, once it has completed."""
        return await asyncio.wait_for(self.handle(key).result(), PATIENCE)

    def mails(self, to: str | None = None) -> list[StoredMessage]:
        """What the mail server took; only to that address if one is given."""
        return [
            each for each in self.smtp.messages() if to is None or any(to in address for address in each.to)
        ]


@asynccontextmanager
async def telling(
    env: WorkflowEnvironment, settings: Settings, smtp: MailServer, company: TestCompany
) -> AsyncIterator[Story]:
    """Runs workers and the outbox dispatcher for one story, and ends its workflows afterwards."""
    outside = effects(settings)
    story = Story(env, outside, company, smtp)
    await story.start_workers()
    story.carry_wake_ups()
    try:
        yield story
    finally:
        try:
            await story.stop_carrying()
        finally:
            await _end(story)
            await story.stop_workers()
            story.patches.undo()
    outside.ledger.close()


async def _end(story: Story) -> None:
    with story.effects.ledger.transaction() as tx:
        keys = set(tx.scalars(select(InvoiceRow.billing_key)))
    for key in keys:
        handle = story.handle(key)
        try:
            if (await handle.describe()).status == WorkflowExecutionStatus.RUNNING:
                await handle.terminate("the story is over")
        except RPCError:
            pass
