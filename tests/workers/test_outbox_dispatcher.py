"""The outbox dispatcher is told to stop: it stops, wherever that finds it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy import text

from activities.invoicing.effects import Effects
from activities.ledger import outbox
from workers.assembly import effects
from workers.outbox_dispatcher import OutboxDispatcher
from workers.settings import Settings


@pytest.fixture
def outside(settings: Settings) -> Effects:
    return effects(settings)


async def until_it_waits_for_a_lock(outside: Effects) -> None:
    waits = text("select count(*) from pg_locks where not granted and relation = 'outbox'::regclass")

    def count() -> int:
        with outside.ledger.transaction() as tx:
            return int(tx.scalar(waits) or 0)

    while not await asyncio.to_thread(count):  # noqa: ASYNC110 the database tells nobody
        await asyncio.sleep(0.01)


async def test_stopped_while_it_takes(outside: Effects) -> None:
    """Told to stop while the ledger keeps it waiting, it stops as soon as the ledger answers, and holds nothing."""
    dispatcher = OutboxDispatcher(cast(Any, None), outside)
    with outside.ledger.transaction() as tx:
        tx.execute(text("lock table outbox in access exclusive mode"))
        task = asyncio.create_task(dispatcher.run())
        async with asyncio.timeout(60):
            await until_it_waits_for_a_lock(outside)
        task.cancel()
        await asyncio.sleep(0)
    done, _ = await asyncio.wait([task], timeout=60)
    assert done and task.cancelled()
    async with asyncio.timeout(60):
        while outside.ledger.engine.pool.checkedout():  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_stopped_while_the_ledger_goes_away(outside: Effects) -> None:
    """Told to stop in the middle of carrying, it stops though the ledger cannot even be rolled back."""

    class Temporal:
        async def start_workflow(self, *_: object, **__: object) -> None:
            carrying.set()
            await asyncio.Event().wait()

    carrying = asyncio.Event()
    with outside.ledger.transaction() as tx:
        outbox.write(tx, outbox.WAKE, "care/fee", invoice=None, at=datetime.now(UTC))
    task = asyncio.create_task(OutboxDispatcher(cast(Any, Temporal()), outside).run())
    await asyncio.wait_for(carrying.wait(), 60)
    with outside.ledger.transaction() as tx:
        others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
        tx.execute(text(f"{others} and datname = current_database()"))
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=60)
    assert done and task.cancelled()
