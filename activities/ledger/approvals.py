"""Approvals in the ledger: who is asked about which draft, what they claim, and what counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import absences, audit_trail, company_records, invoices, notices
from activities.ledger.tables import ApprovalRow, ClaimRow, InvoiceRow
from billing import approval_round
from billing.approval_policy import ApprovalTier, Claim, Standing, Verdict, judge, may_decide
from billing.company import Company
from billing.exceptions import Finding, ReasonCode
from billing.parties import Person
from billing.roles import Role, below
from billing.status import DocumentStatus

WAITING, APPROVED, REJECTED, OVERTAKEN = "waiting", "approved", "rejected", "overtaken"


@dataclass(frozen=True)
class Decision:
    """What became of a claim: `refused` says why it does not count, None that it does."""

    invoice: InvoiceRow
    refused: str | None


def next_tier(tx: Session, row: InvoiceRow, company: Company) -> ApprovalTier | None:
    """The first tier that must still agree to the draft as it is now; None when nobody needs to.

    A tier whose approver has since taken part in the draft must agree anew.
    """
    given = agreed(tx, row)
    required = approval_round.tiers_for(company.approvals, invoices.draft_of(row), row.trigger)
    return next((tier for tier in required if tier.id not in given), None)


def agreed(tx: Session, row: InvoiceRow) -> frozenset[str]:
    """The tiers that have agreed to the draft as it is now."""
    approved = tx.scalars(
        select(ApprovalRow).where(
            ApprovalRow.invoice == row.id,
            ApprovalRow.digest == row.draft_digest,
            ApprovalRow.status == APPROVED,
        )
    )
    return frozenset(each.tier for each in approved if not set(each.approved_by) & set(row.took_part))


def waiting(tx: Session, row: InvoiceRow) -> ApprovalRow | None:
    """The question that waits for an answer, if any."""
    return tx.scalars(
        select(ApprovalRow).where(ApprovalRow.invoice == row.id, ApprovalRow.status == WAITING)
    ).first()


def withdraw(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """Takes back the question that waits, if any: what it asks about is no longer what would be issued."""
    pending = waiting(tx, row)
    if pending is not None:
        pending.status = OVERTAKEN
        audit_trail.record(
            tx, row, "approval withdrawn", at=at, tier=pending.tier, draft_digest=pending.digest
        )


def ask(
    tx: Session, row: InvoiceRow, tier: ApprovalTier, company: Company, *, at: datetime
) -> Finding | ApprovalRow:
    """Asks a tier about the draft, once; a finding if nobody in it may decide."""
    day, took_part = _day(row, company, at), frozenset(row.took_part)
    people = _as_of_now(tx, absences.people_on(tx, company, day))
    pending = waiting(tx, row)
    if pending is not None and (pending.digest, pending.tier) != (row.draft_digest, tier.id):
        withdraw(tx, row, at=at)
        pending = None
    last_resort = company.exceptions.default_owner
    asked = approval_round.whom_to_ask(tier, people, last_resort, took_part, day)
    if not asked:
        withdraw(tx, row, at=at)
        return Finding(
            code=ReasonCode.REJECTED_BY_POLICY,
            message=f"nobody may approve in tier {tier.id!r}: each of its approvers took part in this draft, "
            "or has not the role approver; add an approver to approvals.yaml, or the role to people.yaml, and apply "
            "it, or void this draft",
        )
    if pending is not None:
        if row.document_status != DocumentStatus.AWAITING_APPROVAL:
            row.document_status = DocumentStatus.AWAITING_APPROVAL
            audit_trail.record(tx, row, "approval goes on", at=at, tier=tier.id, draft_digest=pending.digest)
        return pending
    approval = ApprovalRow(
        invoice=row.id,
        digest=row.draft_digest or "",
        tier=tier.id,
        asked=list(asked),
        asked_at=at,
        deadline=approval_round.deadline(tier, at),
        approved_by=[],
    )
    earlier = tx.scalars(
        select(ApprovalRow).where(
            ApprovalRow.invoice == row.id, ApprovalRow.digest == approval.digest, ApprovalRow.tier == tier.id
        )
    ).first()
    if earlier is not None:
        earlier.status, earlier.asked, earlier.asked_at, earlier.deadline = (
            WAITING,
            list(asked),
            at,
            approval.deadline,
        )
        earlier.approved_by, earlier.reminded_at = [], None
        earlier.escalations += 1  # another round, so that those asked are told anew
        approval = earlier
    else:
        tx.add(approval)
    tx.flush()
    row.document_status = DocumentStatus.AWAITING_APPROVAL
    audit_trail.record(
        tx,
        row,
        "approval asked",
        at=at,
        tier=tier.id,
        asked=list(asked),
        draft_digest=approval.digest,
        until=approval.deadline,
    )
    for who in asked:
        notices.approval_asked(tx, row, approval, who, company, reminder=False, at=at)
    return approval


def attention_at(approval: ApprovalRow) -> datetime:
    """When those asked are spoken to again: half-way to the deadline, then at the deadline."""
    return approval_round.attention_at(approval.asked_at, approval.deadline, approval.reminded_at)


def attend(tx: Session, row: InvoiceRow, company: Company, *, at: datetime) -> ApprovalRow | None:
    """Reminds those asked half-way to the deadline; past it the question also goes up the line, with a new deadline.

    Those asked before may still decide. Returns the question that waits, if any.
    """
    approval = waiting(tx, row)
    if approval is None or attention_at(approval) > at:
        return approval
    hand_over(tx, row, company, at=at)
    if approval.deadline > at:
        approval.reminded_at = at
        audit_trail.record(tx, row, "approval reminded", at=at, tier=approval.tier, asked=approval.asked)
        for who in _undecided(approval):
            notices.approval_asked(tx, row, approval, who, company, reminder=True, at=at)
        return approval
    took_part = frozenset(row.took_part)
    next_up, asked = approval_round.up_the_line(
        approval.asked, _as_of_now(tx, company.people_by_id), company.exceptions.default_owner, took_part
    )
    tier = _tier(company, approval.tier)
    approval.asked_at, approval.reminded_at = at, None
    approval.deadline = approval_round.deadline(tier, at) if tier else at + timedelta(hours=24)
    approval.escalations += 1
    approval.asked = list(asked)
    audit_trail.record(tx, row, "approval escalated", at=at, tier=approval.tier, asked=approval.asked)
    for who in _undecided(approval):
        notices.approval_asked(tx, row, approval, who, company, reminder=who != next_up, at=at)
    return approval


def hand_over(tx: Session, row: InvoiceRow, company: Company, *, at: datetime) -> bool:
    """Asks those, too, who by now decide for somebody who was asked and is away; whether there were any."""
    approval = waiting(tx, row)
    tier = _tier(company, approval.tier) if approval else None
    if approval is None or tier is None:
        return False
    day = _day(row, company, at)
    people = _as_of_now(tx, absences.people_on(tx, company, day))
    passed_over = {*approval.asked, *row.took_part} | below(Role.APPROVER, people)
    more = [who for who in may_decide(tier, people, day) if who not in passed_over]
    if not more:
        return False
    approval.asked = [*approval.asked, *more]
    audit_trail.record(
        tx, row, "approval handed over", at=at, tier=approval.tier, asked=more, until=approval.deadline
    )
    for who in more:
        notices.approval_asked(tx, row, approval, who, company, reminder=False, at=at)
    return True


def _undecided(approval: ApprovalRow) -> list[str]:
    return [who for who in approval.asked if who not in approval.approved_by]


def decide(
    tx: Session, row: InvoiceRow, claim: Claim, company: Company, *, rebill: bool = False, at: datetime
) -> Decision:
    """Accepts or refuses a claim to approve or reject, audits it either way, and wakes the invoice if it counts.

    The caller holds the invoice's lock. A refusal changes nothing else.
    """
    approval = waiting(tx, row) if row.document_status == DocumentStatus.AWAITING_APPROVAL else None
    standing = Standing(
        waiting=approval is not None,
        state=row.document_status,
        tier=_tier(company, approval.tier) if approval else None,
        digest=approval.digest if approval else "",
        took_part=frozenset(row.took_part),
        approved_by=tuple(approval.approved_by) if approval else (),
        also_asked=tuple(approval.asked) if approval else (),
    )
    day = _day(row, company, at)
    refused = judge(claim, standing, _as_of_now(tx, absences.people_on(tx, company, day)), day)
    said = {"verdict": claim.verdict, "comment": claim.comment, "draft_digest": claim.draft_digest}
    if refused is not None or approval is None:
        _audit(tx, row, "decision refused", claim, at=at, because=refused, **said)
        return Decision(row, refused or "nothing to decide")
    approval.approved_by = [*approval.approved_by, claim.approver]
    rejected, tier = claim.verdict is Verdict.REJECT, standing.tier
    if rejected:
        approval.status = REJECTED
    elif tier is not None and len(approval.approved_by) >= tier.quorum:
        approval.status = APPROVED
    said = {"tier": approval.tier, "comment": claim.comment, "draft_digest": approval.digest}
    _audit(tx, row, "rejected" if rejected else "approved", claim, at=at, **said)
    if rejected:
        why = claim.comment or "rejected without a comment"
        invoices.void(tx, row, rebill=rebill, by=claim.approver, channel=claim.channel, reason=why, at=at)
    return Decision(row, None)


def _audit(tx: Session, row: InvoiceRow, event: str, claim: Claim, *, at: datetime, **facts: object) -> None:
    audit_trail.record(tx, row, event, at=at, actor=claim.approver, channel=claim.channel, **facts)


def _as_of_now(tx: Session, people: dict[str, Person]) -> dict[str, Person]:
    """The people with the roles they have now: the invoice's policy stays as it was, nobody's rights do."""
    now = company_records.current(tx).company.people_by_id
    return {
        who: person.model_copy(update={"roles": now[who].roles})
        for who, person in people.items()
        if who in now
    }


def hear(
    tx: Session,
    row: InvoiceRow,
    claim_id: str,
    claim: Claim | None,
    problem: str,
    company: Company,
    *,
    at: datetime,
) -> None:
    """A claim that came by signal: decided or refused once, however often the step is tried."""
    new = tx.execute(
        insert(ClaimRow)
        .values(claim=claim_id, invoice=row.id, heard_at=at)
        .on_conflict_do_nothing()
        .returning(ClaimRow.claim)
    ).scalar()
    if new is None:
        return
    if claim is None:
        audit_trail.record(
            tx, row, "signal refused", at=at, actor="unknown", channel="signal", because=problem
        )
        refused: str | None = problem
    else:
        refused = decide(tx, row, claim, company, at=at).refused
    tx.get_one(ClaimRow, claim_id).refused = refused


def _tier(company: Company, tier: str) -> ApprovalTier | None:
    return next((each for each in company.approvals.tiers if each.id == tier), None)


def _day(row: InvoiceRow, company: Company, at: datetime) -> date:

    issuer = company.issuer(row.issuer or "")
    return at.astimezone(ZoneInfo(issuer.zone) if issuer else UTC).date()
