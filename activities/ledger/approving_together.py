"""Several drafts approved at once: each as it was shown, each its own transaction, only where its tier allows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from activities.ledger import approvals, company_records, invoices
from activities.ledger.database import Ledger
from activities.ledger.tables import ApprovalRow, InvoiceRow
from billing.approval_policy import Channel, Claim, Verdict
from billing.errors import NotFound, Refused


@dataclass(frozen=True)
class Outcome:
    """What became of one of them; `refused` says why it was not approved, None that it was."""

    billing_key: str
    refused: str | None


def approve_together(
    ledger: Ledger,
    shown: Mapping[int, str],
    *,
    by: str,
    channel: Channel,
    comment: str = "",
    at: datetime,
) -> list[Outcome]:
    """Approves the questions with these ids as far as each may be; their digests are those of the drafts shown.

    One that is refused, or whose tier wants each draft looked at by itself, keeps no other from being approved.
    `Refused` where nothing was chosen.
    """
    if not shown:
        raise Refused("nothing is ticked; tick the drafts to approve together")
    done = []
    for approval, digest in sorted(shown.items()):
        with ledger.transaction() as tx:
            claim = Claim(
                verdict=Verdict.APPROVE,
                approver=by,
                channel=channel,
                comment=comment,
                draft_digest=digest,
            )
            done.append(_approve(tx, approval, claim, at=at))
    return done


def _approve(tx: Session, approval: int, claim: Claim, *, at: datetime) -> Outcome:
    asked = tx.get(ApprovalRow, approval) if 0 < approval < 2**63 else None
    if asked is None:
        raise NotFound(f"there is no approval {approval}; the inbox lists those that wait")
    row = invoices.locked(tx, asked.invoice)
    company = company_records.at_version(tx, row.company_version).company
    tier = next((each for each in company.approvals.tiers if each.id == asked.tier), None)
    if tier is None or not tier.together:
        return Outcome(row.billing_key, f"tier {asked.tier!r} wants each draft decided by itself")
    if not claim.draft_digest or asked.status != approvals.WAITING:
        return Outcome(row.billing_key, _over(asked, row))
    decision = approvals.decide(tx, row, claim, company, at=at)
    if decision.refused is None:
        invoices.wake(tx, row, at)
    return Outcome(row.billing_key, decision.refused)


def _over(asked: ApprovalRow, row: InvoiceRow) -> str:
    if asked.status == approvals.WAITING:
        return "the form does not say which draft you looked at; load the page again"
    return f"nothing to decide: the question is {asked.status}, the invoice {row.document_status}"
