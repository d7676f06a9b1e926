"""Asking vendors without webhooks what is new; the cursor is kept with the events it stands behind, or not at all."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from activities.invoicing import returned_mail
from activities.ledger import company_records, deliveries, events, integrations
from activities.ledger.database import Ledger
from activities.providers.http import at_most
from activities.providers.provider import Changes
from activities.providers.registry import adapter, provider_of
from billing.company import Company
from billing.connections import Connection, Port
from billing.errors import BillowError, NotFound, SourceFaulty, SourceUnavailable
from billing.events import BillingEvent

_log = logging.getLogger("billow.polling")

CHANNEL = "polling"

MOST_AT_ONCE = 200
"""Steps of one poll at most: what is more waits for the next, so that nothing polls for ever."""

ONE_STEP = 60.0
"""Seconds one step may take, however many calls it is made of."""

LONGEST = 60.0
"""Seconds after which no other step is begun."""

_POLLS = 7220500
"""First half of the lock (PostgreSQL, advisory) under which a connection is polled, by one worker at a time."""


@dataclass(frozen=True)
class Polled:
    """What one poll brought; `problem` is empty where the vendor answered all that was asked."""

    connection: str
    events: int
    problem: str = ""


def due(ledger: Ledger, as_of: datetime, *, at_once: bool = False) -> list[Connection]:
    """The connections that are to be asked now: those whose adapter can be, and whose pause is over."""
    with ledger.transaction() as tx:
        try:
            company = company_records.current(tx).company
        except NotFound:
            return []
        states = integrations.all_of(tx)
    return [
        each
        for each in company.connections
        if _can_be_polled(each)
        and (
            at_once
            or (state := states.get(each.id)) is None
            or state.polled_at is None
            or as_of - state.polled_at >= timedelta(minutes=each.poll_minutes)
        )
    ]


def _can_be_polled(connection: Connection) -> bool:
    try:
        return connection.port is Port.RETURNED_MAIL or hasattr(adapter(connection), "changes")
    except SourceFaulty:
        return True  # polled, it says what is wrong, and a person hears of it


def poll(ledger: Ledger, connection: Connection, as_of: datetime) -> Polled:
    """Asks one vendor for all that is new, step by step; each step's events and cursor are kept together.

    Never raises for what the vendor does. Nothing is done while another worker polls the same connection.
    """
    with _alone(ledger, connection) as alone:
        if not alone:
            return Polled(connection.id, 0, "another worker polls it right now")
        if connection.port is Port.RETURNED_MAIL:
            return _mailbox(ledger, connection, as_of)
        found, ends = 0, time.monotonic() + LONGEST
        for _ in range(MOST_AT_ONCE):
            try:
                cursor, changes = _asked(ledger, connection, as_of)
            except SourceUnavailable as error:
                _failed(ledger, connection, error, as_of)
                return Polled(connection.id, found, str(error))
            found += _keep(ledger, connection, cursor, changes, as_of)
            if not changes.more:
                _queue_held(ledger, connection, changes, as_of)
                return Polled(connection.id, found, changes.problem)
            if time.monotonic() > ends:
                break
        return Polled(connection.id, found, "there is more; it is asked for at the next poll")


@contextmanager
def _alone(ledger: Ledger, connection: Connection) -> Iterator[bool]:
    """Whether nobody else polls the connection until the end. The lock is of the session, in no transaction: a vendor
    may take longer than the database lets one be idle."""
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        key = {"polls": _POLLS, "connection": connection.id}
        taken = session.scalar(text("select pg_try_advisory_lock(:polls, hashtext(:connection))"), key)
        try:
            yield bool(taken)
        finally:
            if taken:
                session.execute(text("select pg_advisory_unlock(:polls, hashtext(:connection))"), key)


def _mailbox(ledger: Ledger, connection: Connection, at: datetime) -> Polled:
    """Reads mail that came back: it tells of our own messages, and is no event."""
    try:
        return Polled(connection.id, *returned_mail.read(ledger, connection, at))
    except SourceUnavailable as error:
        _failed(ledger, connection, error, at)
        return Polled(connection.id, 0, str(error))


def _asked(ledger: Ledger, connection: Connection, at: datetime) -> tuple[str | None, Changes]:
    with ledger.transaction() as tx:
        cursor = integrations.of(tx, connection.id).cursor
    try:
        with at_most(ONE_STEP):
            changes: Changes = adapter(connection).changes(cursor, at)
    except deliveries.MAKES_NO_SENSE as error:
        why = f"{type(error).__name__}: {error}"[:300]
        raise SourceFaulty(f"what it answers cannot be understood ({why})") from error
    return cursor, changes


def _keep(ledger: Ledger, connection: Connection, before: str | None, changes: Changes, at: datetime) -> int:
    """Stores events and cursor in one transaction; a crash before it asks again, and is told the same ids."""
    with ledger.transaction() as tx:
        state = integrations.of(tx, connection.id, lock=True)
        if state.cursor != before:
            return 0
        new = sum(_receive(tx, connection, each, at) for each in changes.events)
        if changes.messages:
            verified_by = f"{provider_of(connection).title}, asked"
            new += deliveries.store_missed(tx, connection, changes.messages, verified_by=verified_by, at=at)
        state.cursor, state.polled_at = changes.cursor, at
        happened = [each.time for each in changes.events if each.time is not None]
        state.lag_seconds = max(
            (int((at - each).total_seconds()) for each in happened), default=state.lag_seconds
        )
        if changes.problem:
            company = company_records.current(tx).company
            title = provider_of(connection).title
            integrations.failed(tx, connection.id, title, SourceFaulty(changes.problem), company, at=at)
            state.last_contact_at = at
        else:
            integrations.reached(tx, connection.id, at=at)
        return new


def _receive(tx: Session, connection: Connection, event: BillingEvent, at: datetime) -> int:
    """1 if the event is new. One that says something else under an id we know stands as it was first told."""
    try:
        with tx.begin_nested():
            return int(events.receive(tx, event, channel=CHANNEL, at=at))
    except BillowError as refusal:
        _log.warning("polling %s: %s", connection.id, refusal)
        return 0


def _failed(ledger: Ledger, connection: Connection, error: SourceUnavailable, at: datetime) -> None:
    with ledger.transaction() as tx:
        company: Company = company_records.current(tx).company
        integrations.of(tx, connection.id, lock=True).polled_at = at
        integrations.failed(tx, connection.id, _title(connection), error, company, at=at)


def _title(connection: Connection) -> str:
    try:
        return provider_of(connection).title
    except SourceFaulty:
        return connection.provider


def _queue_held(ledger: Ledger, connection: Connection, changes: Changes, at: datetime) -> None:
    """What was held while the vendor could not be asked is tried again, now that it answers."""
    if not changes.problem:
        with ledger.transaction() as tx:
            deliveries.queue_held(tx, connection.id, at=at)
