"""Tokens of the API: one's own, and for an admin everybody's. A new one is shown on the page it was made by, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.languages.catalogue import message
from activities.ledger import api_tokens
from billing.errors import BillowError, Refused
from billing.roles import Role
from billing.scopes import Scope
from starter.web.desk import Desk, check_csrf, desk_of, flash, now
from starter.web.forms import Form, read_form
from starter.web.guests import Guest, guest_of
from starter.web.orders import Order

RUNS = (30, 90, 366)
"""Days a token may run, on the page; the command line takes any number up to the longest."""

USES = {
    Scope.READ: message("read everything"),
    Scope.BILL: message("bill, and enter hours, spend and progress"),
    Scope.COLLECT: message("book payments, follow up"),
    Scope.DECIDE: message("decide approvals and exceptions"),
    Scope.ADMINISTER: message("change the company, tokens and absences"),
}
LONGEST_NAME = 60


def page(request: Request) -> Response:
    """The tokens there are, and the form for another."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        return desk.serve(request, tx, "tokens.html", **_shown(tx, request), made=None)


async def make(request: Request) -> Response:
    """Makes a token and shows it, this once; sent again, it is refused, for its name is taken."""
    desk, form = desk_of(request), await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    try:
        return await run_in_threadpool(_make, desk, request, form)
    except BillowError as refusal:
        flash(request, "refused", str(refusal))
        return RedirectResponse("/tokens", 303)


def _make(desk: Desk, request: Request, form: Form) -> Response:
    guest = guest_of(request)
    if guest is None or guest.person is None:
        raise Refused("nobody is signed in here any more; sign in and repeat it")
    name, days = form.get("name", ""), form.get("days", "")
    scopes = [each for each in Scope if f"scope-{each}" in form and guest.role.reaches(each.least)]
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused(f"say in up to {LONGEST_NAME} letters which program the token is for")
    if days not in map(str, RUNS):
        raise Refused("say how long the token is to run")
    with desk.ledger.transaction() as tx:
        token = api_tokens.create(tx, name, guest.person.id, scopes=scopes, days=int(days), at=now())
        made = {"name": name, "token": token}
        return desk.serve(request, tx, "tokens.html", **_shown(tx, request), made=made)


def _shown(tx: Session, request: Request) -> dict[str, Any]:
    guest = guest_of(request) or Guest(None, Role.VIEWER)
    everybody = guest.role.reaches(Role.ADMIN)
    whose = None if everybody else guest.person.id if guest.person else ""
    return {
        "tokens": api_tokens.listed(tx, whose),
        "everybody": everybody,
        "uses": {each: USES[each] for each in Scope if guest.role.reaches(each.least)},
        "runs": RUNS,
        "longest_name": LONGEST_NAME,
    }


def _revoke(order: Order) -> str:
    owner = None if order.role.reaches(Role.ADMIN) else order.by
    with order.ledger.transaction() as tx:
        row = api_tokens.revoke(tx, order["token"], owner=owner, at=order.at)
        return f"The token {row.name} is ended; its program is refused from now on."


COMMANDS: Mapping[str, Callable[[Order], str]] = {"revoke-token": _revoke}
