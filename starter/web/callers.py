"""Who calls the API: a program that speaks for a person, by a bearer token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from activities.ledger import api_tokens, company_records
from activities.ledger.database import Ledger
from billing.errors import NotAllowed, Refused
from starter.web.desk import Desk, now

_BEARER = {"WWW-Authenticate": 'Bearer realm="billow"'}
_INVALID = {"WWW-Authenticate": 'Bearer realm="billow", error="invalid_token"'}


@dataclass(frozen=True)
class Caller:
    """Who asks, when, and under which key of their own."""

    ledger: Ledger
    person: str
    at: datetime
    key: str | None


async def caller_of(request: Request) -> Caller:
    """Whom the token speaks for; 401 without one of ours, `NotAllowed` once the person has left the company."""
    desk: Desk = request.app.state.desk
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise HTTPException(
            401,
            "Say who asks: Authorization: Bearer TOKEN; `billow api-token create NAME` makes one.",
            _BEARER,
        )
    at = now()
    person = await run_in_threadpool(_person, desk.ledger, token.strip(), at)
    return Caller(desk.ledger, person, at, _key(request))


def _person(ledger: Ledger, token: str, at: datetime) -> str:
    with ledger.transaction() as tx:
        person = api_tokens.person_of(tx, token, at=at)
        if person is None:
            raise HTTPException(401, "The token is not one of ours, or was revoked.", _INVALID)
        if person not in company_records.current(tx).company.people_by_id:
            raise NotAllowed(f"{person!r} is not a person of this company any more")
        return person


def _key(request: Request) -> str | None:
    said = request.headers.get("idempotency-key")
    if said is None:
        return None
    key = said.strip().strip('"')
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", key):
        raise Refused("an Idempotency-Key is up to 64 letters, digits, '.', '_' and '-'")
    return key
