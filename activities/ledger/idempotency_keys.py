"""Keys by which programs repeat a request without doing it twice: the same key gets the same answer.

A key belongs to the person a token speaks for. It is taken before the request is carried out, and its answer is kept
with it afterwards; a request that changed nothing frees its key again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger.tables import IdempotencyKeyRow
from billing.errors import Conflicting, Refused

KEPT = timedelta(days=7)
"""So long a request may be repeated: over a weekend, and a bit."""

ABANDONED = timedelta(minutes=5)
"""After so long without an answer whoever carried it out is gone; longer than a lock is waited for."""

_SWEPT_AT_ONCE = 50


class KeyReused(Refused):
    """The key was sent before, with another request."""


class InProgress(Conflicting):
    """The same request is being carried out right now."""


@dataclass(frozen=True)
class Answer:
    """What was answered: the status, headers and JSON."""

    status: int
    headers: dict[str, str]
    content: Any


def take(tx: Session, person: str, key: str, request: str, *, at: datetime) -> Answer | None:
    """Takes the key for a request, told apart by `request`; the answer, if it was carried out before.

    `KeyReused` if the key was another request's, `InProgress` while the same one is under way.
    """
    _sweep(tx, at)
    row = IdempotencyKeyRow.__table__
    taken = tx.execute(
        insert(IdempotencyKeyRow)
        .values(person=person, key=key, request=request, first_at=at)
        .on_conflict_do_update(
            index_elements=[row.c.person, row.c.key],
            set_={"request": request, "first_at": at, "status": None, "answer": None},
            where=(row.c.first_at < at - KEPT)
            | (row.c.status.is_(None) & (row.c.request == request) & (row.c.first_at < at - ABANDONED)),
        )
        .returning(row.c.key)
    ).scalar()
    if taken is not None:
        return None
    known = tx.scalars(
        select(IdempotencyKeyRow).where(IdempotencyKeyRow.person == person, IdempotencyKeyRow.key == key)
    ).first()
    if known is not None and known.request != request:
        raise KeyReused(f"the Idempotency-Key {key!r} was sent with another request before; use a new one")
    if known is None or known.status is None or known.answer is None:
        raise InProgress(f"the request with the Idempotency-Key {key!r} is being carried out; ask again soon")
    return Answer(known.status, known.answer["headers"], known.answer["content"])


def keep(tx: Session, person: str, key: str, answer: Answer) -> None:
    """Keeps what was answered."""
    row = tx.get(IdempotencyKeyRow, (person, key))
    if row is not None:
        row.status = answer.status
        row.answer = {"headers": answer.headers, "content": answer.content}


def free(tx: Session, person: str, key: str) -> None:
    """Frees a key whose request changed nothing."""
    tx.execute(
        delete(IdempotencyKeyRow).where(
            IdempotencyKeyRow.person == person,
            IdempotencyKeyRow.key == key,
            IdempotencyKeyRow.status.is_(None),
        )
    )


def _sweep(tx: Session, at: datetime) -> None:
    old = (
        select(IdempotencyKeyRow.person, IdempotencyKeyRow.key)
        .where(IdempotencyKeyRow.first_at < at - KEPT)
        .limit(_SWEPT_AT_ONCE)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    tx.execute(
        delete(IdempotencyKeyRow).where(
            IdempotencyKeyRow.person == old.c.person, IdempotencyKeyRow.key == old.c.key
        )
    )
