"""Exceptions without an invoice: each about a subject, such as `event/<source>/<id>`, one open at a time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, and_, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import notices
from activities.ledger.exceptions import find, remind_or_escalate
from activities.ledger.tables import ExceptionRow
from billing.company import Company
from billing.errors import NotAllowed, Refused, WrongState
from billing.exceptions import Finding, ReasonCode
from billing.money import Money

EVENT = "event/"
"""How the subject of an event that is held begins: `event/<source>/<id>`."""

INTEGRATION = "integration/"
"""How the subject of an exception about a connection begins: `integration/<connection>`."""

_ACCEPTED = "accepted: "
_STILL_OPEN = and_(ExceptionRow.subject.is_not(None), ExceptionRow.resolved_at.is_(None))


def raise_one(
    tx: Session,
    subject: str,
    finding: Finding,
    company: Company,
    *,
    client: str | None = None,
    at_stake: Money | None = None,
    owner: str | None = None,
    at: datetime,
) -> ExceptionRow | None:
    """The open exception about the subject, raised now if there is none; None where a person has accepted it.

    Raised, its owner is told: `owner`, else as the policy says. One that is open already says from now on what was
    found last and what is at stake, and nobody is told again. Accepted holds as long as the finding is the same.
    """
    if was_accepted(tx, subject, finding):
        return None
    said = {
        "client": client,
        "at_stake": at_stake.amount if at_stake else None,
        "currency": at_stake.currency if at_stake else None,
        "code": finding.code,
        "finding": finding.model_dump(mode="json"),
    }
    while (raised := tx.scalars(_open_one(subject).with_for_update()).first()) is None:
        made = tx.scalars(
            insert(ExceptionRow)
            .values(
                subject=subject,
                owner=owner or company.exceptions.owner(finding.code, client or ""),
                raised_at=at,
                deadline=at + timedelta(hours=company.exceptions.decide_within_hours),
                escalations=0,
                **said,
            )
            .on_conflict_do_nothing()
            .returning(ExceptionRow)
        ).first()
        if made is not None:
            notices.company_exception_raised(tx, made, company, at=at)
            return made
    for column, value in said.items():
        setattr(raised, column, value)
    return raised


def _open_one(subject: str) -> Select[ExceptionRow]:
    return select(ExceptionRow).where(ExceptionRow.subject == subject, ExceptionRow.resolved_at.is_(None))


def was_accepted(tx: Session, subject: str, finding: Finding | None = None) -> bool:
    """Whether a person took the subject as it is, be it what was found then or, where given, this very finding."""
    taken = tx.scalars(
        select(ExceptionRow.finding).where(
            ExceptionRow.subject == subject, ExceptionRow.resolution.startswith(_ACCEPTED)
        )
    ).all()
    return any(finding is None or Finding.model_validate(each).identity == finding.identity for each in taken)


def open_subjects(tx: Session, prefix: str) -> frozenset[str]:
    """The subjects that begin like this and wait for a person."""
    subjects = select(ExceptionRow.subject).where(
        _STILL_OPEN, ExceptionRow.subject.startswith(prefix, autoescape=True)
    )
    return frozenset(subject for subject in tx.scalars(subjects) if subject is not None)


def close_repaired(tx: Session, subjects: Collection[str], *, at: datetime) -> None:
    """Closes the open exceptions about these subjects: what they told of is gone."""
    tx.execute(
        update(ExceptionRow)
        .where(_STILL_OPEN, ExceptionRow.subject.in_(subjects))
        .values(resolved_at=at, resolved_by="billow", resolution="repaired")
    )


def attend(tx: Session, company: Company, *, at: datetime) -> None:
    """Reminds owners half-way to the deadline, and past it goes up the line; it never ends with nobody."""
    half_way: ColumnElement[datetime] = literal_column(
        "exceptions.raised_at + (exceptions.deadline - exceptions.raised_at) / 2"
    )
    waiting = (
        select(ExceptionRow)
        .where(
            _STILL_OPEN,
            or_(ExceptionRow.deadline <= at, and_(ExceptionRow.reminded_at.is_(None), half_way <= at)),
        )
        .order_by(ExceptionRow.id)
        .with_for_update(skip_locked=True)
    )
    for exception in tx.scalars(waiting).all():
        remind_or_escalate(exception, company, at=at)
        notices.company_exception_raised(tx, exception, company, at=at)


def to_decide(tx: Session, exception_id: int, company: Company, *, by: str) -> ExceptionRow:
    """The exception, locked, for a person to decide. `Refused` if it is decided, or the person is nobody here."""
    if by not in company.people_by_id:
        raise NotAllowed(f"{by!r} is not a person of this company; `--as` takes an id from people.yaml")
    exception = find(tx, exception_id)
    tx.refresh(exception, with_for_update=True)
    if exception.resolved_at is not None:
        raise WrongState(
            f"exception {exception.id} is decided already: {exception.resolution}, by {exception.resolved_by}"
        )
    return exception


def accept(exception: ExceptionRow, *, by: str, reason: str, at: datetime) -> None:
    """The subject may stay as it is: the same finding is not raised again. `Refused` without a reason."""
    if not reason.strip():
        raise Refused("say why: `accept` needs a reason")
    exception.resolved_at, exception.resolved_by = at, by
    exception.resolution = f"{_ACCEPTED}{reason.strip()}"


def at_stake(exception: ExceptionRow) -> Money | None:
    """What is at stake, net; None where nobody can tell."""
    if exception.at_stake is None or exception.currency is None:
        return None
    return Money.of(Decimal(exception.at_stake), exception.currency)


def outcome(tx: Session, exception_id: int) -> str | None:
    """What holds after a decision, in a sentence; None for an exception about an invoice."""
    exception = find(tx, exception_id)
    if exception.subject is None:
        return None
    if exception.resolved_at is not None:
        if not (exception.resolution or "").startswith(_ACCEPTED):
            return "It fits now, and is closed."
        if exception.code == ReasonCode.OVERPAID:
            return "Kept as credit of the client; `billow credit-balance` lists it."
        if exception.subject.startswith(INTEGRATION):
            return "Accepted: what was held is set aside; what fails anew is raised again."
        return "Accepted as it is; it is not raised again."
    if exception.subject.startswith(EVENT):
        return f"Still open: {Finding.model_validate(exception.finding).message}"
    if exception.subject.startswith(INTEGRATION):
        return (
            "Tried again within seconds, by the workers: what is held, what is to be asked, what is to be told; "
            "it is closed once that works."
        )
    return (
        "Still open: `billow run` and `billow reconcile` look again now, the schedules by themselves; "
        "it is closed once the cause is gone."
    )
