"""Who sits before the page. In development a person of the company is chosen by a click."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from billing.company import Company
from starter.web.desk import check_csrf, desk_of, flash, local_path
from starter.web.forms import read_form

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
    """The people of the company, one click each."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        return desk.serve(request, tx, "sign_in.html", back=local_path(request.query_params.get("back", "/")))


async def begin(request: Request) -> Response:
    """Signs a person in, in a new session."""
    desk = desk_of(request)
    form = await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    if not desk.can_sign_in:
        raise HTTPException(403, "Sign-in is not configured.")
    company = await run_in_threadpool(_company, request)
    person = company.people_by_id.get(form.get("person", "")) if company else None
    if person is None:
        flash(request, "refused", "That is not a person of this company.")
        return RedirectResponse("/sign-in", 303)
    request.session.clear()
    request.session["person"] = person.id
    return RedirectResponse(local_path(form.get("back", "/")), 303)


async def end(request: Request) -> Response:
    """Signs out."""
    check_csrf(request, (await read_form(request)).get("csrf", ""))
    request.session.clear()
    return RedirectResponse("/sign-in", 303)


def _company(request: Request) -> Company | None:
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        return desk.company(tx)
