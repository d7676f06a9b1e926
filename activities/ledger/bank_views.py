"""The bank as people see it: payments no invoice was found for, with what they may be for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from activities.ledger.tables import BankStatementRow, UnmatchedPaymentRow


def unmatched(tx: Session, limit: int) -> Sequence[UnmatchedPaymentRow]:
    """Those nobody has decided, the one to decide first before the others."""
    return tx.scalars(
        select(UnmatchedPaymentRow)
        .where(literal_column("unmatched_payments.resolved_at is null"))
        .order_by(UnmatchedPaymentRow.deadline, UnmatchedPaymentRow.id)
        .limit(limit)
    ).all()


def accounts(tx: Session) -> Sequence[tuple[str, str, object]]:
    """Each account of which a statement was imported: its number, currency, and until when it is known."""
    row = BankStatementRow
    query = select(row.account, row.currency, func.max(row.until)).group_by(row.account, row.currency)
    return [
        (account, currency, until) for account, currency, until in tx.execute(query.order_by(row.account))
    ]
