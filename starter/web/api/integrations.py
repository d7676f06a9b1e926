"""Connected systems: how each fares, what each said, and having a message acted on again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from activities.ledger import company_records, deliveries, events, integration_views
from activities.ledger.events import EventStatus
from activities.ledger.integration_views import IntegrationView, LogEntry, Message
from activities.ledger.read_models import ReadModel
from billing.parties import Strict
from starter.web.api.routes import Called, operations
from starter.web.api.shapes import Cursor, Limit, Name, after, answers, paged
from starter.web.desk import desk_of

router = operations("Integrations")

_Id = Annotated[str, Query(max_length=300, pattern=r"^[^\x00]*$")]


class Integrations(ReadModel):
    """Every connected system."""

    items: tuple[IntegrationView, ...]


class Log(ReadModel):
    """What a system said, the newest first."""

    items: tuple[LogEntry, ...]
    next: str | None


class EventView(ReadModel):
    """An event by its source and id; which invoices it asked for, once it was acted on."""

    source: str
    event: str
    type: str
    received_at: datetime
    channel: str
    brought_by: str | None
    status: str
    outcome: str
    attempts: int
    acted_at: datetime | None
    billing_keys: tuple[str, ...]


class Events(ReadModel):
    """Events, the newest first."""

    items: tuple[EventView, ...]
    next: str | None


class Again(Strict):
    """Which message: a delivery of the connection, or an event by its source and id."""

    delivery: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]+$")] | None = None
    source: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]+$")] | None = None
    event: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]+$")] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Again:
        if (self.delivery is None) == (self.source is None or self.event is None):
            raise ValueError("write either delivery, or source and event")
        return self


class Acted(ReadModel):
    """How the message stands now, and what came of it."""

    status: str
    outcome: str


@router.get("/integrations", operation_id="listIntegrations")
def integrations(request: Request, caller: Called) -> Integrations:
    """Connected systems and how each fares."""
    with caller.ledger.transaction() as tx:
        company = company_records.current(tx).company
        found = integration_views.all_of(tx, company, desk_of(request).settings.web_url, caller.at)
    return Integrations(items=tuple(found))


@router.get("/integrations/{connection}", operation_id="readIntegration", responses=answers(404))
def integration(request: Request, caller: Called, connection: Name) -> IntegrationView:
    """One connected system."""
    with caller.ledger.transaction() as tx:
        return _found(request, tx, caller, connection)


@router.get("/integrations/{connection}/log", operation_id="readIntegrationLog", responses=answers(400, 404))
def log(request: Request, caller: Called, connection: Name, cursor: Cursor = None, limit: Limit = 100) -> Log:
    """What the system said, and what came of each."""
    with caller.ledger.transaction() as tx:
        _found(request, tx, caller, connection)
        found = integration_views.log_of(tx, connection, limit + 1, after(cursor, datetime, str))
    return Log(**paged(found, limit, lambda each: (each.at, each.id)))


@router.get("/integrations/{connection}/message", operation_id="readMessage", responses=answers(404))
def message(
    caller: Called, connection: Name, delivery: _Id = "", source: _Id = "", event: _Id = ""
) -> Message:
    """One message whole: a delivery, or an event by its source and id."""
    with caller.ledger.transaction() as tx:
        if delivery:
            return integration_views.delivery(tx, connection, delivery)
        return integration_views.event(connection, events.find(tx, source, event))


@router.get("/events", operation_id="listEvents", responses=answers(400))
def all_events(
    caller: Called, status: EventStatus | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Events:
    """Events that came in, whoever sent them, and what came of each; the newest first."""
    last = after(cursor, datetime, str, str)
    with caller.ledger.transaction() as tx:
        rows = events.listed(tx, status, limit + 1, after=last)
        found = [
            EventView(
                source=row.source,
                event=row.event,
                type=row.type,
                received_at=row.received_at,
                channel=row.channel,
                brought_by=row.brought_by,
                status=row.status,
                outcome=row.outcome,
                attempts=row.attempts,
                acted_at=row.acted_at,
                billing_keys=tuple(row.billing_keys),
            )
            for row in rows
        ]
    return Events(**paged(found, limit, lambda each: (each.received_at, each.source, each.event)))


@router.post("/integrations/{connection}/run-again", operation_id="runAgain", responses=answers(404, 409))
def run_again(caller: Called, connection: Name, body: Again) -> Acted:
    """Acts on a message again that was held or failed."""
    with caller.ledger.transaction() as tx:
        if body.delivery is not None:
            row = deliveries.run_again(tx, connection, body.delivery, by=caller.person, at=caller.at)
            return Acted(status=row.status, outcome=row.outcome)
        acted = events.retry(tx, body.source or "", body.event or "", at=caller.at)
        return Acted(status=acted.status, outcome=acted.outcome)


def _found(request: Request, tx: Session, caller: Called, connection: str) -> IntegrationView:
    company = company_records.current(tx).company
    return integration_views.one_of(tx, company, desk_of(request).settings.web_url, connection, caller.at)
