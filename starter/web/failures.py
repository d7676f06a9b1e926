"""What is shown when something fails: words, never internals."""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from activities.languages.catalogue import message
from billing.errors import NotAllowed, NotFound, Refused, SourceUnavailable
from starter.web import problems
from starter.web.desk import Desk
from starter.web.guests import guest_of
from starter.web.headers import HEADERS

log = logging.getLogger(__name__)


def refused(request: Request, error: Exception) -> Response:
    """A rule refused to show or do it; its reason is for people."""
    status = next(
        (
            status
            for kind, status in ((NotFound, 404), (NotAllowed, 403), (SourceUnavailable, 503), (Refused, 409))
            if isinstance(error, kind)
        ),
        404,
    )
    title = message("Not found") if status == HTTPStatus.NOT_FOUND else message("That cannot be done")
    return _told_inside(request, status, title, str(error)[:1].upper() + str(error)[1:])


def http(request: Request, error: Exception) -> Response:
    """An answer of HTTP's own, such as 404 and 405."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    plain = HTTPStatus(status).phrase
    if request.url.path.startswith(
        "/api/"
    ):  # what no route of the API takes in, such as a line break in an address
        return problems.problem(status, "There is nothing like this at this address.")
    detail = error.detail if isinstance(error, HTTPException) and error.detail != plain else ""
    titles = {
        400: message("That cannot be shown"),
        403: message("Not allowed"),
        404: message("Not found"),
        405: message("Not like this"),
        413: message("Too large"),
    }
    return _told_inside(
        request, status, titles.get(status, plain), detail or "There is nothing at this address."
    )


def database_down(request: Request, error: Exception) -> Response:
    """The database does not answer: nothing is lost, nothing was changed."""
    log.warning("the database does not answer: %s", error.__class__.__name__)
    text = "The database does not answer now. Nothing was lost; this page works again as soon as it does."
    answer = told(request, 503, message("Back in a moment"), text)
    answer.headers["Retry-After"] = "5"
    return answer


def not_migrated(request: Request, error: Exception) -> Response:
    """The database has no tables of ours yet."""
    log.error("the database has not the tables this version needs", exc_info=error)
    return told(
        request,
        503,
        message("Not ready yet"),
        "The database has not the tables this version needs; `billow migrate` makes them.",
    )


def unexpected(request: Request, _error: Exception) -> Response:
    """A mistake of ours; the server's log has the details."""
    text = (
        "Something went wrong on our side, and it was logged. "
        "If you gave a command, look at the invoice before you repeat it."
    )
    answer = told(request, 500, message("Something went wrong"), text)
    answer.headers.update(HEADERS)
    return answer


def _told_inside(request: Request, status: int, title: str, text: str) -> Response:
    """The same, for somebody who is in: with the places of the app around it."""
    desk: Desk = request.app.state.desk
    if guest_of(request) is None:
        return told(request, status, title, text)
    with desk.ledger.transaction() as tx:
        answer = desk.serve(request, tx, "failure.html", title=title, text=text)
    answer.status_code = status
    return answer


def told(request: Request, status: int, title: str, text: str) -> Response:
    """A page that says what is the matter, for people."""
    desk: Desk = request.app.state.desk
    return desk.page(request, "failure.html", {"title": title, "text": text}, status)
