"""What late payment of an issued invoice has cost so far, from the ledger; nothing of it is booked or added to it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.invoicing import standing
from activities.ledger import credit_notes, instalments, invoices
from activities.ledger.tables import AuditEventRow, InvoiceRow, PaymentRow
from billing.company import Company
from billing.dunning_policy import NO_POLICY, DunningPolicy
from billing.interest.accrual import Change, Interest, InterestUnknown, OpenAmount, Rest
from billing.interest.claim import claim
from billing.interest.statement import InterestStatement
from billing.money import Money, rounded
from billing.status import PaymentStatus

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InvoiceInterest:
    """An invoice's number and what is owed beside it, for a message."""

    number: str
    interest: Interest


def open_amount(tx: Session, row: InvoiceRow) -> OpenAmount:
    """What was due when, what came since, and what was credited: that was never owed. Nothing once it is written off.

    `WrongState` before it is issued.
    """
    due = standing.money_of(row)
    paid = tx.scalars(select(PaymentRow).where(PaymentRow.invoice == row.id).order_by(PaymentRow.id))
    changes = [Change(on=each.received_on, amount=rounded(each.amount, due.currency)) for each in paid]
    for note in credit_notes.of_invoice(tx, row) if row.credited else ():
        amount = rounded(note.gross, due.currency)
        changes.append(Change(on=note.issue_date, amount=amount, kind="credit"))
    if row.payment_status == PaymentStatus.WRITTEN_OFF:
        changes = [Change(on=standing.due_date(row), amount=due.amount, kind="credit")]
    return OpenAmount(due=due, due_date=standing.due_date(row), changes=tuple(changes))


def interest(tx: Session, row: InvoiceRow, company: Company, as_of: date) -> Interest | InterestUnknown:
    """What late payment has cost up to a day, that day included, by the dunning policy of the client."""
    issuer = company.issuer(row.issuer or "")
    if issuer is None:
        return InterestUnknown(
            reason=f"issuer {row.issuer!r} is in the company no more; apply one that has it"
        )
    policy, facts = _policy(company, row), open_amount(tx, row)
    if policy.interest_in_dispute == "rests":
        facts = facts.model_copy(update={"rests": _disputes(tx, row, company)})
    parts = [(each.due_date, each.amount) for each in instalments.standing(tx, row)]
    return claim(facts, policy, issuer.address.country, as_of, parts)


def told(
    tx: Session, rows: Sequence[InvoiceRow], company: Company, level: int, as_of: date
) -> list[InvoiceInterest]:
    """What a reminder of a level says about its invoices: nothing unless the policy prints it, and nothing unknown."""
    policy = _policy(company, rows[0])
    if policy.interest != "print" or level < policy.interest_from_level:
        return []
    found: list[InvoiceInterest] = []
    for row in rows:
        owed = interest(tx, row, company, as_of)
        if isinstance(owed, InterestUnknown):
            _log.warning("%s is reminded without its interest: %s", row.number, owed.reason)
        elif owed.segments or owed.compensation:
            found.append(InvoiceInterest(row.number or "", owed))
    return found


def statement(tx: Session, row: InvoiceRow, company: Company, owed: Interest) -> InterestStatement:
    """What a statement of that interest says. `WrongState` before the invoice is issued."""
    client = company.client(row.client)
    draft = invoices.draft_of(row) if row.draft else None
    return InterestStatement(
        issuer=company.issuer(row.issuer or "") or company.issuers[0],
        buyer=draft.buyer if draft else None,
        client_name=draft.buyer.name if draft else row.client,
        language=client.language if client else "en",
        number=row.number or "",
        issue_date=row.issue_date,
        due_date=standing.due_date(row),
        due=standing.money_of(row),
        open=Money.of(open_amount(tx, row).open_on(owed.as_of + timedelta(days=1)), owed.currency),
        interest=owed,
    )


def _disputes(tx: Session, row: InvoiceRow, company: Company) -> tuple[Rest, ...]:
    """The days from each dispute to its end, both included, at the client's."""
    client = company.client(row.client)
    zone = ZoneInfo(client.zone if client else "UTC")
    told = select(AuditEventRow).where(
        AuditEventRow.invoice == row.id, AuditEventRow.event.in_(["disputed", "dispute ended"])
    )
    found: list[Rest] = []
    for each in tx.scalars(told.order_by(AuditEventRow.position)):
        day = each.at.astimezone(zone).date()
        if each.event == "disputed" and (not found or found[-1].until is not None):
            found.append(Rest(since=day))
        elif each.event == "dispute ended" and found:
            found[-1] = Rest(since=found[-1].since, until=day)
    return tuple(found)


def _policy(company: Company, row: InvoiceRow) -> DunningPolicy:
    client = company.client(row.client)
    return (company.dunning_policy(client.dunning) if client else None) or NO_POLICY
