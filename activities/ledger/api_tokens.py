"""Tokens by which programs speak for people: 256 random bits, shown once; only their SHA-256 is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger.tables import ApiTokenRow
from billing.errors import Conflicting, NotAllowed, NotFound, Refused, WrongState
from billing.scopes import Scope

PREFIX = "billow_"
"""By this a leaked token is found."""

_USED_AGAIN = timedelta(minutes=1)
"""Its last use is noted this often at most: reading must not write all the time."""


LONGEST = 366
"""Days a token may run: its end reminds those who have forgotten it."""

USUALLY = 90
"""Days a token runs where nobody says how long."""


def create(
    tx: Session,
    name: str,
    person: str,
    *,
    scopes: Collection[Scope],
    days: int = USUALLY,
    by: str | None = None,
    at: datetime,
) -> str:
    """A new token that speaks for the person, under a name of its own; it cannot be shown a second time.

    It runs for `days` and may be used for `scopes` as far as the person's role reaches. `by`: who made it, if not the
    person.
    """
    if not 1 <= days <= LONGEST:
        raise Refused(f"a token runs between 1 and {LONGEST} days, not {days}")
    if not scopes:
        raise Refused(f"say what the token may be used for: {', '.join(Scope)}")
    token = PREFIX + secrets.token_urlsafe(32)
    made = tx.scalar(
        insert(ApiTokenRow)
        .values(
            sha256=_sha256(token),
            name=name,
            person=person,
            created_at=at,
            created_by=by or person,
            scopes=[scope for scope in Scope if scope in scopes],
            expires_at=at + timedelta(days=days),
        )
        .on_conflict_do_nothing()
        .returning(ApiTokenRow.name)
    )
    if made is None:
        raise Conflicting(f"there is, or was, a token {name!r} already; give this one another name")
    return token


def find(tx: Session, token: str, *, at: datetime) -> ApiTokenRow | None:
    """What is known of a token, None if it is not one of ours, has expired or was revoked."""
    row = tx.get(ApiTokenRow, _sha256(token))
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= at):
        return None
    if row.last_used_at is None or row.last_used_at + _USED_AGAIN <= at:
        row.last_used_at = at
    return row


def revoke(tx: Session, name: str, *, owner: str | None = None, at: datetime) -> ApiTokenRow:
    """Ends a token for good; only one that speaks for `owner`, if that is given."""
    row = tx.scalars(select(ApiTokenRow).where(ApiTokenRow.name == name).with_for_update()).first()
    if row is None:
        raise NotFound(f"there is no token {name!r}; `billow api-tokens` lists those there are")
    if owner is not None and row.person != owner:
        raise NotAllowed(f"the token {name!r} speaks for {row.person!r}; they or an admin can end it")
    if row.revoked_at is not None:
        raise WrongState(f"the token {name!r} is revoked already")
    row.revoked_at = at
    return row


def listed(tx: Session, person: str | None = None) -> Sequence[ApiTokenRow]:
    """All tokens, or those that speak for a person, the newest first, ended ones too."""
    query = select(ApiTokenRow).order_by(ApiTokenRow.created_at.desc(), ApiTokenRow.name)
    return tx.scalars(query if person is None else query.where(ApiTokenRow.person == person)).all()


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
