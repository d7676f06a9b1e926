"""Keeps telling CRM and PSA what was billed, each vendor in a thread of its own, which no other work shares."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from activities.invoicing import writing_back
from activities.ledger.database import Ledger
from billing.connections import Connection
from billing.errors import BillowError

_log = logging.getLogger("billow.write_backs")

LOOK_SECONDS = 5.0
"""How soon a source shows what the ledger says, and how often is looked whether a pause is over."""

AT_A_TIME = 4
"""Vendors that are told at a time."""

_AWAY = (SQLAlchemyError, psycopg.Error, BillowError)


async def watch(ledger: Ledger, web_url: str) -> None:
    """Tells what is due until cancelled; a vendor that is slow delays no other. Survives a database that is away."""
    running: dict[str, asyncio.Future[None]] = {}
    stopped = threading.Event()
    threads = ThreadPoolExecutor(AT_A_TIME, "write-back")
    loop = asyncio.get_running_loop()

    def tell(connection: Connection) -> None:
        try:
            writing_back.tell(ledger, connection, web_url, datetime.now(UTC), stopped.is_set)
        except _AWAY as error:
            _log.warning("write-backs: not now, trying again: %s", str(error).splitlines()[0])

    try:
        while True:
            try:
                for each in await asyncio.to_thread(writing_back.due, ledger, datetime.now(UTC)):
                    if each.id not in running or running[each.id].done():
                        running[each.id] = loop.run_in_executor(threads, tell, each)
            except _AWAY as error:
                _log.warning("write-backs: not now, trying again: %s", str(error).splitlines()[0])
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        stopped.set()  # the invoice that is being told is told to the end
        threads.shutdown(wait=False, cancel_futures=True)
