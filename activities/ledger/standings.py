"""How an invoice stands, as the rule of allowed acts wants to know it; and how far its audit trail has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from activities.ledger import client_credit, collection, dealings, giving_up, overpayments
from activities.ledger.dealings import Dealings
from activities.ledger.giving_up import Kind
from activities.ledger.promises import PromiseOutcome
from activities.ledger.tables import AuditEventRow, InvoiceRow, UnmatchedPaymentRow
from billing.allowed_acts import Standing
from billing.company import Company
from billing.erased import is_erased
from billing.money import total
from billing.status import DocumentStatus, PaymentStatus

_OF_NO_CONSEQUENCE = frozenset(
    {
        "rendered",
        "credit note rendered",
        "sent",
        "delivered",
        "delivery delayed",
        "delivery handed on",
        "viewed",
        "exception reminded",
        "approval reminded",
        "sending again",
    }
)
"""Events after which what a person had in mind about the invoice is still right."""


def standing(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    at: datetime,
    credit: Sequence[client_credit.Credit] | None = None,
    had: Dealings | None = None,
) -> Standing:
    """The invoice as it stands at `at`; `credit` is what `credit_for` finds, and `had` what `dealings` does, where the
    caller has it already."""
    usable = credit_for(tx, row) if credit is None else credit
    had = dealings.of(tx, row, company) if had is None else had
    counted = sum(each.outcome != PromiseOutcome.WITHDRAWN for each in had.promises)
    waits = [each for each in had.given_up if each.status in giving_up.OPEN]
    return Standing(
        document_status=DocumentStatus(row.document_status),
        is_numbered=row.number is not None,
        is_closed=row.closed_at is not None,
        has_document=row.document is not None,
        has_draft=row.draft is not None,
        is_erased=is_erased(row.draft),
        is_opening_item=row.trigger == "opening item",
        is_credit_note=(row.draft or {}).get("kind") == "credit note",
        open_amount=row.open_amount,
        paid_too_much=overpayments.undecided(tx, row).amount if row.open_amount < 0 else row.open_amount * 0,
        usable_credit=total(each.left.amount for each in usable),
        is_held=row.held_until is not None and row.held_until > at,
        is_promised=any(each.outcome is None for each in had.promises),
        promises_left=collection.policy_of(row, company).promises_per_invoice - counted,
        is_disputed=row.disputed is not None,
        is_wholly_disputed=collection.wholly_disputed(row),
        has_plan=had.has_plan,
        write_off_waits=any(each.kind == Kind.WRITE_OFF for each in waits),
        is_waived=row.document_status == DocumentStatus.VOIDED and not row.rebill,
        links=len(had.links_at(at)),
    )


def credit_for(tx: Session, row: InvoiceRow) -> list[client_credit.Credit]:
    """What the client has to its credit that this invoice could be paid with; nothing where nothing is open."""
    if row.number is None or row.open_amount <= 0:
        return []
    paid = exists().where(
        InvoiceRow.client == row.client, InvoiceRow.payment_status == PaymentStatus.OVERPAID
    )
    kept = exists().where(UnmatchedPaymentRow.client == row.client, UnmatchedPaymentRow.kept_as_credit)
    if not tx.scalar(select(paid | kept)):
        return []
    return [
        each
        for each in client_credit.of(tx, row.client)
        if each.left.amount > 0
        and (each.issuer, each.left.currency) == (row.issuer, row.currency)
        and each.number != row.number
    ]


def moved_on(tx: Session, row: InvoiceRow, *, seen: int, by: str) -> str | None:
    """What happened to the invoice after that position of its audit trail that `by` did not do; None if nothing did."""
    return tx.scalars(
        select(AuditEventRow.event)
        .where(
            AuditEventRow.invoice == row.id,
            AuditEventRow.position > seen,
            AuditEventRow.actor != by,
            AuditEventRow.event.not_in(_OF_NO_CONSEQUENCE),
        )
        .order_by(AuditEventRow.position.desc())
        .limit(1)
    ).first()
