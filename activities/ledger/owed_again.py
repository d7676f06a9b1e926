"""What is owed for an invoice that is credited in full: its client has the money back twice, and a person asks for it.

The document asks for nothing any more, so no reminder can: it would ask for what the credit note says is not owed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from activities.ledger import company_exceptions, company_records
from activities.ledger.tables import InvoiceRow
from billing.exceptions import Finding, ReasonCode
from billing.money import Money, rounded
from billing.status import DocumentStatus

SUBJECT = "owed-again/"
"""How the subject of such an exception begins: `owed-again/<number>`."""


def look(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """Raises the exception about a credited invoice (locked before), or closes it once nothing is owed."""
    if row.document_status != DocumentStatus.CREDITED:
        return
    subject = f"{SUBJECT}{row.number}"
    owed = Money.of(rounded(row.open_amount, row.currency or ""), row.currency or "")
    if owed.amount <= 0:
        company_exceptions.close_repaired(tx, [subject], at=at)
        return
    company_exceptions.raise_one(
        tx,
        subject,
        Finding(
            code=ReasonCode.PAYMENT_REVERSED,
            message=f"{row.number} is credited in full, and {owed} more went back than had come; "
            "nobody is reminded for it: write to the client and book what comes, or write it off",
            field="payment",
            left=f"{row.number} {owed}",
        ),
        company_records.current(tx).company,
        client=row.client,
        at_stake=owed,
        at=at,
    )
