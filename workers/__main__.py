"""A worker process: `billow worker --queue invoicing` or `--queue rendering`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from temporalio.client import Client

from activities.documents import subsetting
from activities.documents.pool import RenderingPool
from activities.invoicing.effects import Effects
from workers import bank_statements, payment_provider, polling, schedules, write_backs
from workers.assembly import effects, invoicing_worker, rendering_worker
from workers.outbox_dispatcher import OutboxDispatcher
from workers.settings import Settings
from workers.temporal_client import connect
from workflows.identifiers import INVOICING_QUEUE

_log = logging.getLogger("billow.worker")


def run_worker(queue: str) -> None:
    """Works on a queue until SIGTERM or Ctrl-C; running steps may finish first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # a line a phase of every document; a line a request, with its address, which may be a secret
    for chatty in ("weasyprint.progress", "fontTools", "httpx", "httpcore", "stripe"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    asyncio.run(_run(queue, Settings.from_environment()))


async def _run(queue: str, settings: Settings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    client = await connect()
    if queue == INVOICING_QUEUE:
        outside = effects(settings)
        async with invoicing_worker(client, outside):
            dispatcher = asyncio.create_task(OutboxDispatcher(client, outside).run())
            watch = asyncio.create_task(schedules.watch(client, outside.ledger))
            polls = asyncio.create_task(polling.watch(outside.ledger))
            tells = asyncio.create_task(write_backs.watch(outside.ledger, outside.web_url))
            pays = asyncio.create_task(payment_provider.watch(outside.ledger))
            banks = asyncio.create_task(bank_statements.watch(outside.ledger, settings.bank_statements))
            _log.info("working on %s", queue)
            await _until(stopped, dispatcher, watch, polls, tells, pays, banks)
            for task in (dispatcher, watch, polls, tells, pays, banks):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
    else:
        with RenderingPool(settings.rendering_processes) as pool:
            await _render(client, effects(settings, pool), pool, stopped)
    _log.info("stopped")


async def _render(client: Client, outside: Effects, pool: RenderingPool, stopped: asyncio.Event) -> None:
    if not subsetting.is_installed():
        _log.warning("%s", subsetting.MISSING)
    await asyncio.to_thread(pool.warm)
    async with rendering_worker(client, outside):
        _log.info("working on rendering, %d documents at a time", pool.processes)
        await stopped.wait()


async def _until(stopped: asyncio.Event, *tasks: asyncio.Task[None]) -> None:
    """Returns when told to stop; raises what ended one of the tasks before that."""
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in tasks:
        if task.done():
            task.result()


if __name__ == "__main__":
    import sys

    run_worker(sys.argv[1])
