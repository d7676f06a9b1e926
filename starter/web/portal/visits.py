"""A visit by a link: whom it lets see what, how often, and in which words it is answered."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel import negotiate_locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from activities.documents.look import LookFiles
from activities.documents.typography import Typography, typography
from activities.languages.catalogue import LANGUAGES, SOURCE, catalogue
from activities.languages.templating import translated
from activities.ledger import collection, company_records, invoices, looks, portal_links
from activities.ledger.tables import InvoiceRow, PortalLinkRow
from billing.company import Company
from billing.draft import Draft
from starter.web.desk import Desk, now
from starter.web.limits import site_of
from workers.web_secret import accepted

WRONG_LINKS = RateLimitItemPerMinute(30)
"""From one address: more is somebody who tries, or a broken program."""

LOOKS = RateLimitItemPerMinute(120)
DOWNLOADS = RateLimitItemPerMinute(30)
ACTS = RateLimitItemPerHour(40)
"""By one link."""

_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store",
}


class NothingHere(Exception):
    """The link leads nowhere; nobody is told why."""


class TooMany(Exception):
    """So often nobody looks who only looks."""


@dataclass(frozen=True)
class Visit:
    """One look through a valid link, inside one transaction."""

    token: str
    link: PortalLinkRow
    row: InvoiceRow
    company: Company
    draft: Draft
    look: LookFiles
    writes: Typography
    at: datetime

    @property
    def today(self) -> date:
        """The day it is for the client."""
        return collection.client_today(self.row, self.company, self.at)


class Portal:
    """What all visits share. Safe to use from several threads."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._secrets = [
            hashlib.sha256(b"portal\0" + each.encode()).digest() for each in accepted(desk.settings.home)
        ]
        self.stand_in = desk.settings.web_url if desk.settings.development else ""
        self._limits = MovingWindowRateLimiter(MemoryStorage())
        self._templates = _environment()

    def visit(
        self, request: Request, tx: Session, *, lock: bool = False, may: RateLimitItem = LOOKS
    ) -> Visit:
        """Who comes by a valid link. `NothingHere` for every other, `TooMany` for who comes too often."""
        token, at = str(request.path_params.get("token", "")), now()
        found = portal_links.find(tx, token, at=at)
        if found is None:
            self._count(WRONG_LINKS, site_of(request.client.host if request.client else ""))
            raise NothingHere
        self._count(may, token)
        link, row = found
        if lock:
            row = invoices.locked(tx, row.id)
        current = company_records.current(tx)
        draft = invoices.draft_of(row)
        look = looks.of_issuer(tx, current.version, row.issuer or "")
        own = look.languages.get(draft.language)
        writes = typography(draft.language, draft.buyer.address.country, own)
        return Visit(token, link, row, current.company, draft, look, writes, at)

    def form_secret(self, token: str) -> str:
        """What every form of a link carries: whoever has not read the page cannot send one."""
        return _signed(self._secrets[0], token)

    def is_own_form(self, token: str, secret: str) -> bool:
        """Whether a form was on our page."""
        return any(
            hmac.compare_digest(_signed(each, token).encode(), secret.encode()) for each in self._secrets
        )

    def page(self, template: str, values: dict[str, Any], status: int = 200) -> Response:
        """A page with the headers of the portal; `values` hold `catalogue` and `style`."""
        nonce = secrets.token_urlsafe(16)
        html = self._templates.get_template(f"{template}.html").render(values | {"nonce": nonce})
        policy = (
            f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        return HTMLResponse(html, status, _HEADERS | {"Content-Security-Policy": policy})

    def plain_page(self, request: Request, template: str, status: int) -> Response:
        """A page without anything of anybody, in the language of the browser."""
        words = catalogue(_language(request))
        return self.page(template, {"catalogue": words, "language": words.language, "style": ""}, status)

    def _count(self, limit: RateLimitItem, whom: str) -> None:
        if not self._limits.hit(limit, str(limit), whom):
            raise TooMany


def portal_of(request: Request) -> Portal:
    """The portal a request came to."""
    portal: Portal = request.app.state.portal
    return portal


def private(answer: Response) -> Response:
    """An answer that is not a page, with the headers of the portal."""
    answer.headers.update(_HEADERS)
    return answer


def _signed(secret: bytes, token: str) -> str:
    return hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()


def _language(request: Request) -> str:
    wanted = [each.split(";")[0].strip() for each in request.headers.get("accept-language", "").split(",")]
    return negotiate_locale([each[:2].lower() for each in wanted[:10] if each], LANGUAGES) or SOURCE


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    translated(made)
    made.filters["whole"] = Decimal
    return made
