"""Crediting an invoice: issued at once by who may do so alone, else once another person has agreed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from activities.ledger import disputes, giving_up
from activities.ledger.actors import check_person
from activities.ledger.credit_notes import check_issuable, credited, issue, preview, with_key
from activities.ledger.giving_up import Kind
from activities.ledger.tables import CreditNoteRow, GivingUpRow, InvoiceRow
from billing.company import Company
from billing.credit_note import Selection
from billing.money import Money, rounded


@dataclass(frozen=True)
class Asked:
    """What became of asking for a credit note: it is issued, or another person must agree to it first."""

    note: CreditNoteRow | None
    waits: GivingUpRow | None = None
    new: bool = True


def ask(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    selection: Selection,
    reason: str,
    key: str,
    dispute: int | None = None,
    bill_again: bool = False,
    by: str,
    channel: str,
    at: datetime,
) -> Asked:
    """As `credit_notes.issue` where company.yaml lets a person credit so much alone; else another person is asked.

    What is asked for is checked now, and once more when it is agreed to.
    """
    check_person(company, by)
    issued = with_key(tx, key)
    if issued is None:
        question = f"{Kind.CREDIT_NOTE}/{key}"
        if (waits := giving_up.asked_before(tx, Kind.CREDIT_NOTE, question, row, None)) is not None:
            return Asked(None, waits, new=False)
        draft = preview(row, company, selection, credited(tx, row), reason=reason.strip())
        check_issuable(draft, at)
        amount = Money.of(rounded(draft.due, draft.currency), draft.currency)
        if not giving_up.policy_of(company, Kind.CREDIT_NOTE).alone(amount):
            details = {
                "selection": selection.model_dump(mode="json"),
                "key": key,
                "dispute": dispute,
                "bill_again": bill_again,
            }
            waits = giving_up.ask(
                tx,
                Kind.CREDIT_NOTE,
                amount,
                company,
                row=row,
                reason=reason,
                key=question,
                details=details,
                by=by,
                channel=channel,
                at=at,
            )
            return Asked(None, waits)
    note = issue(
        tx,
        row,
        company,
        selection=selection,
        reason=reason,
        key=key,
        dispute=dispute,
        bill_again=bill_again,
        by=by,
        channel=channel,
        at=at,
    )
    return Asked(note, new=issued is None)


def carry_out(
    tx: Session, found: GivingUpRow, row: InvoiceRow, company: Company, *, at: datetime
) -> CreditNoteRow:
    """Issues what another person has agreed to; who asked for it and who agreed stand in the audit trail."""
    dispute = disputes.current(tx, row)
    decided = dispute.id if dispute is not None and dispute.id == found.details["dispute"] else None
    note = issue(
        tx,
        row,
        company,
        selection=Selection.model_validate(found.details["selection"]),
        reason=found.reason,
        key=found.details["key"],
        dispute=decided,
        bill_again=found.details["bill_again"],
        by=found.asked_by,
        channel=found.channel,
        at=at,
    )
    giving_up.finish(found, at=at)
    return note
