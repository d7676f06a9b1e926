"""Money that was owed and went back to the client by hand at a provider: somebody says why, before anybody reminds.

Whoever gives money back where it was taken means something by it: the work was not wanted, or it was a slip. The client
would be asked for it by the next reminder; until a person has decided, an exception on the invoice holds collection.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from activities.ledger import exceptions, invoices
from activities.ledger.tables import InvoiceRow
from billing.company import Company
from billing.exceptions import Finding, ReasonCode
from billing.money import Money, rounded


def noticed(
    tx: Session, row: InvoiceRow, amount: Money, company: Company, *, where: str, at: datetime
) -> None:
    """Asks the owner what becomes of it, if the invoice (locked before) asks for money again; once until decided."""
    if row.open_amount <= 0 or any(
        each.code == ReasonCode.PAID_BACK for each in invoices.open_exceptions(tx, row)
    ):
        return
    owed = Money.of(rounded(row.open_amount, amount.currency), amount.currency)
    finding = Finding(
        code=ReasonCode.PAID_BACK,
        message=f"{amount} of {row.number} went back to the client at {where}, so {owed} is open again; credit it or "
        "write it off if it shall not be paid, or accept that the client owes it: reminders wait until then",
        field="payment",
        left=f"{row.number} {owed}",
        right=f"{where} {amount}",
    )
    exceptions.raise_one(tx, row, finding, company, at=at)


def over(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """The invoice was credited, written off, or paid after all: nothing is to be decided any more."""
    exceptions.close_code(tx, row, ReasonCode.PAID_BACK, at=at)
