"""The API described as OpenAPI 3.1: what FastAPI knows, and what is the same for every operation."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from starter.web import problem_types
from starter.web.api.routes import OTHER_ANSWER, OTHER_BODY, OWN_KEYS
from starter.web.permissions import rule_of

_MARKS = (OTHER_ANSWER, OTHER_BODY, OWN_KEYS)

_ABOUT = """\
Everything the pages do, for programs. Amounts are decimal strings with a currency beside them, instants RFC 3339 in
UTC, days ISO 8601. Each request speaks for a person: `Authorization: Bearer TOKEN`, made on the page Tokens or by
`billow api-token create NAME`, with scopes.

A POST with an `Idempotency-Key` is carried out once; sent again within 7 days, it gets the same answer. Every answer
to a GET has an `ETag` for `If-None-Match`; a command about something takes the one under which it was read as
`If-Match`. Lists have pages: `next` is the `cursor` of the next one, null on the last.
What fails is told as problem details (RFC 9457), its `type` stable."""

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "enum": [f"{problem_types.BASE}{name}" for name in problem_types.TYPES] + ["about:blank"],
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "for people; it may change"},
        "errors": {
            "type": "array",
            "description": "each fault with its place: a JSON pointer into the body, or a parameter",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string"},
                    "parameter": {"type": "string"},
                    "in": {"type": "string", "enum": ["address", "query", "header"]},
                    "file": {"type": "string"},
                    "line": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

_ALWAYS = (401, 403, 406, 422, 429, 500, 503)
_OF_BODIES = (400, 413, 415)

_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "the caller's own key: sent again, the request gets the same answer and does nothing",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
}
_ETAG: dict[str, Any] = {"description": "of what is shown", "schema": {"type": "string"}}


def of(app: FastAPI, prefix: str) -> dict[str, Any]:
    """The description of the operations there are."""
    routes = [each for each in app.router.routes if isinstance(each, APIRoute) and each.include_in_schema]
    made = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=_ABOUT,
        routes=routes,
        servers=[{"url": prefix}],
    )
    schemas = made["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = _PROBLEM
    made["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "a token that speaks for a person"}
    }
    for route in routes:
        for method in route.methods or ():
            _complete(made["paths"][route.path_format][method.lower()], method, f"{prefix}{route.path}")
    return made


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    """Adds who may, how it is repeated, and what may go wrong."""
    for each in _MARKS:
        operation.pop(each, None)
    rule = rule_of(method, path, {})
    if rule is not None and rule.role is not None:
        operation["security"] = [{"token": []}]
        operation["x-role"], operation["x-scope"] = str(rule.role), str(rule.scope)
    said = operation["responses"]
    wrong = {*_ALWAYS, *(_OF_BODIES if "requestBody" in operation else ())}
    if method == "GET":
        said["200"]["headers"] = {"ETag": _ETAG}
        said["304"] = {"description": "Nothing has changed since"}
    else:
        operation.setdefault("parameters", []).append(_KEY)
        wrong |= {400, 409, 413, 415}
    wrong |= {int(status) for status in said if status >= "400"}
    for status in sorted(wrong):
        said[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
