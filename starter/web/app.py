"""The web app put together: routes, sessions, headers, and what is shown when something fails."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from activities.ledger import sign_ins
from activities.ledger.database import Ledger
from billing.errors import BillowError
from starter.web import (
    absences,
    agreements,
    api,
    approvals,
    bank,
    billing_by_hand,
    clients,
    credit_preview,
    dispute_files,
    documents,
    doors,
    draft_pdf,
    exceptions,
    failures,
    health,
    inbox,
    integrations,
    invoice_export,
    invoice_list,
    invoices,
    mailbox,
    money,
    own_sign_ins,
    page_pictures,
    policies,
    preferences,
    runs,
    saved_views,
    sent_messages,
    sign_in,
    signed_links,
    stand_in_checkout,
    tokens,
    vendor_webhooks,
    webhooks,
)
from starter.web.commands import command
from starter.web.desk import Desk
from starter.web.headers import SecurityHeaders
from starter.web.limits import RateLimits, limits_of
from starter.web.openid import CALLBACK
from starter.web.portal import app_for_clients
from starter.web.problems import app_for_programs
from starter.web.session_cookie import SessionCookie
from workers.settings import Settings
from workers.web_secret import accepted


def create_app(settings: Settings, ledger: Ledger) -> Starlette:
    """The web app on this ledger; it answers `/healthz` even while the database is down.

    Sessions are signed with `BILLOW_SECRET`, or with a secret kept in the home and made at the first start; what
    the one before has signed counts as long as it stands in `BILLOW_SECRET_PREVIOUS`.
    """
    desk = Desk(settings, ledger)
    routes = [
        Route("/", inbox.page),
        Route("/approvals/{id:int}", approvals.page),
        Route("/approvals/{id:int}/draft.pdf", draft_pdf.draft_pdf),
        Route("/approvals/{id:int}/draft/pages", page_pictures.of_draft),
        Route("/approvals/{id:int}/draft/pages/{number:int}.png", page_pictures.draft_page),
        Route("/exceptions/{id:int}", exceptions.page),
        Route("/d/{token}", signed_links.page),
        Route("/d/{token}", signed_links.decide, methods=["POST"]),
        Route("/invoices", invoice_list.listing),
        Route("/invoices.csv", invoice_export.export),
        Route("/saved-views", saved_views.save, methods=["POST"]),
        Route("/saved-views/remove", saved_views.remove, methods=["POST"]),
        Route("/invoices/{reference:path}", invoices.detail),
        Route("/money", money.page),
        Route("/clients", clients.listing),
        Route("/clients/{client}", clients.detail),
        Route("/agreements", agreements.listing),
        Route("/agreements/{agreement}", agreements.detail),
        Route("/bill", billing_by_hand.choose),
        Route("/bill/agreement", billing_by_hand.agreement_form),
        Route("/bill/agreement", billing_by_hand.bill_agreement, methods=["POST"]),
        Route("/bill/one-off", billing_by_hand.one_off_form),
        Route("/bill/one-off", billing_by_hand.one_off, methods=["POST"]),
        Route("/bill/event", billing_by_hand.event_form),
        Route("/bill/event", billing_by_hand.event, methods=["POST"]),
        Route("/bank", bank.page),
        Route("/bank/statements", bank.take_in, methods=["POST"]),
        Route("/bank/statements/{statement:int}", bank.statement),
        Route("/policies", policies.page),
        Route("/runs", runs.listing),
        Route("/runs/{run}", runs.detail),
        Route("/integrations", integrations.listing),
        Route("/integrations/{connection}", integrations.detail),
        Route("/integrations/{connection}/message", integrations.message),
        Route("/credit-notes/preview", credit_preview.page),
        Route("/messages/{key:path}", sent_messages.page),
        Route("/message-bodies/{key:path}", sent_messages.html),
        Route("/documents/{sha256}", documents.document),
        Route("/documents/{sha256}/pages", page_pictures.of_document),
        Route("/documents/{sha256}/pages/{number:int}.png", page_pictures.document_page),
        Route("/disputes/{dispute:int}/files/{sha256}", dispute_files.file),
        Route("/commands/{name}", command, methods=["POST"]),
        Route("/sign-in", sign_in.page),
        Route("/sign-in/provider", sign_in.depart),
        Route(CALLBACK, sign_in.arrive),
        Route("/session", sign_in.begin, methods=["POST"]),
        Route("/session/end", sign_in.end, methods=["POST"]),
        Route("/session/end-everywhere", sign_in.end_everywhere, methods=["POST"]),
        Route("/absences", absences.page),
        Route("/tokens", tokens.page),
        Route("/tokens", tokens.make, methods=["POST"]),
        Route("/sign-ins", own_sign_ins.page),
        Route("/preferences", preferences.page),
        Route("/preferences", preferences.change, methods=["POST"]),
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
        Middleware(SecurityHeaders, https=settings.web_url.startswith("https:")),
        Middleware(
            SessionCookie,
            secrets=accepted(settings.home),
            session_cookie=sign_in.cookie(settings),
            max_age=int(sign_ins.LASTS.total_seconds()),
            same_site="lax",
            https_only=settings.web_url.startswith("https:"),
        ),
        Middleware(RateLimits, limits=limits_of(settings)),
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
    doors.keep(app.routes)
    return app


def _for_programs(desk: Desk) -> list[Mount]:
    """Events come in only where there is a secret to sign them with."""
    mounts = [Mount(api.PREFIX, app=api.app_for_api(desk))]
    endpoints = [Route("/{connection}", vendor_webhooks.receive, methods=vendor_webhooks.METHODS)]
    if desk.settings.signing_secrets:
        endpoints.insert(0, Route("/events", webhooks.receive, methods=vendor_webhooks.METHODS))
    return [*mounts, Mount("/webhooks", app=app_for_programs(desk, endpoints))]
