"""Who sits before the page: signed in by the company's provider, in development by choosing a person."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.ledger import sign_ins
from billing.parties import Person
from billing.roles import role_of
from starter.web.desk import SIGN_IN, Desk, check_csrf, desk_of, flash, local_path, now
from starter.web.forms import read_form
from starter.web.guests import guest_of
from starter.web.permissions import DUTIES
from workers.settings import Settings

CHOSEN = "chosen in development"
"""How a person proved who they are where nobody has to."""


def cookie(settings: Settings) -> str:
    """The name of the session's cookie; on https one that no other host of the domain can set."""
    return "__Host-billow" if settings.web_url.startswith("https:") else "billow"


SECRET_VARIABLE, SECRET_FILE = "BILLOW_SECRET", "web-secret"


def secret(home: Path) -> str:
    """What sessions are signed with: `BILLOW_SECRET`, or a file in the home that only its owner reads."""
    if given := os.environ.get(SECRET_VARIABLE):
        return given
    file = home / SECRET_FILE
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if kept := file.read_text(encoding="ascii").strip():
            return kept
        descriptor = os.open(file, os.O_WRONLY | os.O_TRUNC, 0o600)
    made = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(made)
    return made


def page(request: Request) -> Response:
    """How to sign in: by the provider, in development as anybody of the company."""
    desk = desk_of(request)
    if not desk.can_sign_in and not desk.serves_locally(request):
        raise HTTPException(403, "Sign-in is not configured, so nothing is shown to the network.")
    back = local_path(request.query_params.get("back", "/"))
    with desk.ledger.transaction() as tx:
        found = desk.signed_in(request, tx, now())
        company = desk.company(tx)
        people = company.people if company and desk.settings.development else ()
        roles = sorted(
            ((role_of(each), each) for each in people),
            key=lambda one: list(DUTIES).index(one[0]),
            reverse=True,
        )
        return desk.serve(
            request,
            tx,
            "sign_in.html",
            counts=None,
            back=back,
            roles=roles,
            duties=DUTIES,
            provider=None,
            already=found[0] if found else None,
        )


async def begin(request: Request) -> Response:
    """Signs a person in who was chosen; only in development."""
    desk = desk_of(request)
    form = await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    if not desk.settings.development:
        raise HTTPException(403, "Nobody is chosen here: this is not a development installation.")
    person = await run_in_threadpool(_chosen, desk, form.get("person", ""))
    if person is None:
        flash(request, "refused", "That is not a person of this company.")
        return RedirectResponse("/sign-in", 303)
    await run_in_threadpool(sign_in, request, person, CHOSEN)
    return RedirectResponse(local_path(form.get("back", "/")), 303)


def sign_in(request: Request, person: Person, how: str, subject: str = "") -> None:
    """Signs the person in, in a session with nothing in it from before; who was signed in here is signed out."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        if before := request.session.get(SIGN_IN):
            sign_ins.end(tx, str(before), at=now())
        secret = sign_ins.begin(tx, person.id, how=how, subject=subject, at=now())
    request.session.clear()
    request.session[SIGN_IN] = secret


async def end(request: Request) -> Response:
    """Signs out in this browser."""
    check_csrf(request, (await read_form(request)).get("csrf", ""))
    await run_in_threadpool(_sign_out, desk_of(request), str(request.session.get(SIGN_IN) or ""))
    request.session.clear()
    return RedirectResponse("/sign-in", 303)


async def end_everywhere(request: Request) -> Response:
    """Signs out in every browser the person is signed in with."""
    check_csrf(request, (await read_form(request)).get("csrf", ""))
    guest = guest_of(request)
    if guest is not None and guest.person is not None:
        await run_in_threadpool(_sign_out_everywhere, desk_of(request), guest.person.id)
    request.session.clear()
    return RedirectResponse("/sign-in", 303)


def _sign_out(desk: Desk, secret: str) -> None:
    with desk.ledger.transaction() as tx:
        sign_ins.end(tx, secret, at=now())


def _sign_out_everywhere(desk: Desk, person: str) -> None:
    with desk.ledger.transaction() as tx:
        sign_ins.end_all(tx, person, at=now())


def _chosen(desk: Desk, key: str) -> Person | None:
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
    return company.people_by_id.get(key) if company else None
