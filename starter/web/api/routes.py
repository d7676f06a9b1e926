"""What every operation of the API does alike: reads JSON exactly, keeps answers by key, and marks what it shows.

An operation is a function of a caller and of what was sent; FastAPI checks and describes both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from activities.ledger import idempotency_keys
from activities.ledger.idempotency_keys import Answer
from billing.errors import BillowError
from starter.web.bodies import json_of, media_type, read_body
from starter.web.callers import Caller, caller_of
from starter.web.problems import Unprocessable
from starter.web.validation import faults_of_request

LARGEST = 256 * 1024
"""Bytes of a body of JSON."""

OWN_KEYS = "x-own-keys"
"""Marks operations that know what they did before by the ledger alone."""

OTHER_BODY = "x-other-body"
"""Marks operations that take something else than JSON: how many bytes of which media types."""

OTHER_ANSWER = "x-other-answer"
"""Marks operations that answer something else than JSON."""

_KEPT_HEADERS = ("etag", "location")

Called = Annotated[Caller, Depends(caller_of)]
"""Who asks, let in by the door."""


class ExactRequest(Request):
    """A request whose JSON keeps its figures exact, and which is never read beyond its limit."""

    taken: tuple[int, tuple[str, ...]] | None = None
    """How many bytes of which media types, where it is not JSON."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            most, types = self.taken or (LARGEST, ("application/json",))
            if self.taken is not None or self.headers.get("content-type"):
                media_type(self, types)
            self._body = await read_body(self, most)
            if self._body:
                media_type(self, types)
        return self._body

    async def json(self) -> Any:
        return json_of(await self.body())


class Operation(APIRoute):
    """A route of the API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, marks = super().get_route_handler(), self.openapi_extra or {}

        async def carried_out(request: Request) -> Response:
            if not marks.get(OTHER_ANSWER):
                _check_accepted(request)
            exact = ExactRequest(request.scope, request.receive)
            exact.taken = marks.get(OTHER_BODY)
            try:
                if request.method == "GET":
                    return _marked(request, await handle(exact))
                if marks.get(OWN_KEYS):
                    return await handle(exact)
                return await _once(exact, handle)
            except RequestValidationError as error:
                raise Unprocessable(faults_of_request(error.errors())) from error

        return carried_out


def operations(tag: str) -> APIRouter:
    """The operations about one thing."""
    return APIRouter(route_class=Operation, tags=[tag])


def _check_accepted(request: Request) -> None:
    said = request.headers.get("accept", "*/*") or "*/*"
    kinds = [each.split(";")[0].strip().lower() for each in said.split(",")]
    if not {"*/*", "application/*", "application/json", "application/problem+json"} & set(kinds):
        raise HTTPException(406, "This is answered as application/json; accept that.")


def _marked(request: Request, answer: Response) -> Response:
    """With the ETag of what is shown; 304 for whoever has just that (RFC 9110, 13.1.2)."""
    if answer.status_code != 200 or not isinstance(getattr(answer, "body", None), bytes):
        return answer
    answer.headers.setdefault("etag", f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"')
    answer.headers.setdefault("cache-control", "private, no-cache")
    answer.headers.setdefault("vary", "Authorization")
    if named(request.headers.get("if-none-match"), answer.headers["etag"]):
        kept = {name: answer.headers[name] for name in ("etag", "cache-control", "vary")}
        return Response(status_code=304, headers=kept)
    return answer


def named(said: str | None, etag: str) -> bool:
    """Whether If-None-Match or If-Match names this ETag, or any."""
    tags = [each.strip().removeprefix("W/") for each in (said or "").split(",")]
    return etag in tags or tags == ["*"]


async def _once(
    request: ExactRequest, handle: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    """Carries out a request with a key once; sent again, it gets the same answer."""
    caller: Caller = request.state.caller
    key = caller.key
    if key is None:
        return await handle(request)
    asked = _fingerprint(request, await request.body())
    before = await run_in_threadpool(_take, caller, key, asked)
    if before is not None:
        return JSONResponse(before.content, before.status, before.headers | {"idempotency-replayed": "true"})
    try:
        answer = await handle(request)
    except (BillowError, HTTPException, RequestValidationError, Unprocessable):
        # nothing was changed, so the key may be tried again; after any other failure nobody knows that
        await run_in_threadpool(_free, caller, key)
        raise
    await run_in_threadpool(_keep, caller, key, answer)
    return answer


def _fingerprint(request: Request, body: bytes) -> str:
    said = [request.method, request.url.path, request.url.query, request.headers.get("if-match", "")]
    return hashlib.sha256("\n".join(said).encode() + b"\n" + body).hexdigest()


def _take(caller: Caller, key: str, asked: str) -> Answer | None:
    with caller.ledger.transaction() as tx:
        return idempotency_keys.take(tx, caller.person, key, asked, at=caller.at)


def _keep(caller: Caller, key: str, answer: Response) -> None:
    headers = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
    content = json.loads(bytes(answer.body))
    with caller.ledger.transaction() as tx:
        idempotency_keys.keep(tx, caller.person, key, Answer(answer.status_code, headers, content))


def _free(caller: Caller, key: str) -> None:
    with caller.ledger.transaction() as tx:
        idempotency_keys.free(tx, caller.person, key)
