"""Deliveries of vendors at `/webhooks/<connection>`: verified over the raw body, stored, answered; then acted on."""

from __future__ import annotations

import logging
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from activities.ledger import deliveries, integrations
from activities.providers.provider import NotGenuine, Provider, Received
from activities.providers.registry import default_variable, provider_of
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
    desk: Desk = request.app.state.desk
    connection, provider, secrets = await run_in_threadpool(
        _endpoint, desk, request.path_params["connection"]
    )
    webhook = provider.webhook
    if webhook is None:
        raise HTTPException(404)
    only_posted(request)
    media_type(request, webhook.media_types)
    received = Received(
        request.method,
        f"{desk.settings.web_url}{request.url.path}" + (f"?{request.url.query}" if request.url.query else ""),
        {name.lower(): value for name, value in request.headers.items()},
        await read_body(request, LARGEST),
    )
    return await run_in_threadpool(_take, desk, connection, provider, secrets, received)


def prepare(desk: Desk) -> None:
    """Reads the libraries of the vendors that are connected, some of which take seconds, before the first delivery."""
    with suppress(SQLAlchemyError), desk.ledger.transaction() as tx:
        company = desk.company(tx)
        for each in company.connections if company else ():
            with suppress(SourceFaulty, NotGenuine):
                if webhook := provider_of(each).webhook:
                    webhook.verify(Received("POST", "", {}, b""), ("",), now())


def _endpoint(desk: Desk, name: str) -> tuple[Connection, Provider, tuple[str, ...]]:
    """The connection of that id, or the only one of that provider, with the secrets it is signed by."""
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
    known = company.connections if company else ()
    found = [each for each in known if each.id == name] or [each for each in known if each.provider == name]
    if len(found) != 1:
        raise HTTPException(404)
    try:
        provider = provider_of(found[0])
    except SourceFaulty as error:
        raise HTTPException(404) from error
    secrets = desk.secret(found[0].secrets.get(provider.webhook_secret) or _variable(found[0], provider))
    if not secrets:
        raise HTTPException(404)
    return found[0], provider, secrets


def _variable(connection: Connection, provider: Provider) -> str:
    return default_variable(connection, provider.webhook_secret)


def _take(
    desk: Desk, connection: Connection, provider: Provider, secrets: tuple[str, ...], received: Received
) -> Response:
    webhook = provider.webhook
    assert webhook is not None  # noqa: S101  # looked at before the body was read
    at = now()
    try:
        messages = webhook.verify(received, secrets, at)
    except NotGenuine as error:
        log.warning("delivery to %s refused: %s", connection.id, str(error)[:200])
        with desk.ledger.transaction() as tx:
            integrations.refused(tx, connection.id, str(error), at=at)
        raise HTTPException(401, f"Not taken: {error}.") from error
    with desk.ledger.transaction() as tx:
        deliveries.store(tx, connection, received, messages, verified_by=provider.title, at=at)
    return PlainTextResponse(webhook.answer)
