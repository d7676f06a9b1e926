"""The routes of the portal, and the one page that is shown for everything that leads nowhere."""

from __future__ import annotations

import logging

from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from billing.errors import SourceUnavailable
from starter.web.desk import Desk
from starter.web.portal import acts, files, invoice
from starter.web.portal.visits import NothingHere, Portal, TooMany, portal_of

log = logging.getLogger(__name__)


def app_for_clients(desk: Desk) -> Starlette:
    """The portal as an app of its own: it never looks at the session of whoever is signed in."""
    app = Starlette(
        routes=[
            Route("/{token}", invoice.page),
            Route("/{token}/files/{sha256}", files.document),
            Route("/{token}/receipt", files.receipt),
            *(Route("/{token}/" + name, act, methods=["POST"]) for name, act in acts.ACTS.items()),
        ],
        exception_handlers={
            NothingHere: _nothing_here,
            TooMany: _too_many,
            HTTPException: _nothing_here,
            OperationalError: _back_soon,
            InterfaceError: _back_soon,
            PoolTimeout: _back_soon,
            ProgrammingError: _back_soon,
            SourceUnavailable: _back_soon,
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False  # an address that is no link is answered like any other
    app.state.portal = Portal(desk)
    return app


def _nothing_here(request: Request, error: Exception) -> Response:
    """The same for a link that expired, was revoked, was never made, or leads to something that is not there."""
    if isinstance(error, HTTPException) and error.status_code == 413:
        return portal_of(request).plain_page(request, "too_large", 413)
    return portal_of(request).plain_page(request, "nothing_here", 404)


def _too_many(request: Request, _error: Exception) -> Response:
    answer = portal_of(request).plain_page(request, "too_many", 429)
    answer.headers["Retry-After"] = "600"
    return answer


def _back_soon(request: Request, error: Exception) -> Response:
    log.warning("the portal cannot be served: %s", error.__class__.__name__)
    answer = portal_of(request).plain_page(request, "back_soon", 503)
    answer.headers["Retry-After"] = "30"
    return answer


def _failed(request: Request, _error: Exception) -> Response:
    return portal_of(request).plain_page(request, "back_soon", 500)
