"""Keeps the payment provider in step: refunds that are agreed to are paid, pages nobody shall pay on are ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from activities.invoicing import checkout, refunding
from activities.ledger.database import Ledger
from billing.errors import BillowError

_log = logging.getLogger("billow.payments")

LOOK_SECONDS = 10.0
"""How soon a refund is paid once it is agreed to, and a page ended once its amount is open no more."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)

_AWAY = (SQLAlchemyError, psycopg.Error, BillowError)


class Refunds:
    """Pays what is due; after a refund that could not be tried, it waits, twice as long each time."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._not_before: dict[int, tuple[datetime, timedelta]] = {}

    def pay_due(self, now: datetime, stopped: Callable[[], bool] = lambda: False) -> None:
        """One round. A refund the provider cannot be asked about delays no other."""
        waiting = refunding.due(self._ledger)
        self._not_before = {item: when for item, when in self._not_before.items() if item in waiting}
        for item in waiting:
            again, pause = self._not_before.get(item, (now, _FIRST_PAUSE))
            if again > now or stopped():
                continue
            try:
                _log.info("%s", refunding.pay(self._ledger, item, at=now))
            except _AWAY as error:
                _log.warning("refund %d: not now, trying again: %s", item, str(error).splitlines()[0])
                self._not_before[item] = (now + pause, min(pause * 2, _LONGEST_PAUSE))


async def watch(ledger: Ledger) -> None:
    """Until cancelled; survives a database that is away."""
    refunds, stop = Refunds(ledger), asyncio.Event()

    def look() -> None:
        now = datetime.now(UTC)
        refunds.pay_due(now, stop.is_set)
        checkout.close_outdated(ledger, at=now)

    try:
        while True:
            try:
                await asyncio.to_thread(look)
            except _AWAY as error:
                _log.warning("payments: not now, trying again: %s", str(error).splitlines()[0])
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        stop.set()  # the refund that is being paid is paid to the end
