"""Absences in the ledger: set and ended by people, and what they mean for those who are asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.ledger.tables import AbsenceRow
from billing import absences as rule
from billing.absences import Absence
from billing.company import Company
from billing.errors import NotAllowed, NotFound, Refused, WrongState
from billing.parties import Person

_ONE_ANNOUNCES = 7220431
"""The key of the lock (PostgreSQL, advisory) under which an absence is set."""


def today(company: Company, at: datetime) -> date:
    """The day it is where the company is at home: in the zone of its first issuer."""
    return at.astimezone(ZoneInfo(company.issuers[0].zone) if company.issuers else UTC).date()


def people_on(tx: Session, company: Company, day: date) -> dict[str, Person]:
    """The people of the company as they stand on a day, those away with their delegates."""
    rows = tx.scalars(select(AbsenceRow).where(AbsenceRow.first_day <= day))
    return rule.with_absences(company.people_by_id, [absence_of(row, company) for row in rows], day)


def absence_of(row: AbsenceRow, company: Company) -> Absence:
    """The row as the rules know it; the day it was ended is one of the company's zone."""
    return Absence(
        person=row.person,
        delegate=row.delegate,
        first_day=row.first_day,
        last_day=row.last_day,
        ended_on=today(company, row.ended_at) if row.ended_at else None,
    )


def announce(
    tx: Session,
    person: str,
    delegate: str,
    first_day: date,
    last_day: date,
    company: Company,
    *,
    reason: str = "",
    by: str,
    for_others: bool,
    at: datetime,
) -> AbsenceRow:
    """Sets an absence; `for_others`: whether `by` may do so for somebody else. `Refused` says why it cannot be."""
    if by != person and not for_others:
        raise NotAllowed("an absence of somebody else is set by an admin")
    wanted = Absence(person=person, delegate=delegate, first_day=first_day, last_day=last_day)
    # one after the other, so that two that do not fit together are never both set
    tx.execute(select(func.pg_advisory_xact_lock(_ONE_ANNOUNCES)))
    known = tx.scalars(select(AbsenceRow).where(AbsenceRow.last_day >= today(company, at)))
    others = [absence_of(row, company) for row in known]
    if why := rule.why_not(wanted, others, company.people_by_id, company.approvals, today(company, at)):
        raise Refused(why)
    row = AbsenceRow(
        person=person,
        delegate=delegate,
        first_day=first_day,
        last_day=last_day,
        reason=reason,
        set_at=at,
        set_by=by,
    )
    tx.add(row)
    tx.flush()
    return row


def end(
    tx: Session, absence: int, company: Company, *, by: str, for_others: bool, at: datetime
) -> AbsenceRow:
    """Ends an absence: from today on the person decides themselves; one that has not begun is called off."""
    row = tx.get(AbsenceRow, absence, with_for_update=True)
    if row is None:
        raise NotFound(f"there is no absence {absence}; `billow absences` lists those there are")
    if by != row.person and not for_others:
        raise NotAllowed("an absence of somebody else is ended by an admin")
    if row.ended_at is not None or row.last_day < today(company, at):
        raise WrongState("this absence is over already")
    row.ended_at, row.ended_by = at, by
    return row


def listed(tx: Session, company: Company, *, everything: bool = False, at: datetime) -> Sequence[AbsenceRow]:
    """Absences that last or are to come, the next first; with `everything` also those that are over or called off."""
    query = select(AbsenceRow).order_by(AbsenceRow.first_day, AbsenceRow.id)
    if not everything:
        query = query.where(AbsenceRow.ended_at.is_(None), AbsenceRow.last_day >= today(company, at))
    return tx.scalars(query).all()
