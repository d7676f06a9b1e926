"""How old the newest bank data are: too old, and nobody is reminded, for the money may be there already."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import bank_statements, company_exceptions, company_records, invoices
from activities.ledger.tables import InvoiceRow
from billing.dunning_policy import BANK_DATA_OLD
from billing.exceptions import Finding, ReasonCode

SUBJECT = "bank-data/"
"""How the subject of an exception about old bank data begins: `bank-data/<issuer>/<currency>`."""


def too_old(tx: Session, row: InvoiceRow, as_of: datetime) -> str:
    """Why no reminder of the invoice may go out now, by the policy of the company that runs; empty if it may."""
    return _too_old(tx, row.issuer or "", row.currency, as_of)


def _too_old(tx: Session, issuer: str, currency: str | None, as_of: datetime) -> str:
    within = company_records.current(tx).company.payments.bank_data_within_days
    if within is None:
        return ""
    until = bank_statements.newest(tx, issuer, currency)
    if until is None:
        return f"{BANK_DATA_OLD}, no statement was imported"
    return (
        "" if as_of - until <= timedelta(days=within) else f"{BANK_DATA_OLD}, from {until.date().isoformat()}"
    )


def tell(tx: Session, row: InvoiceRow, why: str, *, at: datetime) -> None:
    """Tells whoever owns such exceptions, once for an issuer and currency, until newer data come."""
    what = (
        f"reminders of {row.issuer} in {row.currency} wait: {why}; "
        "import the newest bank statement (billow import-statement FILE)"
    )
    found = Finding(code=ReasonCode.BANK_DATA_OLD, message=what, field="bank statement")
    company = company_records.current(tx).company
    company_exceptions.raise_one(tx, f"{SUBJECT}{row.issuer}/{row.currency}", found, company, at=at)


def arrived(tx: Session, issuer: str, *, at: datetime) -> None:
    """A bank statement of the issuer was imported: what waits for newer data looks again at once, if they are."""
    told = company_exceptions.open_subjects(tx, f"{SUBJECT}{issuer}/")
    ended = {each for each in told if not _too_old(tx, issuer, each.rpartition("/")[2], at)}
    if not ended:
        return
    company_exceptions.close_repaired(tx, ended, at=at)
    waiting = select(InvoiceRow).where(
        InvoiceRow.issuer == issuer,
        InvoiceRow.closed_at.is_(None),
        InvoiceRow.waits_for.contains(BANK_DATA_OLD, autoescape=True),
    )
    for row in tx.scalars(waiting.order_by(InvoiceRow.id)):
        invoices.wake(tx, row, at)
