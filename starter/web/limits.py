"""How often one address may ask: at the doors one can try secrets at, and for programs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from starter.web import failures, problems
from workers.settings import Settings

SIGN_INS = 60
"""Requests a minute: two for each sign-in, of an office behind one address. The portal has limits of its own."""

LINKS = 120
"""Links of messages opened a minute: a scanner of mails opens them all at once, and keeps nobody from signing in."""

_ONE_SITE = 64
"""Bits of an IPv6 address that name a site; within it anybody has as many addresses as they like (RFC 6177)."""


@dataclass(frozen=True)
class Limit:
    """So many requests a minute from one address to paths that begin like these."""

    name: str
    begins: tuple[str, ...]
    a_minute: int

    def holds(self, path: str) -> bool:
        return path.startswith(self.begins)


def limits_of(settings: Settings) -> tuple[Limit, ...]:
    """Where anybody may knock without having proved who they are; and what programs may ask for."""
    return (
        Limit("sign-in", ("/sign-in/", "/session"), SIGN_INS),
        Limit("links", ("/d/",), LINKS),
        Limit("api", ("/api/",), settings.api_requests_per_minute),
    )


def site_of(address: str) -> str:
    """Whose address it is: itself, or the site's where it is one of IPv6."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if known.version == 4:
        return address
    return str(known.ipv4_mapped or ip_network((known, _ONE_SITE), strict=False))


class RateLimits:
    """Answers 429 with `Retry-After` once an address has asked too often; each process counts for itself."""

    def __init__(self, app: ASGIApp, limits: Iterable[Limit]) -> None:
        self._app = app
        self._limits = [(each, RateLimitItemPerMinute(each.a_minute)) for each in limits]
        self._counted = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait = self._wait(scope) if scope["type"] == "http" else 0
        if not wait:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        said = (
            f"That was too often; ask again in {wait} second{'' if wait == 1 else 's'}. Nothing was changed."
        )
        headers = {"Retry-After": str(wait)}
        if scope["path"].startswith("/api/"):
            answer = problems.problem(429, said, headers)
        else:
            answer = failures.told(request, 429, "Too often", said)
            answer.headers.update(headers)
        await answer(scope, receive, send)

    def _wait(self, scope: Scope) -> int:
        """Seconds until the address may ask again; 0 if it may now."""
        client = scope.get("client")
        address = site_of(client[0] if client else "unknown")
        for limit, item in self._limits:
            if limit.holds(scope["path"]) and not self._counted.hit(item, limit.name, address):
                free_at = self._counted.get_window_stats(item, limit.name, address).reset_time
                return max(1, math.ceil(free_at - time.time()))
        return 0
