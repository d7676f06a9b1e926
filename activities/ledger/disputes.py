"""Disputes in the ledger: opened, brought up until somebody decides, ended. The level of collection is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import answers, audit_trail, collection, invoices, notices, promises
from activities.ledger.actors import PORTAL, check_actor, check_person
from activities.ledger.tables import DisputeRow, InvoiceRow
from billing.approval_policy import escalate_to
from billing.company import Company
from billing.dispute import DisputeCode, DisputedLine, Outcome, disputed_lines
from billing.erased import is_erased
from billing.errors import Refused, WrongState
from billing.exceptions import ReasonCode
from billing.money import Money, rounded, total
from billing.roles import Role, below
from billing.status import CollectionStatus

_DECIDED = (Outcome.REJECTED, Outcome.CREDITED, Outcome.CORRECTED)


def current(tx: Session, row: InvoiceRow) -> DisputeRow | None:
    """The dispute about the invoice that nobody has decided yet."""
    open_one = select(DisputeRow).where(DisputeRow.invoice == row.id, DisputeRow.ended_at.is_(None))
    return tx.scalars(open_one).first()


def of_invoice(tx: Session, row: InvoiceRow) -> list[DisputeRow]:
    """All disputes about the invoice, oldest first."""
    return list(tx.scalars(select(DisputeRow).where(DisputeRow.invoice == row.id).order_by(DisputeRow.id)))


def words(tx: Session, row: InvoiceRow) -> dict[int, dict[str, str]]:
    """What was written about each dispute, by its id: beside the audit trail, which keeps seals of it for ever."""
    return {each.id: {"reason": each.reason, "answer": each.answer} for each in of_invoice(tx, row)}


def _seal(text: str) -> str:
    """Proves in the audit trail what was written, and can stay there once the words are erased."""
    return hashlib.sha256(text.encode()).hexdigest()


def open(  # noqa: A001 the trade's word, always said with the module: disputes.open
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    reason: str,
    code: DisputeCode = DisputeCode.OTHER,
    lines: Collection[int] = (),
    tell_client: bool = False,
    by: str,
    channel: str,
    at: datetime,
) -> DisputeRow:
    """The client disputes the invoice, or lines of it by their positions: reminders rest for what is disputed.

    The owner must decide by a deadline. A client who wrote by the portal gets an answer that it was received, others
    where `tell_client` says so. `WrongState` if it is disputed already, `Refused` without a reason.
    """
    collection.check_open(row)
    check_actor(row, company, by=by, channel=channel)
    if not reason.strip():
        raise Refused("say why the client disputes it")
    if (earlier := current(tx, row)) is not None:
        raise WrongState(
            f"{row.number} is disputed already, since {earlier.opened_at:%Y-%m-%d}: {earlier.reason}; "
            "decide that dispute first"
        )
    disputed = _disputed(row, lines)
    policy = collection.policy_of(row, company)
    dispute = DisputeRow(
        invoice=row.id,
        code=code,
        reason=reason.strip(),
        lines=[each.model_dump(mode="json") for each in disputed],
        amount=_amount(row, disputed),
        opened_at=at,
        opened_by=by,
        channel=channel,
        owner=_owner(row, company),
        deadline=at + timedelta(days=policy.decide_disputes_within_days),
    )
    tx.add(dispute)
    tx.flush()
    _show(row, dispute)
    if collection.wholly_disputed(row):
        promises.lapse(tx, row, at=at)
        row.collection_status = CollectionStatus.DISPUTED
    audit_trail.record(
        tx,
        row,
        "disputed",
        at=at,
        actor=by,
        channel=channel,
        dispute=dispute.id,
        reason_sha256=_seal(dispute.reason),
        decide_by=dispute.deadline,
        code=code,
        owner=dispute.owner,
        **({"lines": [each.line for each in disputed], "amount": dispute.amount} if disputed else {}),
    )
    if dispute.owner != by:
        notices.disputed(tx, row, dispute, company, at=at)
    if tell_client or channel == PORTAL:
        answers.prepare(tx, row, company, answers.DISPUTE_RECEIVED, occasion=str(dispute.id), at=at)
    invoices.wake(tx, row, at)
    return dispute


def end(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    outcome: Outcome,
    answer: str = "",
    by: str,
    channel: str,
    at: datetime,
) -> DisputeRow:
    """The dispute is decided: collection goes on at the level where it stood.

    The days that the whole invoice was disputed after its due date do not count for its levels, and what is still owed
    after a decision is reminded after decent notice by policy. Rejected, the client is written to with the `answer`.
    `WrongState` if it is not disputed, `Refused` for a rejection without an answer. That `by` may, the caller checks.
    """
    dispute = current(tx, row)
    if dispute is None:
        raise WrongState(f"{row.number} is not disputed")
    if outcome is Outcome.REJECTED and not answer.strip():
        raise Refused("say how the dispute was decided: the client is told")
    dispute.outcome, dispute.answer = outcome, answer.strip()
    dispute.ended_at, dispute.ended_by = at, by
    row.disputed = row.disputed_until = row.disputed_amount = None
    if dispute.amount is None:
        row.rested_days += _days_missed(row, company, dispute.opened_at, at)
    if outcome in _DECIDED:
        row.notice_until = at + timedelta(days=collection.policy_of(row, company).notice_after_dispute_days)
    if row.closed_at is None and row.collection_status == CollectionStatus.DISPUTED:
        today = collection.client_today(row, company, at)
        row.collection_status = collection.status_without_hold(tx, row, today, at)
    audit_trail.record(
        tx,
        row,
        "dispute ended",
        at=at,
        actor=by,
        channel=channel,
        outcome=outcome,
        dispute=dispute.id,
        **({"answer_sha256": _seal(dispute.answer)} if dispute.answer else {}),
        **({"notice_until": row.notice_until} if outcome in _DECIDED else {}),
    )
    if outcome is Outcome.REJECTED:
        answers.prepare(tx, row, company, answers.DISPUTE_REJECTED, occasion=str(dispute.id), at=at)
    invoices.wake(tx, row, at)
    return dispute


def reject(
    tx: Session, row: InvoiceRow, company: Company, *, answer: str, by: str, channel: str, at: datetime
) -> DisputeRow:
    """The claim stands, says a person of the company; `end` says what follows."""
    collection.check_open(row)
    check_person(company, by)
    return end(tx, row, company, outcome=Outcome.REJECTED, answer=answer, by=by, channel=channel, at=at)


def withdraw(
    tx: Session, row: InvoiceRow, company: Company, *, answer: str = "", by: str, channel: str, at: datetime
) -> DisputeRow:
    """The client disputes it no longer; said by a person of the company, or by the client itself."""
    collection.check_open(row)
    check_actor(row, company, by=by, channel=channel)
    return end(tx, row, company, outcome=Outcome.WITHDRAWN, answer=answer, by=by, channel=channel, at=at)


def attend(tx: Session, row: InvoiceRow, company: Company, *, at: datetime) -> None:
    """At its deadline the owner is asked again, from the next one on it goes up the line; it never ends with nobody."""
    dispute = current(tx, row)
    if dispute is None or dispute.deadline > at:
        return
    before = dispute.owner
    if dispute.reminded_at is not None:
        people = company.people_by_id
        dispute.owner = escalate_to(
            [dispute.owner], people, company.exceptions.default_owner, below(Role.OPERATOR, people)
        )
        dispute.escalations += 1
    dispute.reminded_at = at
    dispute.deadline = at + timedelta(days=collection.policy_of(row, company).decide_disputes_within_days)
    _show(row, dispute)
    audit_trail.record(
        tx,
        row,
        "dispute brought up again",
        at=at,
        owner=dispute.owner,
        decide_by=dispute.deadline,
        **({"was": before} if before != dispute.owner else {}),
    )
    notices.disputed(tx, row, dispute, company, at=at)


def settled(tx: Session, row: InvoiceRow, company: Company, *, how: str, at: datetime) -> None:
    """Nothing is left to decide once the invoice is settled; how, says the answer."""
    if current(tx, row) is not None:
        end(tx, row, company, outcome=Outcome.SETTLED, answer=how, by="billow", channel="workflow", at=at)


def amount_of(row: InvoiceRow) -> Money:
    """What of the invoice is disputed and still open."""
    amount = row.open_amount if row.disputed_amount is None else min(row.disputed_amount, row.open_amount)
    currency = row.currency or ""
    return Money.of(rounded(max(amount, Decimal(0)) if row.disputed else Decimal(0), currency), currency)


def taken_over(tx: Session, row: InvoiceRow, company: Company, *, reason: str, by: str, at: datetime) -> None:
    """An open item that was disputed in the system before."""
    days = collection.policy_of(row, company).decide_disputes_within_days
    dispute = DisputeRow(
        invoice=row.id,
        code=DisputeCode.OTHER,
        reason=reason,
        opened_at=at,
        opened_by=by,
        channel="cli",
        owner=_owner(row, company),
        deadline=at + timedelta(days=days),
    )
    tx.add(dispute)
    _show(row, dispute)


def _show(row: InvoiceRow, dispute: DisputeRow) -> None:
    """The invoice as lists and the rule of collection see it."""
    row.disputed, row.disputed_until, row.disputed_amount = dispute.reason, dispute.deadline, dispute.amount


def _disputed(row: InvoiceRow, lines: Collection[int]) -> tuple[DisputedLine, ...]:
    if not lines:
        return ()
    if not row.draft or is_erased(row.draft):
        raise Refused(f"the lines of {row.number} are not known here; dispute it as a whole")
    return disputed_lines(invoices.draft_of(row), lines)


def _amount(row: InvoiceRow, disputed: tuple[DisputedLine, ...]) -> Decimal | None:
    """What is disputed; None for the whole invoice, also where its lines come to all that is open."""
    amount = total(each.amount for each in disputed)
    if disputed and amount <= 0:
        raise Refused("these lines come to nothing; dispute those that are charged, or the whole invoice")
    return amount if disputed and amount < (row.gross or Decimal(0)) else None


def _owner(row: InvoiceRow, company: Company) -> str:
    """Who decides: whom the policy of exceptions names for disputes, else the account manager."""
    policy, client = company.exceptions, company.client(row.client)
    named = policy.client_owners.get(row.client) or policy.owners.get(ReasonCode.DISPUTED)
    return named or (client.account_manager if client else policy.default_owner)


def _days_missed(row: InvoiceRow, company: Company, since: datetime, until: datetime) -> int:
    """Days of a dispute on which the invoice was late, by the client's calendar: levels come that much later."""
    first: date = collection.client_today(row, company, since)
    due = row.agreed_due_date or row.due_date or first
    return max((collection.client_today(row, company, until) - max(first, due)).days, 0)
