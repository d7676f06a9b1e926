"""Keeps looking into the folder of bank statements, in a thread of its own: a large one keeps no other work back."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from activities.bank.folder import StatementFolder
from activities.ledger.database import Ledger
from billing.errors import BillowError

_log = logging.getLogger("billow.bank")

LOOK_SECONDS = 15.0
"""How often it looks; a file is imported once two looks found it alike."""

_AWAY = (SQLAlchemyError, psycopg.Error, BillowError, OSError)


async def watch(ledger: Ledger, folder: Path | None) -> None:
    """Imports what is put there until cancelled; without a folder, only waits. Survives a database that is away."""
    if folder is None:
        await asyncio.Event().wait()
        return
    watched = StatementFolder(folder)
    threads = ThreadPoolExecutor(1, "bank")
    try:
        while True:
            await asyncio.get_running_loop().run_in_executor(threads, _look, watched, ledger)
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _look(watched: StatementFolder, ledger: Ledger) -> None:
    try:
        looked = watched.look(ledger, datetime.now(UTC))
    except _AWAY as error:
        _log.warning("bank statements: not now, trying again: %s", str(error).splitlines()[0])
        return
    for each in looked.imported:
        _log.info("statement %s of %s: %s", each.statement, each.account, dict(each.outcomes))
    for name in looked.faulty:
        _log.warning("bank statement %s cannot be imported; the inbox says why", name)
