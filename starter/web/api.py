"""The API for programs: triggers, and entries of meters. Each request speaks for a person, by a bearer token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import Field, TypeAdapter, model_validator
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from activities.ledger import api_tokens, company_records, events, triggers
from activities.ledger.database import Ledger
from activities.ledger.events import EventStatus
from activities.ledger.invoices import Requested
from billing.errors import NotAllowed, Refused
from billing.events import BillingEvent
from billing.one_off import OneOff
from billing.parties import Identifier, Strict
from starter.web.bodies import json_of, media_type, read_body, value_of
from starter.web.desk import Desk, now

LARGEST = 256 * 1024
"""Bytes of a body."""

CHANNEL = "api"

_BEARER = {"WWW-Authenticate": 'Bearer realm="billow"'}
_INVALID = {"WWW-Authenticate": 'Bearer realm="billow", error="invalid_token"'}


class TriggerOrder(Strict):
    """What is to be billed now: an agreement, a one-off or what an event makes due; and why."""

    agreement: Identifier | None = None
    item: Identifier | None = Field(default=None, description="which milestone or block of the agreement")
    until: date | None = Field(default=None, description="bills the running period up to this day, early")
    one_off: OneOff | None = None
    event: BillingEvent | None = None
    reason: str = Field(default="", max_length=2000, pattern=r"^[^\x00]*$")

    @model_validator(mode="after")
    def _one_of_three(self) -> TriggerOrder:
        if [self.agreement, self.one_off, self.event].count(None) != 2:
            raise ValueError("say exactly one of agreement, one_off and event")
        if self.agreement is None and (self.item or self.until):
            raise ValueError("item and until go with agreement")
        return self


_ORDER: TypeAdapter[TriggerOrder] = TypeAdapter(TriggerOrder)


@dataclass(frozen=True)
class Caller:
    """Who asks, when, and under which key of their own."""

    ledger: Ledger
    person: str
    at: datetime
    key: str | None


async def trigger(request: Request) -> Response:
    """Bills something: 201 with the new invoice, 200 with the one there is; of an event 202 while it is held.

    A one-off with the `Idempotency-Key` of an earlier one is that one; without a key, the same content is.
    """
    caller = await _caller(request)
    order = value_of(_ORDER, await _json(request))
    status, content = await run_in_threadpool(_trigger, caller, order)
    return JSONResponse(content, status)


def _trigger(caller: Caller, order: TriggerOrder) -> tuple[int, dict[str, Any]]:
    if order.event is not None:
        acted = events.take_in(
            caller.ledger, order.event, channel=CHANNEL, brought_by=caller.person, at=caller.at
        )
        status = 202 if acted.status is EventStatus.HELD else _status(acted.invoices)
        return status, {
            "status": acted.status,
            "outcome": acted.outcome,
            "invoices": [_plain(each) for each in acted.invoices],
        }
    with caller.ledger.transaction() as tx:
        asked = _ask(tx, caller, order)
        return _status([asked]), {"invoices": [_plain(asked)]}


def _ask(tx: Session, caller: Caller, order: TriggerOrder) -> Requested:
    if order.one_off is None:
        return triggers.by_agreement(
            tx,
            order.agreement or "",
            order.item,
            until=order.until,
            by=caller.person,
            channel=CHANNEL,
            reason=order.reason,
            at=caller.at,
        )
    return triggers.one_off(
        tx,
        order.one_off,
        caller.key,
        by=caller.person,
        channel=CHANNEL,
        reason=order.reason,
        at=caller.at,
    )


def _status(asked: list[Requested]) -> int:
    return 201 if any(each.new for each in asked) else 200


def _plain(asked: Requested) -> dict[str, Any]:
    row = asked.invoice
    return {
        "new": asked.new,
        "billing_key": row.billing_key,
        "generation": row.generation,
        "number": row.number,
        "client": row.client,
        "document_status": row.document_status,
        "payment_status": row.payment_status,
        "collection_status": row.collection_status,
    }


async def _caller(request: Request) -> Caller:
    """Whom the token speaks for; 401 without one of ours, `NotAllowed` once the person has left the company."""
    desk: Desk = request.app.state.desk
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise HTTPException(
            401,
            "Say who asks: Authorization: Bearer TOKEN; `billow api-token create NAME` makes one.",
            _BEARER,
        )
    at = now()
    person = await run_in_threadpool(_person, desk.ledger, token.strip(), at)
    return Caller(desk.ledger, person, at, _key(request))


def _person(ledger: Ledger, token: str, at: datetime) -> str:
    with ledger.transaction() as tx:
        person = api_tokens.person_of(tx, token, at=at)
        if person is None:
            raise HTTPException(401, "The token is not one of ours, or was revoked.", _INVALID)
        if person not in company_records.current(tx).company.people_by_id:
            raise NotAllowed(f"{person!r} is not a person of this company any more")
        return person


def _key(request: Request) -> str | None:
    said = request.headers.get("idempotency-key")
    if said is None:
        return None
    key = said.strip().strip('"')
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", key):
        raise Refused("an Idempotency-Key is up to 64 letters, digits, '.', '_' and '-'")
    return key


async def _json(request: Request) -> Any:
    media_type(request, ("application/json",))
    return json_of(await read_body(request, LARGEST))
