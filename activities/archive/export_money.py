"""Money in the auditor's zip besides payments: what was given up or refunded, what came for no invoice, the bank."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import Session

from activities.ledger.tables import (
    BankEntryRow,
    BankStatementRow,
    GivingUpRow,
    InvoiceRow,
    UnmatchedPaymentRow,
)
from billing.company import Company
from billing.money import rounded

GIVEN_UP = (
    "invoice", "payment", "kind", "amount", "currency", "reason", "method", "status", "asked by", "asked at",
    "decided by", "decided at", "comment", "done at",
)  # fmt: skip
WITHOUT_INVOICE = (
    "payment", "key", "amount", "currency", "received on", "payer", "payer account", "reference", "source",
    "recorded at", "recorded by", "client", "allocated", "decided at", "decided by", "decision",
)  # fmt: skip
BANK = (
    "account", "statement", "position", "booked on", "valued on", "amount", "currency", "counterparty",
    "counterparty account", "reference", "text", "code", "outcome", "because", "client",
)  # fmt: skip

_AT_A_TIME = 500


def without_invoice(
    company: Company, issuer: str, since: date, until: date, client: str | None
) -> ColumnElement[bool]:
    """Which payments came for no invoice of the issuer, from `since` to `until`, both included, of a client or of all.

    Whose money it is says the client, where somebody knows it, else the account on which it came. What came otherwise
    and is nobody's yet may be any issuer's.
    """
    in_time = UnmatchedPaymentRow.received_on.between(since, until)
    if client is not None:
        return and_(in_time, UnmatchedPaymentRow.client == client)
    clients = [each.id for each in company.clients if each.issuer == issuer]
    entry = (
        select(BankStatementRow.issuer)
        .join(BankEntryRow, BankEntryRow.statement == BankStatementRow.id)
        .where(BankEntryRow.unmatched == UnmatchedPaymentRow.id)
    )
    on_our_account = exists(entry.where(BankStatementRow.issuer == issuer))
    nobodys = and_(UnmatchedPaymentRow.client.is_(None), or_(on_our_account, ~exists(entry.where(true()))))
    return and_(in_time, or_(UnmatchedPaymentRow.client.in_(clients), nobodys))


def payments_without_invoice(tx: Session, within: ColumnElement[bool]) -> Iterator[tuple[object, ...]]:
    """Payments that matched no invoice, and what was decided about each; `allocated` of it stands on invoices."""
    query = select(UnmatchedPaymentRow).where(within).order_by(UnmatchedPaymentRow.id)
    for each in tx.scalars(query.execution_options(yield_per=_AT_A_TIME)):
        yield (
            each.id,
            each.key,
            rounded(each.amount, each.currency),
            each.currency,
            each.received_on,
            each.payer,
            each.payer_account,
            each.reference,
            each.source,
            each.recorded_at.isoformat(),
            each.recorded_by,
            each.client or "",
            rounded(each.allocated, each.currency),
            each.resolved_at.isoformat() if each.resolved_at else "",
            each.resolved_by or "",
            each.resolution or "",
        )


def given_up(
    tx: Session, within: ColumnElement[bool], unmatched: ColumnElement[bool]
) -> Iterator[tuple[object, ...]]:
    """Write-offs, refunds and credit notes somebody had to agree to, of these invoices, or of these payments without
    one, whatever became of them."""
    query = (
        select(GivingUpRow, InvoiceRow.number)
        .outerjoin(InvoiceRow, InvoiceRow.id == GivingUpRow.invoice)
        .outerjoin(UnmatchedPaymentRow, UnmatchedPaymentRow.id == GivingUpRow.unmatched)
        .where(
            or_(
                and_(GivingUpRow.invoice.is_not(None), within),
                and_(GivingUpRow.unmatched.is_not(None), unmatched),
            )
        )
        .order_by(GivingUpRow.id)
    )
    for each, number in tx.execute(query.execution_options(yield_per=_AT_A_TIME)):
        yield (
            number or "",
            each.unmatched or "",
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
