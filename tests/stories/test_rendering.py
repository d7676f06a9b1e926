"""Documents in the life of an invoice: a pool whose processes are killed, a template that is repaired."""

from __future__ import annotations

from dataclasses import replace

import psutil

from activities.documents.pool import RenderingPool
from tests.company import retainer
from tests.stories.story import Story


def processes(pool: RenderingPool) -> list[psutil.Process]:
    """Those of the pool, alive."""
    return [each for each in psutil.Process().children(recursive=True) if _is_of(pool, each)]


def _is_of(pool: RenderingPool, process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and str(pool.folder) in process.cmdline()
    except psutil.NoSuchProcess:  # it ends while it is looked at
        return False


async def test_rendering_processes_killed(story: Story) -> None:
    """Both processes are killed as soon as there is work: the invoices go out, each once, and nobody is bothered.

    Only once: a document that is hit twice is taken to be at fault.
    """
    story.company.agreements = [retainer(f"a{n}", "acme", f"{n + 1}00.00") for n in range(4)]
    story.begin()
    await story.stop_workers()
    with RenderingPool(2) as pool:
        pool.warm()
        await story.start_workers(replace(story.effects, renderer=pool))
        keys = [story.trigger(f"a{n}") for n in range(4)]
        await story.happens(keys[0], "issued")
        for each in processes(pool):
            each.kill()
        for key in keys:
            await story.happens(key, "sent")
        assert [story.events(key).count("rendered") for key in keys] == [1] * 4
        issued = story.row(keys[0]).issue_date
        assert issued is not None
        numbers = sorted(story.row(key).number or "" for key in keys)
        assert numbers == [f"B{issued.year}-0000{n}" for n in range(1, 5)]
        await story.stop_workers()
    assert processes(pool) == []
    assert len(story.mails()) == len(story.mails("ap@client.example")) == 4
