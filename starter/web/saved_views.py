"""Lists kept under a name: one's own, or shared with everybody."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.languages.catalogue import message
from activities.ledger import saved_views
from billing.errors import BillowError, NotAllowed
from starter.web.desk import check_csrf, desk_of, flash, now
from starter.web.forms import Form, id_of, read_form
from starter.web.invoice_list import PATH
from starter.web.invoice_query import filter_of, query_of
from starter.web.preferences import words_of


async def save(request: Request) -> Response:
    """Keeps the list of invoices that is shown under a name; the same name is given anew."""
    form = await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    await run_in_threadpool(_done, request, form, _save)
    return RedirectResponse(_list(form), 303)


async def remove(request: Request) -> Response:
    """Forgets a list of one's own."""
    form = await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    await run_in_threadpool(_done, request, form, _remove)
    return RedirectResponse(_list(form), 303)


def _done(request: Request, form: Form, act: Callable[[Session, str, Form], tuple[str, str]]) -> None:
    """Does it, and says on the next page what was done, or why not."""
    desk = desk_of(request)
    try:
        with desk.ledger.transaction() as tx:
            person = desk.person(request)
            if person is None:
                raise NotAllowed("sign in first: views are kept for a person")
            said, name = act(tx, person.id, form)
            text = words_of(request, tx).gettext(said, name=name)
    except BillowError as refusal:
        flash(request, "refused", str(refusal))
    else:
        flash(request, "done", text)


def _save(tx: Session, person: str, form: Form) -> tuple[str, str]:
    shared = form.get("shared") == "on"
    view = saved_views.save(tx, person, PATH, form.get("name", ""), _query(form), shared=shared, at=now())
    return message("The view %(name)s is kept."), view.name


def _remove(tx: Session, person: str, form: Form) -> tuple[str, str]:
    view = saved_views.remove(tx, person, id_of(form.get("view", ""), "view"))
    return message("The view %(name)s is removed."), view.name


def _query(form: Form) -> str:
    return query_of(filter_of(dict(parse_qsl(form.get("query", "")[:2000])), 1))


def _list(form: Form) -> str:
    query = _query(form)
    return f"{PATH}?{query}" if query else PATH
