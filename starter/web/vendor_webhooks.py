"""Deliveries of vendors at `/webhooks/<connection>`: verified over the raw body, stored, answered; then acted on."""

from __future__ import annotations

import logging
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from activities.ledger import deliveries, integrations
from activities.providers.provider import NotGenuine, Provider, Received, Webhook
from activities.providers.registry import provider_of, webhook_variable
from billing.connections import Connection
from billing.errors import SourceFaulty
from starter.web.bodies import media_type, only_posted, read_body
from starter.web.desk import Desk, now

log = logging.getLogger(__name__)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""All are asked whether the endpoint is there at all, before all but one are refused."""

LARGEST = 1024 * 1024
"""Bytes of a body: HubSpot sends up to a hundred events at once, Dropbox Sign a whole request with its signers."""


async def receive(request: Request) -> Response:
    """Stores what a vendor delivers and answers as that vendor wants; 404 where no secret is configured.

    401 unless it is signed by one of the secrets and within the vendor's window: nothing of it is kept but the count.
    """
    body = await read_body(request, LARGEST)
    return await run_in_threadpool(_take, request, body)


def prepare(desk: Desk) -> None:
    """Reads the libraries of the vendors that are connected, some of which take seconds, before the first delivery."""
    with suppress(SQLAlchemyError), desk.ledger.transaction() as tx:
        company = desk.company(tx)
        for each in company.connections if company else ():
            with suppress(SourceFaulty, NotGenuine):
                if webhook := provider_of(each).webhook:
                    webhook.verify(Received("POST", "", {}, b""), ("",), now())


def _take(request: Request, body: bytes) -> Response:
    """All in one transaction, which an answer waits for: what was answered is stored."""
    desk, at = _desk(request), now()
    with desk.ledger.transaction() as tx:
        connection, provider, webhook, secrets = _endpoint(desk, tx, request.path_params["connection"])
        only_posted(request)
        media_type(request, webhook.media_types)
        received = Received(
            request.method,
            f"{desk.settings.web_url}{request.url.path}"
            + (f"?{request.url.query}" if request.url.query else ""),
            {name.lower(): value for name, value in request.headers.items()},
            body,
        )
        try:
            messages = webhook.verify(received, secrets, at)
        except NotGenuine as error:
            refusal = str(error)
            integrations.refused(tx, connection.id, refusal, at=at)
        else:
            deliveries.store(tx, connection, received, messages, verified_by=provider.title, at=at)
            return PlainTextResponse(webhook.answer)
    log.warning("delivery to %s refused: %s", connection.id, refusal[:200])
    raise HTTPException(401, f"Not taken: {refusal}.")


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _endpoint(desk: Desk, tx: Session, name: str) -> tuple[Connection, Provider, Webhook, tuple[str, ...]]:
    """The connection of that id, or the only one of that provider, with the secrets it is signed by; 404 otherwise."""
    company = desk.company(tx)
    known = company.connections if company else ()
    found = [each for each in known if each.id == name] or [each for each in known if each.provider == name]
    if len(found) == 1:
        with suppress(SourceFaulty):
            provider = provider_of(found[0])
            secrets = desk.secret(webhook_variable(found[0], provider))
            if provider.webhook is not None and secrets:
                return found[0], provider, provider.webhook, secrets
    raise HTTPException(404)
