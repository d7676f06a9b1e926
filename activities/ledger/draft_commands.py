"""Commands about drafts, each one transaction: end one that was never issued, or take back that it was waived."""

from __future__ import annotations

from datetime import datetime

from activities.ledger import approvals, invoices
from activities.ledger.about_invoice import about_invoice
from activities.ledger.actors import check_person
from activities.ledger.database import Ledger


def void(
    ledger: Ledger, reference: str, *, rebill: bool, reason: str, by: str, channel: str, at: datetime
) -> str:
    """Ends a draft, to be billed again or waived, whatever it waits for; returns the billing key.

    `WrongState` once it is issued or void, `Refused` without a reason.
    """
    with about_invoice(ledger, reference) as (tx, row, company):
        check_person(company, by)
        invoices.void(tx, row, rebill=rebill, by=by, channel=channel, reason=reason, at=at)
        approvals.withdraw(tx, row, at=at)
        if by not in row.took_part:
            row.took_part = [*row.took_part, by]
        invoices.wake(tx, row, at)
        return row.billing_key


def bill_again(ledger: Ledger, reference: str, *, reason: str, by: str, channel: str, at: datetime) -> str:
    """Takes back that what a voided draft would have billed was waived; returns the billing key.

    A period is billed by the next run. What an event or a person had asked for must be asked for again.
    """
    with about_invoice(ledger, reference) as (tx, row, company):
        check_person(company, by)
        invoices.bill_again(tx, row, by=by, channel=channel, reason=reason, at=at)
        return row.billing_key
