"""The outbox: what is to be told to Temporal or our own people, or acted on, written in the transaction of the fact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from activities.ledger.tables import OutboxRow

CHANNEL = "billow_outbox"
"""PostgreSQL notification channel; a notice arrives when the writing transaction commits."""

WAKE, NOTICE, EVENT, DELIVERY, CHAT = "wake", "notice", "event", "delivery", "chat"

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=5)
"""A server that is down is asked again soon at first, then seldom; never given up, the fact stays true."""


def write(tx: Session, kind: str, subject: str, *, invoice: int | None, at: datetime) -> None:
    """Writes a wake-up (subject: billing key), a notice, by mail or chat (message key), an event or a delivery (JSON:
    source, id)."""
    write_all(tx, kind, (subject,), invoice=invoice, at=at)


def write_all(tx: Session, kind: str, subjects: Iterable[str], *, invoice: int | None, at: datetime) -> None:
    """Writes one row for each subject, and tells the dispatchers once."""
    for subject in subjects:
        tx.add(OutboxRow(kind=kind, subject=subject, invoice=invoice, written_at=at, not_before=func.now()))
    tx.execute(text(f"notify {CHANNEL}"))


def take(tx: Session, kind: str, limit: int) -> Sequence[OutboxRow]:
    """The oldest rows of a kind still to be done, locked, so that two dispatchers never take the same one."""
    waiting = (
        select(OutboxRow)
        .where(OutboxRow.kind == kind, OutboxRow.done_at.is_(None), or_(OutboxRow.not_before <= func.now()))
        .order_by(OutboxRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tx.scalars(waiting).all()


def done(row: OutboxRow) -> None:
    row.done_at = func.now()


def failed(row: OutboxRow, error: str) -> None:
    """Tries again later, each pause twice the last."""
    row.attempts += 1
    row.last_error = error[:1000]
    pause = min(_FIRST_PAUSE * 2 ** min(row.attempts - 1, 12), _LONGEST_PAUSE)
    row.not_before = func.now() + pause


def pause(tx: Session, kind: str, beginning: str, like: OutboxRow) -> None:
    """What else of a kind has a subject that begins like this waits as long as a row that has just failed."""
    others = (
        select(OutboxRow.id)
        .where(
            OutboxRow.kind == kind,
            OutboxRow.done_at.is_(None),
            OutboxRow.id != like.id,
            OutboxRow.subject.startswith(beginning, autoescape=True),
        )
        .with_for_update(skip_locked=True)
    )
    until = select(OutboxRow.not_before).where(OutboxRow.id == like.id).scalar_subquery()
    tx.flush()
    tx.execute(
        update(OutboxRow)
        .where(OutboxRow.id.in_(others))
        .values(not_before=func.greatest(OutboxRow.not_before, until))
        .execution_options(synchronize_session=False)
    )


def subjects_waiting(kind: str) -> Select[str]:
    """The subjects of a kind that are still to be done."""
    return select(OutboxRow.subject).where(OutboxRow.kind == kind, OutboxRow.done_at.is_(None))


def waiting(tx: Session, kind: str | None = None) -> int:
    """How many rows are still to be done, of a kind if one is given."""
    still_to_do = select(func.count()).select_from(OutboxRow).where(OutboxRow.done_at.is_(None))
    return tx.scalar(still_to_do.where(OutboxRow.kind == kind) if kind else still_to_do) or 0


def prune(tx: Session, before: datetime) -> None:
    """Forgets what was done before an instant: the facts it told of stand in the ledger."""
    tx.execute(delete(OutboxRow).where(OutboxRow.done_at < before))
