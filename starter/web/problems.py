"""What programs are told when something fails: problem details (RFC 9457), never internals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from billing.errors import BillowError
from starter.web import problem_types
from starter.web.desk import Desk
from starter.web.validation import faults_of_body

log = logging.getLogger(__name__)


class Unprocessable(Exception):
    """JSON that is not what was asked for; `errors` says where and why."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(each["detail"] for each in errors))
        self.errors = errors

    @classmethod
    def of(cls, error: ValidationError) -> Unprocessable:
        """What the model found wrong, each with a JSON pointer; nothing of what was sent is repeated."""
        return cls(faults_of_body(error.errors(include_url=False, include_input=False)))


def app_for_programs(desk: Desk, routes: list[Route]) -> Starlette:
    """These routes as an app of their own, whose every failure is a problem in JSON."""
    app = Starlette(routes=routes, exception_handlers=HANDLERS)
    app.state.desk = desk
    return app


def problem(
    status: int, detail: str, headers: dict[str, str] | None = None, *, kind: str | None = None, **more: Any
) -> Response:
    """An answer with what is wrong, for people, and what programs need besides; `kind` is one of `problem_types`."""
    name = kind or problem_types.of_status(status)
    content = {
        "type": f"{problem_types.BASE}{name}" if name else "about:blank",
        "title": problem_types.TYPES[name].title if name else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return JSONResponse(content | more, status, headers, media_type="application/problem+json")


def _refused(_request: Request, error: Exception) -> Response:
    kind = problem_types.of_error(error)
    return problem(problem_types.TYPES[kind].status, str(error), kind=kind)


def _unprocessable(_request: Request, error: Exception) -> Response:
    errors = error.errors if isinstance(error, Unprocessable) else []
    return problem(422, "What was sent cannot be used. Nothing was changed.", errors=errors)


def _http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return problem(500, "Something went wrong.")
    plain = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != plain else "There is nothing like this at this address."
    return problem(error.status_code, detail, dict(error.headers or {}))


def _database_down(_request: Request, error: Exception) -> Response:
    log.warning("the database does not serve: %s", error.__class__.__name__)
    return problem(
        503, "The database does not answer now. Nothing was changed; send it again.", {"Retry-After": "5"}
    )


def _unexpected(_request: Request, _error: Exception) -> Response:
    return problem(500, "Something went wrong on our side, and it was logged. Send it again later.")


HANDLERS: Mapping[Any, Callable[[Request, Exception], Response]] = {
    BillowError: _refused,
    Unprocessable: _unprocessable,
    HTTPException: _http,
    OperationalError: _database_down,
    InterfaceError: _database_down,
    PoolTimeout: _database_down,
    ProgrammingError: _database_down,
    Exception: _unexpected,
}
"""What each failure is told as."""
