"""Look-alikes: another living invoice of the client over the same amount for the same time."""

from __future__ import annotations

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from activities.ledger.tables import InvoiceRow
from billing.draft import Draft
from billing.exceptions import Finding
from billing.look_alikes import look_alike, looks_like
from billing.status import DocumentStatus

MOST = 20
"""Candidates looked at, newest first: a client with more equal invoices than this has a pattern, not a mistake."""


def look_alikes(tx: Session, row: InvoiceRow, draft: Draft) -> list[Finding]:
    """A finding for each living invoice that may bill the same thing; the one this corrects is meant to."""
    others = tx.scalars(
        select(InvoiceRow)
        .where(
            InvoiceRow.client == row.client,
            InvoiceRow.id != row.id,
            InvoiceRow.currency == draft.currency,
            InvoiceRow.net == draft.net,
            InvoiceRow.draft.is_not(None),
            InvoiceRow.document_status.not_in((DocumentStatus.VOIDED, DocumentStatus.CREDITED)),
            InvoiceRow.number.is_distinct_from(draft.preceding) if draft.preceding else true(),
        )
        .order_by(InvoiceRow.id.desc())
        .limit(MOST)
    )
    return [
        look_alike(draft, other.name)
        for other in others
        if looks_like(draft, Draft.model_validate(other.draft))
    ]
