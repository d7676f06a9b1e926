"""The page on which a person chooses language, appearance and keys."""

from __future__ import annotations

from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.ledger import preferences
from activities.ledger.preferences import Preferences
from billing.errors import NotAllowed, Refused
from starter.web.desk import check_csrf, desk_of, flash, local_path, now, words_for
from starter.web.forms import Form, read_form
from starter.web.languages import CHOICES
from starter.web.words import Words


def page(request: Request) -> Response:
    """What there is to choose, and what is chosen."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        if desk.person(request) is None:
            return RedirectResponse(f"/sign-in?{urlencode({'back': '/preferences'})}", 303)
        return desk.serve(request, tx, "preferences.html", choices=CHOICES)


def words_of(request: Request, tx: Session) -> Words:
    """The words of who is before the page: by what they chose, else by what the browser asks for."""
    person = desk_of(request).person(request)
    return words_for(request, preferences.of(tx, person.id) if person else Preferences())


async def change(request: Request) -> Response:
    """Keeps what was chosen, and leads back."""
    form = await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    said = await run_in_threadpool(_keep, request, form)
    flash(request, "done", said)
    return RedirectResponse(local_path(form.get("back", "/preferences")), 303)


def _keep(request: Request, form: Form) -> str:
    desk, language = desk_of(request), form.get("language") or None
    if language is not None and language not in CHOICES:
        raise Refused(f"there is no language {language[:20]!r}; there are: {', '.join(CHOICES)}")
    chosen = Preferences(
        language=language, appearance=form.get("appearance", ""), shortcuts=form.get("shortcuts") == "on"
    )
    with desk.ledger.transaction() as tx:
        person = desk.person(request)
        if person is None:
            raise NotAllowed("sign in first: preferences are a person's own")
        preferences.keep(tx, person.id, chosen, at=now())
    return words_for(request, chosen).gettext("Your preferences are kept.")
