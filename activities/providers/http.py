"""Talking to a vendor: bounded in time and size, tried again where that may help, and told apart where it may not."""

from __future__ import annotations

import email.utils
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import httpx

from billing.errors import SourceClosed, SourceFaulty, SourceUnavailable

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes; a page of records is a hundredth of that."""

PATIENCE = 40.0
"""Seconds all tries of one call take together at most: less than the minute a step has."""

_LAST_MOMENT: ContextVar[float] = ContextVar("last_moment", default=float("inf"))

_LONGEST_PAUSE = 15.0
_FIRST_PAUSE = 0.5
_WHAT_TO_DO = {
    400: "it does not understand the request; check the field map in integrations.yaml",
    401: "it does not know the credentials; renew the token and set its environment variable anew",
    403: "the token may not do that; give it the scope the vendor's page names",
    404: "it does not know the address; check base_url and the ids in integrations.yaml",
    410: "what was asked for is gone; check base_url and the ids in integrations.yaml",
    422: "it refuses the values; check the field map in integrations.yaml",
}


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """All calls within, however many, take no longer together: a vendor that is slow, or pages for ever, is
    `SourceUnavailable` then. Of two limits, one within the other, the shorter counts."""
    before = _LAST_MOMENT.set(min(_LAST_MOMENT.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _LAST_MOMENT.reset(before)


@dataclass(frozen=True)
class VendorHttp:
    """A vendor's HTTP interface below a base URL. Safe between threads; every call opens what it needs.

    `timeout` in seconds counts for each answer. 429 and 503 are waited for as `Retry-After` says, if that is within
    patience.
    """

    title: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 10.0
    tries: int = 4
    patience: float = PATIENCE

    def json(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: Any = None,
        form: Mapping[str, str] | None = None,
        missing_ok: bool = False,
        repeatable: bool = True,
    ) -> Any:
        """The JSON answer, its numbers as `Decimal` or `int`; None for 204, and for 404 and 410 where `missing_ok`.

        `content` is sent as JSON, or a `form` as a form.
        `SourceUnavailable` for what waiting may mend, after the tries; `SourceFaulty` for what it will not. A call that
        is not `repeatable` is tried again only when the vendor cannot have taken it.
        """
        given = {"params": params, "json": content, "data": form}
        return self._read(self.answer(method, path, given, repeatable=repeatable), missing_ok)

    def answer(
        self, method: str, path: str, given: Mapping[str, Any], *, repeatable: bool = True
    ) -> httpx.Response:
        """The answer, whatever its status, to a request with what is `given` (as httpx names it), within all bounds.

        `SourceUnavailable` for no answer, and for 429 and 5xx, after the tries.
        """
        began = time.monotonic()
        ends = min(began + self.patience, _LAST_MOMENT.get())
        if began >= ends:
            raise SourceUnavailable(
                f"{self.title} takes too long, up to {method} {path}; it is tried again later"
            )
        pause, why = _FIRST_PAUSE, ""
        for n in range(self.tries):
            if n:
                time.sleep(max(0.0, min(pause, ends - time.monotonic())))
            try:
                response = self._send(method, path, given, ends)
            except httpx.TransportError as error:
                why = f"it does not answer ({type(error).__name__})"
                if not repeatable and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                    break
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                if response.status_code not in (429, 500, 502, 503, 504):
                    return response
                why = f"HTTP {response.status_code}"
                if not repeatable and response.status_code not in (429, 503):
                    break
                asked = _retry_after(response)
                pause = min(pause * 2, _LONGEST_PAUSE) if asked is None else asked
            if time.monotonic() + pause >= ends:
                break
        raise SourceUnavailable(
            f"{self.title} cannot be asked now: {why} at {method} {path}; it is tried again later"
        )

    def _send(self, method: str, path: str, given: Mapping[str, Any], ends: float) -> httpx.Response:
        left = max(0.1, min(self.timeout, ends - time.monotonic()))
        with (
            httpx.Client(
                headers=dict(self.headers), timeout=left, follow_redirects=False, verify=_trusted()
            ) as client,
            client.stream(method, self._url(path), **given) as response,
        ):
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > LARGEST_ANSWER:
                    raise SourceFaulty(
                        f"{self.title} answers more than {LARGEST_ANSWER} bytes at {path}; ask for less"
                    )
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout("the answer does not end")
            return httpx.Response(
                response.status_code,
                headers=_plain(response.headers),
                content=bytes(data),
                request=response.request,
            )

    def _url(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}/{path.lstrip('/')}"

    def _read(self, response: httpx.Response, missing_ok: bool) -> Any:
        status, path = response.status_code, response.request.url.path
        if missing_ok and status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            return None
        if not response.is_success:
            advice = _WHAT_TO_DO.get(status, "check base_url in integrations.yaml")
            kind = SourceClosed if status == httpx.codes.UNAUTHORIZED else SourceFaulty
            raise kind(f"{self.title} refuses {path}: HTTP {status}; {advice}")
        if status == httpx.codes.NO_CONTENT or not response.content:
            return None
        try:
            return response.json(parse_float=Decimal, parse_constant=_no_number)
        except ValueError as error:
            kind = response.headers.get("content-type", "no content type").partition(";")[0]
            raise SourceClosed(
                f"{self.title} answers {path} with {kind} where JSON was expected; check base_url in integrations.yaml"
            ) from error


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """Whose certificates are trusted; reading them takes longer than most calls do."""
    return httpx.create_ssl_context()


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Without those that told of the transfer: the content is unpacked."""
    return {
        name: value for name, value in headers.items() if name not in ("content-encoding", "content-length")
    }


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")  # NaN and Infinity are no JSON (RFC 8259, section 6)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds the vendor asks to wait (RFC 9110, section 10.2.3): a number, or a date."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.astimezone(UTC) - datetime.now(UTC)).total_seconds())
