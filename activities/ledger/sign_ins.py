"""People who are signed in: 256 random bits in their browser, of which only the SHA-256 is kept here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from activities.ledger.tables import SignInRow

LASTS = timedelta(hours=12)
"""A working day, however busy; then a person says again who they are."""

KEPT = timedelta(days=90)
"""How long it can be seen that somebody was signed in."""

_SEEN_AGAIN = timedelta(minutes=1)
"""The last visit is noted this often at most: reading must not write all the time."""


def begin(tx: Session, person: str, *, how: str, subject: str = "", at: datetime) -> str:
    """Signs a person in; the secret their browser keeps, which cannot be read again.

    `how` they proved who they are, and as whom: `subject` is the issuer and its id of the person.
    """
    secret = secrets.token_urlsafe(32)
    tx.execute(delete(SignInRow).where(SignInRow.person == person, SignInRow.ends_at < at - KEPT))
    tx.add(
        SignInRow(
            sha256=_sha256(secret),
            person=person,
            began_at=at,
            seen_at=at,
            ends_at=at + LASTS,
            how=how,
            subject=subject,
        )
    )
    return secret


def find(tx: Session, secret: str, *, at: datetime) -> SignInRow | None:
    """The sign-in with this secret, None if there is none or it is over."""
    row = tx.get(SignInRow, _sha256(secret))
    if row is None or row.ended_at is not None or row.ends_at <= at:
        return None
    if row.seen_at + _SEEN_AGAIN <= at:
        row.seen_at = at
    return row


def end(tx: Session, secret: str, *, at: datetime) -> None:
    """Signs out in one browser; nothing happens where nobody is signed in."""
    tx.execute(
        update(SignInRow)
        .where(SignInRow.sha256 == _sha256(secret), SignInRow.ended_at.is_(None))
        .values(ended_at=at)
    )


def end_all(tx: Session, person: str, *, at: datetime) -> int:
    """Signs a person out everywhere; in how many browsers they were signed in."""
    ended = tx.scalars(
        update(SignInRow)
        .where(SignInRow.person == person, SignInRow.ended_at.is_(None), SignInRow.ends_at > at)
        .values(ended_at=at)
        .returning(SignInRow.sha256)
    ).all()
    return len(ended)


def open_of(tx: Session, person: str, *, at: datetime) -> Sequence[SignInRow]:
    """Where a person is signed in now, the newest first."""
    return tx.scalars(
        select(SignInRow)
        .where(SignInRow.person == person, SignInRow.ended_at.is_(None), SignInRow.ends_at > at)
        .order_by(SignInRow.began_at.desc())
    ).all()


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
