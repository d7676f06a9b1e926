"""Events from other systems, signed as Standard Webhooks, CloudEvents within: stored, answered, then acted on."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pydantic import TypeAdapter
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from activities.ledger import events
from activities.ledger.database import Ledger
from billing.events import BillingEvent
from starter.web.bodies import json_of, media_type, only_posted, read_body, value_of
from starter.web.desk import Desk, now

log = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes of a body."""

CHANNEL = "webhook"

_BATCH = "application/cloudevents-batch+json"
_MEDIA_TYPES = ("application/json", "application/cloudevents+json", _BATCH)
_ONE, _MANY = TypeAdapter(BillingEvent), TypeAdapter(list[BillingEvent])


async def receive(request: Request) -> Response:
    """Stores one event or a batch, whole or not at all: 202 if any of it is new, 200 if it was all received before.

    Answered before it is acted on: 401 unless it is signed by one of the secrets within the last five minutes.
    """
    only_posted(request)
    desk: Desk = request.app.state.desk
    kind = media_type(request, _MEDIA_TYPES)
    body = await read_body(request, LARGEST)
    _check_signature(desk.settings.signing_secrets, body, request)
    data = json_of(body)
    received = value_of(_MANY, data) if kind == _BATCH or isinstance(data, list) else [value_of(_ONE, data)]
    new = await run_in_threadpool(_store, desk.ledger, received)
    return JSONResponse({"received": len(received), "new": new}, 202 if new else 200)


def _check_signature(secrets: Sequence[str], body: bytes, request: Request) -> None:
    reason = "no secret"
    for secret in secrets:
        try:
            Webhook(secret).verify(body, dict(request.headers), json_parse=False)
        except (
            WebhookVerificationError,
            ValueError,
        ) as error:  # ValueError: a signature that is no base64, a body no text
            reason = str(error)
        else:
            return
    log.warning("webhook %s refused: %s", request.headers.get("webhook-id", "without id")[:80], reason[:200])
    raise HTTPException(
        401,
        "The signature does not fit: sign webhook-id, webhook-timestamp and the body with a secret of ours, "
        "and send it within five minutes.",
        {"WWW-Authenticate": 'Webhook realm="events"'},
    )


def _store(ledger: Ledger, received: Sequence[BillingEvent]) -> int:
    in_order = sorted(received, key=lambda each: (each.source, each.id))
    with (
        ledger.transaction() as tx
    ):  # in one order, so that two batches never wait for each other in a circle
        return sum(events.receive(tx, each, channel=CHANNEL, at=now()) for each in in_order)
