"""Money that went back and is open again, though the client may not owe it: somebody decides before anybody reminds.

Whoever gives money back where a provider took it means something by it: the work was not wanted, or it was a slip. And
what was written off, then paid, then taken back was given up once. The client would be asked for it by the next
reminder; until a person has decided, an exception on the invoice holds collection.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import company_records, exceptions, invoices
from activities.ledger.giving_up import Kind, Status
from activities.ledger.tables import GivingUpRow, InvoiceRow
from billing.company import Company
from billing.exceptions import Finding, ReasonCode
from billing.money import Money, rounded


def by_provider(
    tx: Session, row: InvoiceRow, amount: Money, company: Company, *, where: str, at: datetime
) -> None:
    """What was owed was given back there: asks what becomes of it, if the invoice (locked) asks for money again."""
    said = f"{amount} of {row.number} went back to the client at {where}"
    _ask(tx, row, said, "credit it or write it off if it shall not be paid", f"{where} {amount}", company, at)


def given_up_before(tx: Session, row: InvoiceRow, amount: Money, *, at: datetime) -> None:
    """The same where a payment went back that had come for what was written off: it is open again, and given up by
    nobody. Does nothing for an invoice of which nothing ever was."""
    written_off = select(GivingUpRow.id).where(
        GivingUpRow.invoice == row.id, GivingUpRow.kind == Kind.WRITE_OFF, GivingUpRow.status == Status.DONE
    )
    if row.open_amount <= 0 or tx.scalar(written_off.limit(1)) is None:
        return
    said = f"{amount} of {row.number}, of which some was written off before, went back"
    _ask(tx, row, said, "write it off again", f"taken back {amount}", company_records.current(tx).company, at)


def _ask(
    tx: Session, row: InvoiceRow, said: str, instead: str, right: str, company: Company, at: datetime
) -> None:
    """One question an invoice, until it is decided."""
    open_ones = invoices.open_exceptions(tx, row)
    if row.open_amount <= 0 or any(each.code == ReasonCode.PAID_BACK for each in open_ones):
        return
    owed = Money.of(rounded(row.open_amount, row.currency or ""), row.currency or "")
    finding = Finding(
        code=ReasonCode.PAID_BACK,
        message=f"{said}, so {owed} is open again; {instead}, or accept that the client owes it: "
        "reminders wait until then",
        field="payment",
        left=f"{row.number} {owed}",
        right=right,
    )
    exceptions.raise_one(tx, row, finding, company, at=at)


def over(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """The invoice was credited, written off, or paid after all: nothing is to be decided any more."""
    exceptions.close_code(tx, row, ReasonCode.PAID_BACK, at=at)
