"""Reading what programs send: so many bytes of JSON and not one more."""

from __future__ import annotations

import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from starter.web.problems import Unprocessable

Value = TypeVar("Value")


def media_type(request: Request, known: Collection[str]) -> str:
    """The content type without parameters; 415 unless it is known and in UTF-8."""
    said = request.headers.get("content-type", "")
    kind, *parameters = said.split(";")
    pairs = (each.partition("=") for each in parameters)
    charset = {name.strip().lower(): value.strip(' "').lower() for name, _, value in pairs}.get("charset", "")
    if kind.strip().lower() not in known or charset not in ("", "utf-8"):
        raise HTTPException(415, f"Send {' or '.join(sorted(known))} in UTF-8, not {said[:80] or 'nothing'}.")
    return kind.strip().lower()


def only_posted(request: Request) -> None:
    """405 for any other method."""
    if request.method != "POST":
        raise HTTPException(405, headers={"Allow": "POST"})


async def read_body(request: Request, most: int) -> bytes:
    """The body; 413 as soon as it is larger than `most` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise HTTPException(413, f"That is more than {most // 1024} KB. Nothing was changed.")
    return bytes(body)


async def json_body(request: Request, most: int) -> Any:
    """The JSON of a request, of so many bytes at most; 415, 413 or 400 otherwise."""
    media_type(request, ("application/json",))
    return json_of(await read_body(request, most))


def json_of(body: bytes) -> Any:
    """The JSON of a body, its numbers exact; 400 if it is none, or says one thing twice."""
    try:
        return json.loads(
            _text(body), parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"The body is not JSON in UTF-8: {str(error)[:200]}.") from error


def _text(body: bytes) -> str:
    text = body.decode()
    if "\\u0000" in text:  # the ledger cannot keep it, wherever it stands
        raise ValueError("it has a NUL character in it")
    return text


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return made


def value_of(shape: TypeAdapter[Value], data: Any) -> Value:
    """The data in that shape; `Unprocessable` with all that is wrong in it."""
    try:
        return shape.validate_python(data)
    except ValidationError as error:
        raise Unprocessable.of(error) from error
