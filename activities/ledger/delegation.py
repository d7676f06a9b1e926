"""Absences as commands: set or ended by a person, with what it means for approvals that wait already."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import absences, approvals, company_records, invoices
from activities.ledger.database import Ledger
from activities.ledger.tables import AbsenceRow, ApprovalRow


def announce(
    ledger: Ledger,
    person: str,
    delegate: str,
    first_day: date,
    last_day: date,
    *,
    reason: str = "",
    by: str,
    for_others: bool,
    at: datetime,
) -> tuple[AbsenceRow, int]:
    """Sets an absence; with it, how many approvals that wait for the person were handed to the delegate at once.

    `for_others`: whether `by` may do so for somebody else. Days are those of the company's home zone.
    """
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        row = absences.announce(
            tx,
            person,
            delegate,
            first_day,
            last_day,
            company,
            reason=reason,
            by=by,
            for_others=for_others,
            at=at,
        )
        begun = first_day <= absences.today(company, at)
        return row, _hand_over(tx, person, at) if begun else 0


def end(ledger: Ledger, absence: int, *, by: str, for_others: bool, at: datetime) -> AbsenceRow:
    """Ends an absence from today on. Who was asked in somebody's place may still decide what they were asked."""
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        return absences.end(tx, absence, company, by=by, for_others=for_others, at=at)


def _hand_over(tx: Session, person: str, at: datetime) -> int:
    """Has the delegate asked about everything that waits for the person; rows are locked in the order of their ids."""
    waiting = tx.scalars(
        select(ApprovalRow.invoice)
        .where(ApprovalRow.status == approvals.WAITING, ApprovalRow.asked.contains([person]))
        .order_by(ApprovalRow.invoice)
    ).all()
    handed = 0
    for invoice in waiting:
        row = invoices.locked(tx, invoice)
        company = company_records.at_version(tx, row.company_version).company
        handed += approvals.hand_over(tx, row, company, at=at)
    return handed
