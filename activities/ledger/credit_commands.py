"""Commands about credit notes, each one transaction: issue one, and see what it would say."""

from __future__ import annotations

from datetime import datetime

from activities.ledger import company_records, credit_notes, crediting, disputes, invoices
from activities.ledger.about_invoice import about_invoice
from activities.ledger.crediting import Asked
from activities.ledger.database import Ledger
from billing.credit_note import Selection
from billing.draft import Draft


def preview(ledger: Ledger, reference: str, *, selection: Selection, reason: str) -> tuple[str, Draft]:
    """The number of the invoice, and its credit note as it would be issued now; nothing is changed."""
    with ledger.transaction() as tx:
        row = invoices.find(tx, reference)
        company = company_records.current(tx).company
        before = credit_notes.credited(tx, row)
        draft = credit_notes.preview(row, company, selection, before, reason=reason)
        return row.name, draft


def credit(
    ledger: Ledger,
    reference: str,
    *,
    selection: Selection,
    reason: str,
    key: str,
    bill_again: bool = False,
    dispute_goes_on: bool = False,
    by: str,
    channel: str,
    at: datetime,
) -> Asked:
    """Credits an invoice, in whole or in part: the credit note, or that another person must agree first; once a key.

    A dispute about the invoice is decided by it, unless it `dispute_goes_on` about what is left.
    """
    with about_invoice(ledger, reference) as (tx, row, company):
        dispute = None if dispute_goes_on else disputes.current(tx, row)
        asked = crediting.ask(
            tx,
            row,
            company,
            selection=selection,
            reason=reason,
            key=key,
            dispute=dispute.id if dispute else None,
            bill_again=bill_again,
            by=by,
            channel=channel,
            at=at,
        )
        tx.flush()
        tx.expunge_all()
        return asked
