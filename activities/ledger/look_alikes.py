"""Look-alikes: another living invoice of the client over the same amount for the same time."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger.tables import InvoiceRow
from billing.draft import Draft
from billing.exceptions import Finding, ReasonCode
from billing.money import rounded
from billing.status import DocumentStatus

MOST = 20
"""Candidates looked at, newest first: a client with more equal invoices than this has a pattern, not a mistake."""


def look_alikes(tx: Session, row: InvoiceRow, draft: Draft) -> list[Finding]:
    """A finding for each living invoice of the client with the same currency, net amount and overlapping supply."""
    others = tx.scalars(
        select(InvoiceRow)
        .where(
            InvoiceRow.client == row.client,
            InvoiceRow.id != row.id,
            InvoiceRow.currency == draft.currency,
            InvoiceRow.net == draft.net,
            InvoiceRow.draft.is_not(None),
            InvoiceRow.document_status != DocumentStatus.VOIDED,
        )
        .order_by(InvoiceRow.id.desc())
        .limit(MOST)
    )
    return [
        _finding(other, draft) for other in others if _same_time(Draft.model_validate(other.draft), draft)
    ]


def _same_time(one: Draft, other: Draft) -> bool:
    if one.supply is None or other.supply is None:
        return one.title == other.title
    return one.supply.start <= other.supply.end and other.supply.start <= one.supply.end


def _finding(other: InvoiceRow, draft: Draft) -> Finding:
    known_as = other.number or other.billing_key
    amount = f"{rounded(draft.net, draft.currency):,} {draft.currency}"
    return Finding(
        code=ReasonCode.LOOK_ALIKE,
        message=f"{known_as} bills the same client {amount} net for the same time; void one of them, or accept both",
        field="net",
        left=amount,
        right=known_as,
    )
