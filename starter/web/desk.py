"""The desk at which a request is served: who sits at it, and what every page shows around its own content."""

from __future__ import annotations

import hmac
import os
import secrets
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from activities.ledger import company_records, preferences, sign_ins, views
from activities.ledger.database import Ledger
from activities.ledger.preferences import Preferences
from billing.company import Company
from billing.errors import NotFound
from billing.parties import Person
from starter.web.guests import guest_of
from starter.web.languages import asked_for
from starter.web.navigation import OWN, PLACES, there_are
from starter.web.openid import Provider
from starter.web.vocabulary import BILLING_RUN, SYSTEMS
from starter.web.words import Words, environment, words
from workers.document_store import document_store
from workers.settings import Settings
from workflows.identifiers import invoice_workflow_id

SIGN_IN = "sign-in"
"""Where a browser's session keeps the secret of its sign-in."""

LIVE = "x-live"
"""Header of a page that looks at itself again: what is flashed belongs to the page a person opens."""

_OF_PROXIES = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"}
)
"""Headers that proxies and tunnels add and no browser sends, besides `X-Forwarded-…`."""

HOME_ZONE = "Europe/Berlin"
"""Shown while there is no company whose first issuer has a zone."""


class Desk:
    """What all requests share. Safe to use from several threads."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings, self.ledger = settings, ledger
        self.documents = document_store(settings)
        self.provider = _provider(settings)

    @property
    def can_sign_in(self) -> bool:
        """By a provider, or in development by choosing a person."""
        return self.settings.development or self.provider is not None

    def serves_locally(self, request: Request) -> bool:
        """Whether the request comes from this machine, from nobody else's by a proxy, and the app is not for others."""
        ends = (request.scope.get("server"), request.scope.get("client"))
        by_name = _is_loopback(request.url.hostname or "")
        direct = by_name and all(end and _is_loopback(end[0]) for end in ends) and not _is_handed_on(request)
        return self.settings.public_url is None and direct

    def is_meant(self, request: Request) -> bool:
        """Whether the request names this app as its host: another site's name that leads here is somebody's trick."""
        host, here = request.url.hostname or "", self.settings.web_host
        ours = {here, urlsplit(self.settings.web_url).hostname}
        return _is_anywhere(here) or host in ours or _is_loopback(host)

    def secret(self, variable: str) -> tuple[str, ...]:
        """The secrets in an environment variable: several, with blanks between, while one takes over from another."""
        return tuple(os.environ.get(variable, "").split())

    @property
    def shows_mailbox(self) -> bool:
        return self.settings.development and self.settings.mailbox is not None

    def workflow_url(self, billing_key: str) -> str | None:
        """The invoice's workflow in the Temporal UI, if there is one."""
        if self.settings.temporal_ui_url is None:
            return None
        base = self.settings.temporal_ui_url.rstrip("/")
        return f"{base}/namespaces/default/workflows/{quote(invoice_workflow_id(billing_key), safe='')}"

    def page(self, request: Request, template: str, context: dict[str, Any], status: int = 200) -> Response:
        """The template with what it needs; for pages outside `serve` without people and numbers."""
        chosen = context.get("preferences") or Preferences()
        around = {
            "company": None,
            "person": None,
            "preferences": chosen,
            "places": [
                each
                for each in there_are(PLACES, request.app.routes)
                if each.path != "/mailbox" or self.shows_mailbox
            ],
            "own_places": there_are(OWN, request.app.routes),
            "people": (),
            "counts": None,
            "zone": ZoneInfo(HOME_ZONE),
            "now": now(),
            "csrf": csrf_token(request),
            "flashes": () if LIVE in request.headers else _session(request).pop("flashes", []),
            "role": None,
            "path": request.url.path,
            "query": request.url.query,
            "can_sign_in": self.can_sign_in,
            "shows_mailbox": self.shows_mailbox,
        }
        templates = environment(words_for(request, chosen))
        return HTMLResponse(templates.get_template(template).render(around | context), status)

    def serve(self, request: Request, tx: Session, template: str, **context: Any) -> Response:
        """A page of the app, with its head: company, person, what waits."""
        company, at = self.company(tx), now()
        person = self.person(request)
        chosen = preferences.of(tx, person.id) if person else Preferences()
        around = {
            "company": company,
            "person": person,
            "preferences": chosen,
            "role": guest.role if (guest := guest_of(request)) else None,
            "people": company.people if company and self.settings.development else (),
            "names": SYSTEMS | _names(company, words_for(request, chosen)) if company else {},
            "counts": views.waiting(tx, at, person.id if person else None),
            "zone": zone_of(company),
            "now": at,
        }
        return self.page(request, template, around | context)

    def company(self, tx: Session) -> Company | None:
        """The company that runs, None before the first was applied."""
        try:
            return company_records.current(tx).company
        except NotFound:
            return None

    def person(self, request: Request) -> Person | None:
        """Who came in at the door of this page; nobody before an open one."""
        guest = guest_of(request)
        return guest.person if guest else None

    def signed_in(self, request: Request, tx: Session, at: datetime) -> tuple[Person, datetime] | None:
        """Who is signed in in this browser, and since when; nobody once the person has left the company."""
        secret = str(request.session.get(SIGN_IN) or "")
        row = sign_ins.find(tx, secret, at=at) if secret else None
        company = self.company(tx) if row else None
        person = company.people_by_id.get(row.person) if company and row else None
        return (person, row.began_at) if person and row else None


def _names(company: Company, said: Words) -> dict[str, str]:
    """What ids that act are called: people by their names, and what acts by itself."""
    runs = {company.billing_runs.requested_by: said.gettext(BILLING_RUN), "billow": "Billow"}
    return runs | {each.id: each.name for each in company.people}


def _provider(settings: Settings) -> Provider | None:
    client, secret = settings.oidc_client_id, settings.oidc_client_secret
    if settings.oidc_issuer is None or client is None or secret is None:
        return None
    return Provider(settings.oidc_issuer, client, secret.get_secret_value(), settings.web_url)


def desk_of(request: Request) -> Desk:
    """The desk of the app; who comes to it at all is settled at the doors."""
    desk: Desk = request.app.state.desk
    return desk


def now() -> datetime:
    return datetime.now(UTC)


def words_for(request: Request, chosen: Preferences) -> Words:
    """The words of the viewer: in the language chosen, else in one the browser asks for."""
    return words(chosen.language or asked_for(request.headers.get("accept-language", "")))


def zone_of(company: Company | None) -> ZoneInfo:
    """The zone in which the page writes and reads days."""
    return ZoneInfo(company.issuers[0].zone if company and company.issuers else HOME_ZONE)


def flash(request: Request, kind: str, text: str) -> None:
    """Shows a line on the next page: `done` or `refused`."""
    request.session["flashes"] = [*request.session.get("flashes", [])[-2:], [kind, text[:600]]]


def csrf_token(request: Request) -> str:
    """The token every form of this session carries."""
    token: str = _session(request).setdefault("csrf", secrets.token_urlsafe(24))
    return token


def _session(request: Request) -> dict[str, Any]:
    # a page about an unexpected error is made outside the sessions
    session: dict[str, Any] = request.scope.get("session", {})
    return session


def check_csrf(request: Request, token: str) -> None:
    """Refuses a form that did not come from our own page of this session."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise HTTPException(403, "This form came from another site. Nothing was changed.")
    known = request.session.get("csrf")
    if not known or not hmac.compare_digest(known.encode(), token.encode()):
        raise HTTPException(
            403, "This form is out of date. Nothing was changed: load the page again and repeat it."
        )


def local_path(target: str) -> str:
    """The path if it leads to a page of ours, the inbox otherwise."""
    ours = (
        target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    )
    return target if ours else "/"


def _is_handed_on(request: Request) -> bool:
    """Whether a proxy sent it: it says so, or speaks HTTP/1.0, as nginx does to those behind it and no browser does."""
    said = any(name in _OF_PROXIES or name.startswith("x-forwarded-") for name in request.headers)
    return said or request.scope.get("http_version") == "1.0"


def _is_anywhere(host: str) -> bool:
    """Whether the app listens on every interface, under names it cannot know."""
    return host in ("0.0.0.0", "::")  # noqa: S104


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
