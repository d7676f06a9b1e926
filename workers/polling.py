"""Keeps asking vendors without webhooks what is new, each as often as `integrations.yaml` says."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from activities.invoicing import polling
from activities.ledger.database import Ledger
from billing.errors import BillowError

_log = logging.getLogger("billow.polling")

LOOK_SECONDS = 15.0
"""How often it looks whether a connection's pause is over; pauses are whole minutes."""


async def watch(ledger: Ledger) -> None:
    """Polls what is due, each vendor in a thread of its own, until cancelled; survives a database that is away."""
    while True:
        try:
            now = datetime.now(UTC)
            connections = await asyncio.to_thread(polling.due, ledger, now)
            await asyncio.gather(
                *(asyncio.to_thread(polling.poll, ledger, each, now) for each in connections)
            )
        except (SQLAlchemyError, psycopg.Error, BillowError) as error:
            _log.warning("polling: not now, trying again: %s", str(error).splitlines()[0])
        await asyncio.sleep(LOOK_SECONDS)
