"""The web app put together: routes, sessions, headers, and what is shown when something fails."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from activities.ledger.database import Ledger
from billing.errors import BillowError
from starter.web import (
    api,
    dispute_files,
    documents,
    failures,
    health,
    inbox,
    integrations,
    invoices,
    mailbox,
    runs,
    sign_in,
    stand_in_checkout,
    vendor_webhooks,
    webhooks,
)
from starter.web.commands import command
from starter.web.desk import Desk
from starter.web.headers import SecurityHeaders
from starter.web.portal import app_for_clients
from starter.web.problems import app_for_programs
from workers.settings import Settings

SESSION_LASTS = 12 * 60 * 60
"""Seconds a sign-in lasts: a working day."""


def create_app(settings: Settings, ledger: Ledger) -> Starlette:
    """The web app on this ledger; it answers `/healthz` even while the database is down.

    Sessions are signed with `BILLOW_SECRET`, or with a secret kept in the home and made at the first start.
    """
    desk = Desk(settings, ledger)
    routes = [
        Route("/", inbox.page),
        Route("/invoices", invoices.listing),
        Route("/invoices/{reference:path}", invoices.detail),
        Route("/runs", runs.listing),
        Route("/runs/{run}", runs.detail),
        Route("/integrations", integrations.listing),
        Route("/integrations/{connection}", integrations.detail),
        Route("/integrations/{connection}/message", integrations.message),
        Route("/documents/{sha256}", documents.document),
        Route("/disputes/{dispute:int}/files/{sha256}", dispute_files.file),
        Route("/commands/{name}", command, methods=["POST"]),
        Route("/sign-in", sign_in.page),
        Route("/session", sign_in.begin, methods=["POST"]),
        Route("/session/end", sign_in.end, methods=["POST"]),
        Route("/mailbox", mailbox.listing),
        Route("/mailbox/{id}", mailbox.message),
        Route("/mailbox/{id}/html", mailbox.html),
        Route("/mailbox/{id}/attachments/{number:int}", mailbox.attachment),
        Route("/stand-in-checkout/{session}", stand_in_checkout.page),
        Route("/stand-in-checkout/{session}", stand_in_checkout.act, methods=["POST"]),
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/favicon.ico", lambda _: RedirectResponse("/static/mark.svg", 301)),
        *_for_programs(desk),
        Mount("/i", app=app_for_clients(desk)),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static"),
    ]
    middleware = [
        Middleware(SecurityHeaders),
        Middleware(
            SessionMiddleware,
            secret_key=sign_in.secret(settings.home),
            session_cookie="billow",
            max_age=SESSION_LASTS,
            same_site="lax",
            https_only=settings.web_url.startswith("https:"),
        ),
    ]
    app = Starlette(
        routes=routes,
        middleware=middleware,
        exception_handlers={
            BillowError: failures.refused,
            HTTPException: failures.http,
            OperationalError: failures.database_down,
            InterfaceError: failures.database_down,
            PoolTimeout: failures.database_down,
            ProgrammingError: failures.not_migrated,
            Exception: failures.unexpected,
        },
    )
    app.state.desk = desk
    return app


def _for_programs(desk: Desk) -> list[Mount]:
    """Events come in only where there is a secret to sign them with."""
    mounts = [Mount("/api/v1", app=app_for_programs(desk, api.ROUTES))]
    endpoints = [Route("/{connection}", vendor_webhooks.receive, methods=vendor_webhooks.METHODS)]
    if desk.settings.signing_secrets:
        endpoints.insert(0, Route("/events", webhooks.receive, methods=vendor_webhooks.METHODS))
    return [*mounts, Mount("/webhooks", app=app_for_programs(desk, endpoints))]
