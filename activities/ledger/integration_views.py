"""What people see of connected systems: how each fares, and the log of what it said, newest first."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from activities.ledger import deliveries, integrations, write_backs
from activities.ledger.deliveries import DeliveryStatus
from activities.ledger.tables import DeliveryRow, EventRow, IntegrationRow
from activities.providers.registry import adapter, provider_of, webhook_variable
from billing.company import Company
from billing.connections import Connection
from billing.errors import NotFound, SourceFaulty

EVENTS = "events"
"""Under which name the events of `/webhooks/events` stand among the connections."""

SECRETS = "BILLOW_WEBHOOK_SECRETS"

LARGEST_SHOWN = 64 * 1024
"""Characters of what was said that are shown to people."""

_VENDOR = "/integrations/"
"""How the source of an event begins that came from a connection: what follows is its id."""


class State(StrEnum):
    """How a connection fares, in a word."""

    FAILS = "fails"
    HELD = "held"
    NOT_SET_UP = "not set up"
    NOT_USED = "not used yet"
    TAKEN_OUT = "taken out"
    WORKS = "works"


@dataclass(frozen=True)
class Endpoint:
    """Where a vendor delivers to; off while the environment variable holds no secret."""

    url: str
    on: bool
    variable: str


@dataclass(frozen=True)
class IntegrationView:
    """A connection as people see it; instants are UTC."""

    connection: str
    title: str
    serves: str
    """What it is used for: a port, or `events`."""
    state: State
    endpoint: Endpoint | None = None
    problem: str = ""
    """Why it cannot be asked at all."""
    polled: bool = False
    poll_minutes: int | None = None
    polled_at: datetime | None = None
    last_contact_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    failing_since: datetime | None = None
    refused: int = 0
    last_refused_at: datetime | None = None
    last_refusal: str | None = None
    received: int = 0
    waiting: int = 0
    held: int = 0
    lag: timedelta | None = None
    """How long the oldest message that is not acted on has waited; where there is none, how late the last poll was."""
    write_backs: int = 0


@dataclass(frozen=True)
class LogEntry:
    """One message of a system, or one event asked from it, and what came of it."""

    at: datetime
    id: str
    source: str | None
    """Of an event; None for a delivery."""
    verified: str
    status: str
    outcome: str
    repeats: int
    billing_keys: tuple[str, ...]


@dataclass(frozen=True)
class Message:
    """One entry of the log whole: what was said, made readable, `LARGEST_SHOWN` characters of it at most."""

    entry: LogEntry
    connection: str
    headers: Mapping[str, str]
    payload: str
    erased: bool
    size: int
    attempts: int
    acted_at: datetime | None
    events: tuple[str, ...]

    @property
    def cut(self) -> bool:
        """Whether there is more than is shown."""
        return self.size > LARGEST_SHOWN

    @property
    def can_run_again(self) -> bool:
        return self.entry.status != DeliveryStatus.ACTED_ON and not self.erased


def all_of(tx: Session, company: Company, web_url: str, at: datetime) -> list[IntegrationView]:
    """Every connection of the company, those taken out that still have something to say, and `/webhooks/events`."""
    known, counted = integrations.all_of(tx), deliveries.counts(tx)
    oldest, told = _oldest_undone(tx), write_backs.open_by_connection(tx)
    connected = {each.id: _connected(each, web_url) for each in company.connections}
    gone = {
        name: IntegrationView(name, name, "", State.TAKEN_OUT)
        for name in sorted({*known, *counted} - set(connected))
        if name in oldest or told.get(name)
    }
    views = []
    for name, view in {**connected, **gone}.items():
        by_status = counted.get(name, {})
        since = oldest.get(name)
        counts = replace(
            view,
            received=sum(by_status.values()),
            waiting=by_status.get(DeliveryStatus.WAITING, 0),
            held=by_status.get(DeliveryStatus.HELD, 0),
            lag=at - since if since else None,
            write_backs=told.get(name, 0),
        )
        views.append(_faring(counts, known.get(name)))
    return [*views, _standard_webhooks(tx, web_url, at)]


def one_of(tx: Session, company: Company, web_url: str, name: str, at: datetime) -> IntegrationView:
    """The connection of that id; `NotFound` otherwise."""
    found = next((each for each in all_of(tx, company, web_url, at) if each.connection == name), None)
    if found is None:
        raise NotFound(f"there is no connection {name!r}; `billow integrations` lists those there are")
    return found


def _connected(connection: Connection, web_url: str) -> IntegrationView:
    view = IntegrationView(
        connection.id,
        connection.provider,
        connection.port,
        State.NOT_USED,
        poll_minutes=connection.poll_minutes,
    )
    try:
        provider = provider_of(connection)
    except SourceFaulty as error:
        return replace(view, problem=str(error))
    view = replace(view, title=provider.title)
    if provider.webhook is not None:
        variable = webhook_variable(connection, provider)
        is_on = bool(os.environ.get(variable, "").split())
        view = replace(view, endpoint=Endpoint(f"{web_url}/webhooks/{connection.id}", is_on, variable))
    try:
        return replace(view, polled=hasattr(adapter(connection), "changes"))
    except SourceFaulty as error:
        return replace(view, problem=str(error))


def _faring(view: IntegrationView, row: IntegrationRow | None) -> IntegrationView:
    if row is not None:
        late = timedelta(seconds=row.lag_seconds) if row.lag_seconds is not None else None
        view = replace(
            view,
            polled_at=row.polled_at,
            last_contact_at=row.last_contact_at,
            last_error=row.last_error,
            last_error_at=row.last_error_at,
            failing_since=row.failing_since,
            refused=row.refused,
            last_refused_at=row.last_refused_at,
            last_refusal=row.last_refusal,
            lag=view.lag if view.lag is not None else late,
        )
    return replace(view, state=_state(view))


def _state(view: IntegrationView) -> State:
    if view.state is State.TAKEN_OUT:
        return view.state
    if view.failing_since is not None:
        return State.FAILS
    if view.problem:
        return State.NOT_SET_UP
    if view.held:
        return State.HELD
    return State.WORKS if view.last_contact_at or view.received else State.NOT_USED


def _oldest_undone(tx: Session) -> dict[str, datetime]:
    query = (
        select(DeliveryRow.connection, func.min(DeliveryRow.received_at))
        .where(DeliveryRow.status.in_(deliveries.UNDONE))
        .group_by(DeliveryRow.connection)
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def _by_standard_webhooks() -> ColumnElement[bool]:
    return (EventRow.channel == "webhook") & ~EventRow.source.startswith(_VENDOR)


def _standard_webhooks(tx: Session, web_url: str, at: datetime) -> IntegrationView:
    undone = EventRow.status.in_(("waiting", "held"))
    received, last, waiting, held, oldest = tx.execute(
        select(
            func.count(),
            func.max(EventRow.received_at),
            func.count().filter(EventRow.status == "waiting"),
            func.count().filter(EventRow.status == "held"),
            func.min(EventRow.received_at).filter(undone),
        ).where(_by_standard_webhooks())
    ).one()
    is_on = bool(os.environ.get(SECRETS, "").split())
    return IntegrationView(
        EVENTS,
        "Standard Webhooks",
        "events",
        State.HELD if held else State.WORKS if received else State.NOT_USED,
        endpoint=Endpoint(f"{web_url}/webhooks/{EVENTS}", is_on, SECRETS),
        last_contact_at=last,
        received=received,
        waiting=waiting,
        held=held,
        lag=at - oldest if waiting or held else None,
    )


def log_of(
    tx: Session, connection: str, limit: int, after: tuple[datetime, str] | None = None
) -> list[LogEntry]:
    """What a connection delivered and what was asked from it, the newest first; behind `after`, an instant and id."""
    said = deliveries.listed(tx, connection=connection, limit=limit, after=after)
    asked = _by_standard_webhooks() if connection == EVENTS else _asked_from(connection)
    query = select(EventRow).where(asked)
    if after is not None:
        query = query.where(tuple_(EventRow.received_at, EventRow.event) < tuple_(*after))
    query = query.order_by(EventRow.received_at.desc(), EventRow.event.desc()).limit(limit)
    entries = [*of_deliveries(tx, said), *(_of_event(each) for each in tx.scalars(query))]
    return sorted(entries, key=lambda each: (each.at, each.id), reverse=True)[:limit]


def _asked_from(connection: str) -> ColumnElement[bool]:
    return (EventRow.source == _VENDOR + connection) & (EventRow.channel != deliveries.CHANNEL)


def of_deliveries(tx: Session, rows: Sequence[DeliveryRow]) -> list[LogEntry]:
    """Deliveries as entries of the log, each with what its events billed."""
    keys = _billing_keys(tx, {event for row in rows for event in row.events})
    return [
        LogEntry(
            row.received_at,
            row.delivery,
            None,
            f"signed by {row.verified_by}",
            row.status,
            row.outcome,
            row.repeats,
            tuple(dict.fromkeys(key for event in row.events for key in keys.get(event, ()))),
        )
        for row in rows
    ]


def _billing_keys(tx: Session, named: Collection[str]) -> dict[str, list[str]]:
    pairs = [(source, event) for source, _, event in (each.partition(" ") for each in named)]
    query = select(EventRow).where(tuple_(EventRow.source, EventRow.event).in_(pairs))
    return {f"{each.source} {each.event}": each.billing_keys for each in tx.scalars(query)} if pairs else {}


def _of_event(row: EventRow) -> LogEntry:
    verified = "signed" if row.channel == "webhook" else "polled" if row.channel == "polling" else row.channel
    return LogEntry(
        row.received_at,
        row.event,
        row.source,
        verified or "unknown",
        row.status,
        row.outcome or "",
        0,
        tuple(row.billing_keys),
    )


def delivery(tx: Session, connection: str, delivery_id: str) -> Message:
    """A delivery whole; `NotFound` otherwise."""
    row = deliveries.find(tx, connection, delivery_id)
    text = row.body.decode("utf-8", "replace")
    payload = readable(text)
    return Message(
        of_deliveries(tx, [row])[0],
        connection,
        row.headers,
        payload[:LARGEST_SHOWN],
        not row.body,
        len(payload),
        row.attempts,
        row.acted_at,
        tuple(row.events),
    )


def event(connection: str, row: EventRow) -> Message:
    """An event whole, of `/webhooks/events` or asked from a connection."""
    payload = json.dumps(row.content, indent=2, ensure_ascii=False)
    return Message(
        _of_event(row),
        connection,
        {},
        payload[:LARGEST_SHOWN],
        False,
        len(payload),
        row.attempts,
        row.acted_at,
        (f"{row.source} {row.event}",),
    )


def readable(text: str) -> str:
    """JSON with its lines broken; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
