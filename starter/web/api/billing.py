"""The API for programs: triggers, and entries of meters. Each request speaks for a person, by a bearer token."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field, TypeAdapter, model_validator
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from activities.ledger import company_records, events, meters, triggers
from activities.ledger.events import EventStatus
from activities.ledger.invoices import Requested
from activities.ledger.meters import Intake
from billing.events import BillingEvent
from billing.meter_entries import MeterEntry
from billing.one_off import OneOff
from billing.parties import Identifier, Strict
from starter.web.bodies import json_body, value_of
from starter.web.callers import Caller, caller_of
from starter.web.problems import Unprocessable

LARGEST = 256 * 1024
"""Bytes of a body."""

CHANNEL = "api"


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


class MeterEntries(Strict):
    """Entries of meters, taken in together."""

    entries: tuple[MeterEntry, ...] = Field(max_length=1000)


_ORDER, _ENTRIES = TypeAdapter(TriggerOrder), TypeAdapter(MeterEntries)


async def trigger(request: Request) -> Response:
    """Bills something: 201 with the new invoice, 200 with the one there is; of an event 202 while it is held.

    A one-off with the `Idempotency-Key` of an earlier one is that one; without a key, the same content is.
    """
    caller = await caller_of(request)
    order = value_of(_ORDER, await json_body(request, LARGEST))
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


async def meter_entries(request: Request) -> Response:
    """Takes hours, spend or progress in, all of it or nothing, and acts on every line that is crossed by it.

    What is known already changes nothing. 422 with the place of each entry that cannot be taken in.
    """
    caller = await caller_of(request)
    sent = value_of(_ENTRIES, await json_body(request, LARGEST))
    intake = await run_in_threadpool(_meter, caller, sent.entries)
    stored = intake.stored
    return JSONResponse(
        {
            "new": stored.new,
            "edited": stored.edited,
            "deleted": stored.deleted,
            "known": stored.known,
            "late": stored.late,
            "crossings": [
                {
                    "agreement": each.agreement,
                    "line": each.line.name,
                    "outcome": each.outcome,
                    "billing_key": each.billing_key,
                }
                for each in intake.crossings
            ],
        }
    )


def _meter(caller: Caller, entries: tuple[MeterEntry, ...]) -> Intake:
    with caller.ledger.transaction() as tx:
        company = company_records.current(tx).company
        if wrong := meters.refusals(entries, company, at=caller.at):
            raise Unprocessable(
                [{"pointer": f"#/entries/{place}", "detail": why} for place, why in wrong.items()]
            )
        return meters.take_in(tx, entries, company, by=caller.person, channel=CHANNEL, at=caller.at)


ROUTES = [
    Route("/triggers", trigger, methods=["POST"]),
    Route("/meter-entries", meter_entries, methods=["POST"]),
]
