"""What waits for whom, as queries: the oldest deadline first."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, all_, and_, any_, false, func, literal, literal_column, or_, select
from sqlalchemy.orm import aliased

from activities.ledger import giving_up
from activities.ledger.summaries import BUYER
from activities.ledger.tables import (
    ApprovalRow,
    DisputeRow,
    ExceptionRow,
    GivingUpRow,
    InvoiceRow,
    UnmatchedPaymentRow,
)
from billing.status import DocumentStatus

INBOX_LINES = 3
"""How many lines of a draft an inbox item carries; the whole draft is in `invoice`."""

ABOUT_INVOICE = (
    InvoiceRow.billing_key,
    InvoiceRow.generation,
    InvoiceRow.number,
    InvoiceRow.client,
    BUYER.label("buyer"),
    InvoiceRow.title,
    InvoiceRow.currency,
    InvoiceRow.gross,
    InvoiceRow.net,
    InvoiceRow.company_version,
    InvoiceRow.requested_by,
    InvoiceRow.request,
    func.jsonb_path_query_array(
        InvoiceRow.draft, literal_column(f"'$.lines[0 to {INBOX_LINES - 1}]'::jsonpath")
    ).label("lines"),
    func.coalesce(func.jsonb_array_length(InvoiceRow.draft["lines"]), 0).label("line_count"),
)

Whose = str | Collection[str] | None
"""For whom something waits: a person, any of several, or (None) anybody."""


def people_of(whose: Whose) -> frozenset[str] | None:
    """Those for whom it waits; None stands for anybody."""
    if whose is None:
        return None
    return frozenset({whose} if isinstance(whose, str) else whose)


def waiting_approvals(people: frozenset[str] | None) -> Select[Any]:
    """Drafts that wait for a decision; for people, theirs."""
    query = (
        select(
            ApprovalRow.id,
            ApprovalRow.tier,
            ApprovalRow.asked,
            ApprovalRow.approved_by,
            ApprovalRow.asked_at,
            ApprovalRow.deadline,
            ApprovalRow.digest,
            *ABOUT_INVOICE,
        )
        .join(InvoiceRow, InvoiceRow.id == ApprovalRow.invoice)
        .where(
            literal_column("approvals.status = 'waiting'"),
            InvoiceRow.document_status == DocumentStatus.AWAITING_APPROVAL,
        )
        .order_by(ApprovalRow.deadline, ApprovalRow.id)
    )
    if people is not None:
        undecided = (
            and_(literal(each) == any_(ApprovalRow.asked), literal(each) != all_(ApprovalRow.approved_by))
            for each in sorted(people)
        )
        query = query.where(or_(false(), *undecided))
    return query


def open_exceptions(people: frozenset[str] | None) -> Select[Any]:
    """What holds an invoice; for people, what they own."""
    query = (
        select(
            ExceptionRow.id,
            ExceptionRow.finding,
            ExceptionRow.owner,
            ExceptionRow.raised_at,
            ExceptionRow.deadline,
            *ABOUT_INVOICE,
        )
        .join(InvoiceRow, InvoiceRow.id == ExceptionRow.invoice)
        .where(ExceptionRow.resolved_at.is_(None))
    )
    return _theirs(query, ExceptionRow, people)


def open_company_exceptions(people: frozenset[str] | None) -> Select[Any]:
    """What is to be decided and is about no invoice; for people, what they own."""
    drafted = aliased(InvoiceRow)
    name = (
        select(drafted.draft["buyer"]["name"].astext)
        .where(drafted.client == ExceptionRow.client, drafted.draft.is_not(None))
        .order_by(drafted.due_date.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(ExceptionRow, name.label("buyer")).where(
        ExceptionRow.subject.is_not(None), ExceptionRow.resolved_at.is_(None)
    )
    return _theirs(query, ExceptionRow, people)


def open_disputes(people: frozenset[str] | None) -> Select[Any]:
    """Disputes nobody has decided; for people, what they own."""
    query = (
        select(
            DisputeRow.id,
            DisputeRow.code,
            DisputeRow.reason,
            DisputeRow.amount,
            DisputeRow.owner,
            DisputeRow.opened_at,
            DisputeRow.opened_by,
            DisputeRow.deadline,
            InvoiceRow.open_amount,
            *ABOUT_INVOICE,
        )
        .join(InvoiceRow, InvoiceRow.id == DisputeRow.invoice)
        .where(DisputeRow.ended_at.is_(None))
    )
    return _theirs(query, DisputeRow, people)


def unmatched_payments(people: frozenset[str] | None) -> Select[Any]:
    """Payments whose invoice nobody knows; for people, what they own."""
    query = select(UnmatchedPaymentRow).where(UnmatchedPaymentRow.resolved_at.is_(None))
    return _theirs(query, UnmatchedPaymentRow, people)


def given_up(people: frozenset[str] | None) -> Select[Any]:
    """Write-offs and refunds that wait; for people, those they own: who else may agree is for the policy to say."""
    query = select(GivingUpRow).where(giving_up.is_open())
    return _theirs(query, GivingUpRow, people)


def _theirs(
    query: Select[Any],
    waiting: type[ExceptionRow | DisputeRow | UnmatchedPaymentRow | GivingUpRow],
    people: frozenset[str] | None,
) -> Select[Any]:
    """The oldest deadline first; for people, what they own."""
    ordered = query.order_by(waiting.deadline, waiting.id)
    return ordered if people is None else ordered.where(waiting.owner.in_(people))
