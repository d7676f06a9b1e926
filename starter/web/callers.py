"""Who calls the API: a program that speaks for a person, by a bearer token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from activities.ledger import api_tokens, company_records
from activities.ledger.actors import Said
from activities.ledger.database import Ledger
from activities.ledger.tables import ApiTokenRow
from billing.approval_policy import Channel
from billing.errors import NotAllowed, Refused
from billing.roles import Role, role_of
from billing.scopes import Scope
from starter.web.desk import Desk, now
from starter.web.permissions import Rule

_BEARER = {"WWW-Authenticate": 'Bearer realm="billow"'}
_INVALID = {"WWW-Authenticate": 'Bearer realm="billow", error="invalid_token"'}


@dataclass(frozen=True)
class Caller:
    """Who asks, when, and under which key of their own."""

    ledger: Ledger
    person: str
    at: datetime
    key: str | None
    role: Role
    scopes: tuple[Scope, ...]

    @property
    def said(self) -> Said:
        return {"by": self.person, "channel": Channel.API, "at": self.at}


async def caller_of(request: Request) -> Caller:
    """Who came in at the door of this route."""
    caller: Caller = request.state.caller
    return caller


async def admit(request: Request, rule: Rule) -> Caller:
    """Whom the token speaks for; 401 without one of ours that still runs.

    `NotAllowed` where its scopes or the role of its person do not reach, or the person has left the company.
    """
    desk: Desk = request.app.state.desk
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise HTTPException(
            401,
            "Say who asks: Authorization: Bearer TOKEN; `billow api-token create NAME` makes one.",
            _BEARER,
        )
    at = now()
    row, role = await run_in_threadpool(_token, desk.ledger, token.strip(), at)
    scopes = tuple(scope for scope in Scope if scope in row.scopes)
    if rule.role is not None and not role.reaches(rule.role):
        raise NotAllowed(
            f"{row.person!r}, for whom the token speaks, has the role {role}; this needs the role {rule.role}"
        )
    if rule.scope is not None and rule.scope not in scopes:
        raise NotAllowed(
            f"the token has the scopes {', '.join(scopes) or 'none'}, and this needs {rule.scope!r}: "
            "make another token with it"
        )
    return Caller(desk.ledger, row.person, at, _key(request), role, scopes)


def _token(ledger: Ledger, token: str, at: datetime) -> tuple[ApiTokenRow, Role]:
    with ledger.transaction() as tx:
        row = api_tokens.find(tx, token, at=at)
        if row is None:
            raise HTTPException(401, "The token is not one of ours, has expired or was revoked.", _INVALID)
        person = company_records.current(tx).company.people_by_id.get(row.person)
        if person is None:
            raise NotAllowed(f"{row.person!r} is not a person of this company any more")
        return row, role_of(person)


def _key(request: Request) -> str | None:
    said = request.headers.get("idempotency-key")
    if said is None:
        return None
    key = said.strip().strip('"')
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", key):
        raise Refused("an Idempotency-Key is up to 64 letters, digits, '.', '_' and '-'")
    return key
