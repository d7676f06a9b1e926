"""Invoicing and rendering workers come and go apart from each other, and one of them is older than the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.documents.look import LookFiles
from activities.documents.pool import RenderingPool
from activities.documents.rendering import Rendered
from activities.invoicing.steps import LedgerSteps
from billing.document import InvoiceDocument
from tests.activities.documents import pool_jobs as jobs
from tests.stories.story import PATIENCE, Story
from workers.assembly import invoicing_worker, rendering_worker
from workflows import activity_options
from workflows.identifiers import INVOICING_QUEUE, RENDERING_QUEUE
from workflows.invoice import InvoiceWorkflow
from workflows.messages import Plan

STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
STRAIGHT = ["triggered", "assembled", "issued", "rendered", "sent"]


async def under_way(story: Story, key: str, step: str, *, attempts: int = 1, started: bool = False) -> None:
    """Returns once that step has been asked for, so many times; `started`: and a worker is at it."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            pending = list((await story.handle(key).describe()).raw_description.pending_activities)
        except RPCError:
            pending = []
        found = [each for each in pending if each.activity_id == step and each.attempt >= attempts]
        if any(not started or each.state == STARTED for each in found):
            return
        assert asyncio.get_running_loop().time() < end, f"{step} of {key} is not under way: {pending}"
        await asyncio.sleep(0.02)


async def queues(handle: WorkflowHandle[None, Plan]) -> dict[str, str]:
    """On which queue each step of the life was scheduled."""
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]
    return {each.activity_id: each.task_queue.name for each in scheduled}


async def test_issue_where_it_was_scheduled_before(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """The release before put `issue` on the invoicing queue: today's workers take it up there, and the life goes on."""
    await story.stop_workers()
    steps = LedgerSteps(story.effects)
    earlier = Worker(
        story.env.client,
        task_queue=INVOICING_QUEUE,
        workflows=[InvoiceWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),  # the sandbox would load the module again, unchanged
        activities=[steps.assemble, steps.approve],
        activity_executor=ThreadPoolExecutor(2),
    )
    with monkeypatch.context() as patched:
        patched.setattr(activity_options, "RENDERING", activity_options.LEDGER)
        async with earlier:
            story.begin()
            key = story.trigger("acme-care")
            await under_way(story, key, "issue")
    assert story.row(key).number is None
    await story.start_workers()
    await story.waits(key, "payment of EUR 1,190.00")
    assert story.events(key) == STRAIGHT
    assert await queues(story.handle(key)) == {
        "assemble": INVOICING_QUEUE,
        "issue": INVOICING_QUEUE,
        "render": RENDERING_QUEUE,
        "deliver": INVOICING_QUEUE,
    }


@pytest.mark.parametrize("first", [invoicing_worker, rendering_worker])
async def test_one_kind_of_worker_alone(story: Story, first: Callable[..., Worker]) -> None:
    """Whichever starts first, nothing is numbered, and nothing breaks, until the other is there too."""
    await story.stop_workers()
    story.begin()
    await story.workers.enter_async_context(first(story.env.client, story.effects))
    key = story.trigger("acme-care")
    if first is invoicing_worker:
        await under_way(story, key, "issue")
        assert story.events(key) == STRAIGHT[:2]
        second = rendering_worker
    else:
        second = invoicing_worker
    assert story.row(key).number is None
    await story.workers.enter_async_context(second(story.env.client, story.effects))
    await story.waits(key, "payment of EUR 1,190.00")
    assert story.events(key) == STRAIGHT


async def test_no_rendering_process_can_start(story: Story, tmp_path: Path) -> None:
    """While fonts are missing, say, no number is given and nobody is bothered; once they are there, it goes on."""
    await story.stop_workers()
    story.begin()
    fonts = tmp_path / "fonts"
    with RenderingPool(2, first=partial(jobs.need, fonts), prepare=jobs.nothing) as pool:
        await story.start_workers(replace(story.effects, renderer=pool))
        key = story.trigger("acme-care")
        await under_way(story, key, "issue", attempts=2)
        assert story.events(key) == STRAIGHT[:2] and story.row(key).number is None
        fonts.touch()
        await story.waits(key, "payment of EUR 1,190.00")
        await story.stop_workers()
    assert story.events(key) == STRAIGHT


class Slow(RenderingPool):
    """A pool whose documents take a second more."""

    def render(self, document: InvoiceDocument, look: LookFiles) -> Rendered:
        self.run(jobs.sleep_for, 1.0)
        return super().render(document, look)


async def test_stopped_in_the_middle_of_a_document(story: Story) -> None:
    """A worker that is told to stop finishes the document it is at: it is rendered once, not again by the next."""
    await story.stop_workers()
    story.begin()
    with Slow(1, prepare=jobs.nothing) as pool:
        pool.warm()
        await story.start_workers(replace(story.effects, renderer=pool))
        key = story.trigger("acme-care")
        await under_way(story, key, "render", started=True)
        await story.stop_workers()
        assert story.events(key)[:4] == STRAIGHT[:4]
    await story.start_workers()
    await story.waits(key, "payment of EUR 1,190.00")
    assert story.events(key) == STRAIGHT
