"""Money in the auditor's zip besides payments: what was given up or refunded, and every movement of the bank."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from activities.ledger.tables import BankEntryRow, BankStatementRow, GivingUpRow, InvoiceRow
from billing.money import rounded

GIVEN_UP = (
    "invoice", "kind", "amount", "currency", "reason", "method", "status", "asked by", "asked at", "decided by",
    "decided at", "comment", "done at",
)  # fmt: skip
BANK = (
    "account", "statement", "position", "booked on", "valued on", "amount", "currency", "counterparty",
    "counterparty account", "reference", "text", "code", "outcome", "because", "client",
)  # fmt: skip

_AT_A_TIME = 500


def given_up(tx: Session, within: ColumnElement[bool]) -> Iterator[tuple[object, ...]]:
    """Write-offs, refunds and credit notes somebody had to agree to, of these invoices, whatever became of them."""
    query = (
        select(GivingUpRow, InvoiceRow.number)
        .join(InvoiceRow, InvoiceRow.id == GivingUpRow.invoice)
        .where(within)
        .order_by(GivingUpRow.id)
    )
    for each, number in tx.execute(query.execution_options(yield_per=_AT_A_TIME)):
        yield (
            number,
            each.kind,
            rounded(each.amount, each.currency),
            each.currency,
            each.reason,
            each.method,
            each.status,
            each.asked_by,
            each.asked_at.isoformat(),
            each.decided_by or "",
            each.decided_at.isoformat() if each.decided_at else "",
            each.comment,
            each.done_at.isoformat() if each.done_at else "",
        )


def bank(tx: Session, issuer: str, since: date, until: date) -> Iterator[tuple[object, ...]]:
    """The movements of the issuer's accounts booked from `since` to `until`, both included, and what became of each."""
    query = (
        select(BankEntryRow, BankStatementRow.account, BankStatementRow.statement)
        .join(BankStatementRow, BankStatementRow.id == BankEntryRow.statement)
        .where(BankStatementRow.issuer == issuer, BankEntryRow.booked_on.between(since, until))
        .order_by(BankStatementRow.account, BankEntryRow.booked_on, BankEntryRow.id)
    )
    for each, account, statement in tx.execute(query.execution_options(yield_per=_AT_A_TIME)):
        yield (
            account,
            statement,
            each.position,
            each.booked_on,
            each.valued_on or "",
            rounded(each.amount, each.currency),
            each.currency,
            each.counterparty,
            each.counterparty_account,
            each.structured_reference,
            each.remittance,
            each.code,
            each.outcome,
            each.because,
            each.client or "",
        )
