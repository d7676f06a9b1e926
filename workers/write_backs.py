"""Keeps telling CRM and PSA what was billed, each vendor in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
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


async def watch(ledger: Ledger, web_url: str) -> None:
    """Tells what is due until cancelled; a vendor that is slow delays no other. Survives a database that is away."""
    running: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            try:
                for each in await asyncio.to_thread(writing_back.due, ledger, datetime.now(UTC)):
                    if each.id not in running or running[each.id].done():
                        running[each.id] = asyncio.create_task(_tell(ledger, each, web_url))
            except (SQLAlchemyError, psycopg.Error, BillowError) as error:
                _log.warning("write-backs: not now, trying again: %s", str(error).splitlines()[0])
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await asyncio.gather(*running.values(), return_exceptions=True)


async def _tell(ledger: Ledger, connection: Connection, web_url: str) -> None:
    try:
        await asyncio.to_thread(writing_back.tell, ledger, connection, web_url, datetime.now(UTC))
    except (SQLAlchemyError, psycopg.Error, BillowError) as error:
        _log.warning("write-backs: not now, trying again: %s", str(error).splitlines()[0])
