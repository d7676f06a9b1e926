"""The doors of the app: before every route that is not open, the one place that says who comes in and who does not."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from billing.errors import NotAllowed
from billing.roles import Role, role_of
from starter.web import callers, permissions
from starter.web.desk import Desk, flash, local_path, now
from starter.web.guests import Guest, let_in
from starter.web.permissions import Rule

log = logging.getLogger(__name__)

API = "/api/"
"""Programs come in here, with a token; everywhere else people do, with a browser."""


def every_route(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str, BaseRoute]]:
    """Each route there is as method (`*`: any), path as written, route; those of apps within apps too."""
    for each in routes:
        path = prefix + getattr(each, "path", "")
        within = getattr(each, "routes", None)
        if within:
            yield from every_route(within, path)
        elif isinstance(each, Mount):
            yield "*", path, each
        else:
            methods = set(getattr(each, "methods", None) or ()) - {"HEAD"}
            wanted = {"*"} if len(methods) > 1 and permissions.RULES.get(f"* {path}") else methods or {"*"}
            for method in sorted(wanted):
                yield method, path, each


def keep(routes: Sequence[BaseRoute]) -> None:
    """Puts a door before every route that is not open. LookupError for one without a rule."""
    kept: set[int] = set()
    for method, path, route in every_route(routes):
        if path == permissions.COMMANDS:
            rule: Rule | None = Rule(Role.VIEWER)
        else:
            rule = permissions.rule_of(method, path, {})
        if rule is None:
            raise LookupError(
                f"{method} {path} has no rule: say in starter/web/permissions.py who may do that"
            )
        if rule.role is not None and id(route) not in kept:
            if not isinstance(route, Route):
                raise LookupError(f"{path} is no route a door can be put before: open it, or give it routes")
            route.app = Door(route.app, path)
            kept.add(id(route))


class Door:
    """Lets a request through to its route, or says why not: 303 to the sign-in, 401, 403."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.leads_to, self._path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        rule = permissions.rule_of(request.method, self._path, request.path_params)
        if rule is None:
            raise HTTPException(404, "There is no such command.")
        if self._path.startswith(API):
            request.state.caller = await callers.admit(request, rule)
        else:
            guest = await run_in_threadpool(_guest, request, rule)
            if guest is None:
                await _to_sign_in(request)(scope, receive, send)
                return
            let_in(request, guest)
        await self.leads_to(scope, receive, send)


def _guest(request: Request, rule: Rule) -> Guest | None:
    """Who comes in; None if they must say first who they are."""
    desk: Desk = request.app.state.desk
    least = rule.role or Role.VIEWER
    if not desk.can_sign_in:
        if not desk.serves_locally(request):
            raise HTTPException(403, "Sign-in is not configured, so nothing is shown to the network.")
        if least is not Role.VIEWER:
            raise HTTPException(403, "Sign-in is not configured, so nobody can decide anything here.")
        return Guest(None, Role.VIEWER)
    with desk.ledger.transaction() as tx:
        found = desk.signed_in(request, tx, now())
    if found is None:
        return None
    person, since = found
    role = role_of(person)
    if not role.reaches(least):
        log.warning("%s (%s) was refused %s %s", person.id, role, request.method, request.url.path)
        raise NotAllowed(not_enough(person.name, role, least))
    return Guest(person, role, since)


def not_enough(name: str, role: Role, least: Role) -> str:
    """Why somebody may not do something, and what to do about it."""
    return (
        f"{name} has the role {role}, and this needs the role {least}; nothing was changed. "
        "Roles are given in people.yaml of the company folder."
    )


def _to_sign_in(request: Request) -> Any:
    """To the sign-in, and back afterwards; a form is not sent again: it says that nothing was changed."""
    if request.method in ("GET", "HEAD"):
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    else:
        flash(request, "refused", "nobody is signed in here any more; sign in and repeat it")
        here = _came_from(request)
    return RedirectResponse(f"/sign-in?{urlencode({'back': here})}", 303)


def _came_from(request: Request) -> str:
    origin, came = f"{request.url.scheme}://{request.url.netloc}", request.headers.get("referer", "")
    return local_path(came.removeprefix(origin)) if came.startswith(f"{origin}/") else "/"
