"""What living invoices bill already: entries, periods, amounts and hours, read for the draft of another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from typing import Protocol

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from activities.ledger import meters
from activities.ledger.tables import BilledItemRow, CreditNoteRow, InvoiceRow, MeterCrossingRow
from billing.agreements import Agreement
from billing.blocks import BoughtBlock
from billing.company import Company
from billing.draft import Draft
from billing.money import total
from billing.periods import Period
from billing.prepayments import Prepayment, prepayment
from billing.status import DocumentStatus, PaymentStatus


class Transactions(Protocol):
    """Where transactions are had from: the ledger, or one transaction for all questions."""

    def transaction(self) -> AbstractContextManager[Session]:
        """A transaction to read in."""


def _prepayment(tx: Session, row: InvoiceRow) -> Prepayment:
    issued = row.issue_date or date.max
    draft = Draft.model_validate(row.draft)
    settled = row.payment_status in (PaymentStatus.PAID, PaymentStatus.OVERPAID)
    notes = tx.scalars(select(CreditNoteRow.draft).where(CreditNoteRow.invoice == row.id))
    return prepayment(
        draft,
        row.number or "",
        row.item or "",
        issued,
        settled=settled,
        credited=[Draft.model_validate(each) for each in notes],
    )


class LedgerBilled:
    """Answers from the ledger, each question in a transaction of its own; the invoice `but` does not count."""

    def __init__(self, ledger: Transactions, but: int | None = None) -> None:
        self._ledger, self._but = ledger, but

    def standing_on(self, source: str, items: Collection[str]) -> Mapping[str, str | None]:
        """Those of the items that stand on an invoice, or were waived with one: to the agreement it is under."""
        if not items:
            return {}
        query = (
            select(BilledItemRow.item, InvoiceRow.agreement)
            .join(InvoiceRow, InvoiceRow.id == BilledItemRow.invoice)
            .where(BilledItemRow.source == source, BilledItemRow.item.in_(items), self._other())
        )
        with self._ledger.transaction() as tx:
            return {row.item: row.agreement for row in tx.execute(query)}

    def closed(self, agreement: str, item: str) -> tuple[Period, ...]:
        """The periods of an item that no draft can change any more: issued, or waived."""
        waived = and_(InvoiceRow.document_status == DocumentStatus.VOIDED, not_(InvoiceRow.rebill))
        query = select(InvoiceRow.period_start, InvoiceRow.period_end).where(
            InvoiceRow.agreement == agreement,
            InvoiceRow.item == item,
            InvoiceRow.period_start.is_not(None),
            or_(InvoiceRow.number.is_not(None), waived),
            self._other(),
        )
        with self._ledger.transaction() as tx:
            return tuple(Period(start=start, end=end) for start, end in tx.execute(query) if start and end)

    def net(self, agreement: str, item: str | None = None, period: Period | None = None) -> Decimal:
        """The net billed under an agreement; of one item, and of one period of it, where these are given."""
        query = select(func.coalesce(func.sum(InvoiceRow.net), 0)).where(
            InvoiceRow.agreement == agreement, self._other(), self._counts()
        )
        if item is not None:
            query = query.where(InvoiceRow.item == item)
        if period is not None:
            query = query.where(
                InvoiceRow.period_start >= period.start, InvoiceRow.period_start <= period.end
            )
        with self._ledger.transaction() as tx:
            return Decimal(tx.scalar(query) or 0)

    def quantity(self, agreement: str, item: str) -> Decimal:
        """The hours on the lines of an item's invoices."""
        query = select(InvoiceRow.draft).where(
            InvoiceRow.agreement == agreement,
            InvoiceRow.item == item,
            InvoiceRow.draft.is_not(None),
            not_(and_(InvoiceRow.document_status == DocumentStatus.VOIDED, InvoiceRow.rebill)),
            self._other(),
        )
        with self._ledger.transaction() as tx:
            drafts = [Draft.model_validate(each) for each in tx.scalars(query)]
        return total(line.quantity for draft in drafts for line in draft.lines if line.sources)

    def blocks(self, agreement: Agreement, company: Company) -> list[BoughtBlock]:
        """The prepaid blocks that have a living invoice."""
        with self._ledger.transaction() as tx:
            return meters.bought(tx, agreement, company)

    def prepayments(self, agreement: str, items: Collection[str]) -> tuple[Prepayment, ...]:
        """The issued invoices of an agreement that billed these items in advance, oldest first."""
        query = (
            select(InvoiceRow)
            .where(
                InvoiceRow.agreement == agreement,
                InvoiceRow.item.in_(items),
                InvoiceRow.number.is_not(None),
                InvoiceRow.draft.is_not(None),
                self._other(),
                self._counts(),
            )
            .order_by(InvoiceRow.id)
        )
        with self._ledger.transaction() as tx:
            return tuple(_prepayment(tx, row) for row in tx.scalars(query))

    def line_reached(self, billing_key: str) -> bool:
        """Whether a meter has reached the line that bills this key."""
        with self._ledger.transaction() as tx:
            return bool(tx.scalar(select(exists().where(MeterCrossingRow.billing_key == billing_key))))

    def _other(self) -> ColumnElement[bool]:
        return InvoiceRow.id != (self._but or 0)

    def _counts(self) -> ColumnElement[bool]:
        return InvoiceRow.document_status.not_in((DocumentStatus.VOIDED, DocumentStatus.CREDITED))
