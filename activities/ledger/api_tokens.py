"""Tokens by which programs speak for people: 256 random bits, shown once; only their SHA-256 is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger.tables import ApiTokenRow
from billing.errors import Conflicting, NotFound, WrongState

PREFIX = "billow_"
"""By this a leaked token is found."""

_USED_AGAIN = timedelta(minutes=1)
"""Its last use is noted this often at most: reading must not write all the time."""


def create(tx: Session, name: str, person: str, *, at: datetime) -> str:
    """A new token that speaks for the person, under a name of its own; it cannot be shown a second time."""
    token = PREFIX + secrets.token_urlsafe(32)
    made = tx.scalar(
        insert(ApiTokenRow)
        .values(sha256=_sha256(token), name=name, person=person, created_at=at, created_by=person)
        .on_conflict_do_nothing()
        .returning(ApiTokenRow.name)
    )
    if made is None:
        raise Conflicting(f"there is, or was, a token {name!r} already; give this one another name")
    return token


def person_of(tx: Session, token: str, *, at: datetime) -> str | None:
    """Whom a token speaks for, None if it is not one of ours or was revoked."""
    row = tx.get(ApiTokenRow, _sha256(token))
    if row is None or row.revoked_at is not None:
        return None
    if row.last_used_at is None or row.last_used_at + _USED_AGAIN <= at:
        row.last_used_at = at
    return row.person


def revoke(tx: Session, name: str, *, at: datetime) -> ApiTokenRow:
    """Ends a token for good."""
    row = tx.scalars(select(ApiTokenRow).where(ApiTokenRow.name == name).with_for_update()).first()
    if row is None:
        raise NotFound(f"there is no token {name!r}; `billow api-tokens` lists those there are")
    if row.revoked_at is not None:
        raise WrongState(f"the token {name!r} is revoked already")
    row.revoked_at = at
    return row


def listed(tx: Session) -> Sequence[ApiTokenRow]:
    """All tokens, the newest first, revoked ones too."""
    return tx.scalars(select(ApiTokenRow).order_by(ApiTokenRow.created_at.desc(), ApiTokenRow.name)).all()


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
