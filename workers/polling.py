"""Keeps asking vendors without webhooks what is new, each as often as `integrations.yaml` says.

Each is asked in a thread of its own, which no other work shares: a vendor that is slow keeps nothing else back.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from activities.invoicing import polling
from activities.ledger import deliveries
from activities.ledger.database import Ledger
from billing.connections import Connection
from billing.errors import BillowError

_log = logging.getLogger("billow.polling")

LOOK_SECONDS = 15.0
"""How often it looks whether a connection's pause is over; pauses are whole minutes."""

AT_A_TIME = 8
"""Vendors that are asked at a time."""

HELD_AGAIN = timedelta(minutes=15)
"""How often messages that are held are tried again: what held them may be mended, and the vendor says nothing of it."""

_AWAY = (SQLAlchemyError, psycopg.Error, BillowError)


async def watch(ledger: Ledger) -> None:
    """Polls what is due until cancelled; survives a database that is away."""
    running: dict[str, asyncio.Future[None]] = {}
    held_at = datetime.min.replace(tzinfo=UTC)
    threads = ThreadPoolExecutor(AT_A_TIME, "poll")
    loop = asyncio.get_running_loop()
    try:
        while True:
            now = datetime.now(UTC)
            try:
                for each in await loop.run_in_executor(threads, polling.due, ledger, now):
                    if each.id not in running or running[each.id].done():
                        running[each.id] = loop.run_in_executor(threads, _poll, ledger, each, now)
                if now - held_at >= HELD_AGAIN:
                    held_at = now
                    await loop.run_in_executor(threads, _queue_held, ledger, now)
            except _AWAY as error:
                _log.warning("polling: not now, trying again: %s", str(error).splitlines()[0])
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _poll(ledger: Ledger, connection: Connection, now: datetime) -> None:
    try:
        polled = polling.poll(ledger, connection, now)
    except _AWAY as error:
        _log.warning("polling %s: not now: %s", connection.id, str(error).splitlines()[0])
    else:
        if polled.problem:
            _log.warning("polling %s: %s", connection.id, polled.problem)


def _queue_held(ledger: Ledger, now: datetime) -> None:
    with ledger.transaction() as tx:
        deliveries.queue_held(tx, at=now)
