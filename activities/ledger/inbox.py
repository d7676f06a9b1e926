"""What waits for a person: approvals, exceptions, disputes, unmatched payments, write-offs and refunds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Row,
    Select,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from activities.ledger import client_credit, company_records, giving_up, invoices, overpayments, owed_again
from activities.ledger.read_models import InboxItem, InboxLine
from activities.ledger.resolutions import resolutions_of, resolutions_without_invoice
from activities.ledger.summaries import exact
from activities.ledger.tables import (
    ApprovalRow,
    DisputeRow,
    ExceptionRow,
    GivingUpRow,
    InvoiceRow,
    UnmatchedPaymentRow,
)
from activities.ledger.unmatched_payments import PAID_BACK_TWICE
from activities.ledger.what_waits import (
    ABOUT_INVOICE,
    Whose,
    given_up,
    open_company_exceptions,
    open_disputes,
    open_exceptions,
    people_of,
    unmatched_payments,
    waiting_approvals,
)
from billing.company import Company
from billing.exceptions import Finding, ReasonCode

_OF_MONEY = (overpayments.SUBJECT, client_credit.SUBJECT, owed_again.SUBJECT, PAID_BACK_TWICE)
"""Exceptions whose amount is money as it moved, with its tax."""


def inbox(
    tx: Session, whose: Whose, as_of: datetime, limit: int = 200, after: Reached | None = None
) -> list[InboxItem]:
    """What waits, oldest deadline first, behind `after`; for people only what one of them may decide or owns."""
    people = people_of(whose)
    items = [
        _asked(tx, row, as_of)
        for row in tx.execute(_behind(waiting_approvals(people), ApprovalRow, "approval", after).limit(limit))
    ]
    raised = _behind(open_exceptions(people), ExceptionRow, "exception", after)
    items += [_raised(row, as_of) for row in tx.execute(raised.limit(limit))]
    found = _behind(open_company_exceptions(people), ExceptionRow, "exception", after)
    items += [_found(row, as_of) for row in tx.execute(found.limit(limit))]
    disputes = _behind(open_disputes(people), DisputeRow, "dispute", after)
    items += [_disputed(row, as_of) for row in tx.execute(disputes.limit(limit))]
    payments = _behind(unmatched_payments(people), UnmatchedPaymentRow, "payment", after)
    items += [_unmatched(row, as_of) for row in tx.scalars(payments.limit(limit))]
    items += [each for each in given_up_items(tx, people, as_of) if after is None or reached(each) > after]
    return sorted(items, key=reached)[:limit]


Reached = tuple[datetime, str, int]
"""A place in the inbox: deadline, kind and id of an item."""


def reached(item: InboxItem) -> Reached:
    """The place of an item."""
    return item.deadline, item.kind, item.id


def _behind(query: Select[Any], row: Any, kind: str, after: Reached | None) -> Select[Any]:
    """What of a kind comes behind a place of the inbox."""
    if after is None:
        return query
    deadline, last, number = after
    if kind == last:
        return query.where(tuple_(row.deadline, row.id) > tuple_(deadline, number))
    return query.where(row.deadline >= deadline if kind > last else row.deadline > deadline)


def given_up_items(tx: Session, people: frozenset[str] | None, as_of: datetime) -> list[InboxItem]:
    """Write-offs, refunds and credit notes that wait; for people, those one of them may agree to or owns."""
    found = tx.scalars(given_up(None)).all()
    if not found:
        return []
    company = company_records.current(tx).company
    rows = {
        row.id: row
        for row in tx.execute(
            select(InvoiceRow.id, *ABOUT_INVOICE).where(InvoiceRow.id.in_([each.invoice for each in found]))
        )
    }
    items = [_giving_up(each, rows.get(each.invoice or 0), company, as_of) for each in found]
    return [each for each in items if people is None or people & set(each.who)]


def _item(row: Row[Any], as_of: datetime) -> dict[str, Any]:
    return {
        "billing_key": row.billing_key,
        "generation": row.generation,
        "number": row.number,
        "client": row.client,
        "client_name": row.buyer or row.client,
        "title": row.title,
        "currency": row.currency,
        "amount": exact(row.gross, row.currency),
        "net": exact(row.net, row.currency),
        "deadline": row.deadline,
        "overdue": row.deadline <= as_of,
        "lines": [InboxLine.model_validate(each) for each in row.lines or ()],
        "line_count": row.line_count,
    }


def _asked(tx: Session, row: Row[Any], as_of: datetime) -> InboxItem:
    policy = company_records.at_version(tx, row.company_version).company.approvals
    tier = next((each for each in policy.tiers if each.id == row.tier), None)
    above = tier.above.get(row.currency) if tier else None
    limit = f" (above {row.currency} {above:,})" if above is not None else ""
    more = tier.quorum - len(row.approved_by) if tier else 1
    return InboxItem(
        kind="approval",
        id=row.id,
        question="Approve this invoice?",
        why=f"Tier {row.tier}{limit} must agree" + (f"; {more} approvals are missing" if more > 1 else ""),
        code=row.tier,
        since=row.asked_at,
        who=tuple(who for who in row.asked if who not in row.approved_by),
        resolutions=("approve", "reject"),
        digest=row.digest,
        asked_by=row.requested_by,
        asked_because=invoices.asked_because(row.request),
        together=tier is not None and tier.together,
        **_item(row, as_of),
    )


def _raised(row: Row[Any], as_of: datetime) -> InboxItem:
    finding = Finding.model_validate(row.finding)
    resolutions = resolutions_of(finding, issued=row.number is not None)
    return InboxItem(
        kind="exception",
        id=row.id,
        question=" · ".join(resolutions),
        why=finding.message,
        code=finding.code,
        since=row.raised_at,
        who=(row.owner,),
        resolutions=resolutions,
        digest=None,
        **_item(row, as_of),
    )


def _found(row: Row[Any], as_of: datetime) -> InboxItem:
    exception: ExceptionRow = row.ExceptionRow
    resolutions = resolutions_without_invoice(exception.subject or "")
    return InboxItem(
        kind="exception",
        id=exception.id,
        billing_key=None,
        generation=None,
        number=None,
        client=exception.client,
        client_name=row.buyer or exception.client,
        subject=exception.subject,
        title="",
        currency=exception.currency,
        amount=exact(exception.at_stake, exception.currency),
        net=None
        if (exception.subject or "").startswith(_OF_MONEY)
        else exact(exception.at_stake, exception.currency),
        question=" · ".join(resolutions),
        why=Finding.model_validate(exception.finding).message,
        code=exception.code,
        since=exception.raised_at,
        deadline=exception.deadline,
        overdue=exception.deadline <= as_of,
        who=(exception.owner,),
        resolutions=resolutions,
        digest=None,
        lines=(),
        line_count=0,
    )


def _disputed(row: Row[Any], as_of: datetime) -> InboxItem:
    facts = _item(row, as_of) | {
        "amount": exact(row.open_amount if row.amount is None else row.amount, row.currency),
        "net": None,
        "lines": (),
        "line_count": 0,
    }
    return InboxItem(
        kind="dispute",
        id=row.id,
        question="Is the client right?",
        why=row.reason,
        code=row.code,
        since=row.opened_at,
        who=(row.owner,),
        resolutions=("reject", "withdraw"),
        digest=None,
        asked_by=row.opened_by,
        **facts,
    )


def _perhaps(row: UnmatchedPaymentRow) -> str:
    """What the payment may be for, the likeliest first."""
    if not row.suggestions:
        return "No invoice is known for this payment"
    told = (
        f"{each['number']} of {each['client']}, {each['currency']} {Decimal(each['open']):,} open "
        f"({', '.join(each['reasons'])})"
        for each in row.suggestions[:3]
    )
    return f"Perhaps for {'; or '.join(told)}"


def _unmatched(row: UnmatchedPaymentRow, as_of: datetime) -> InboxItem:
    return InboxItem(
        kind="payment",
        id=row.id,
        billing_key=None,
        generation=None,
        number=None,
        client=None,
        client_name=None,
        payer=row.payer,
        reference=row.reference,
        received_on=row.received_on,
        title="",
        currency=row.currency,
        amount=exact(row.amount - row.allocated, row.currency),
        net=None,
        question="Which invoice does it pay?",
        why=_perhaps(row),
        code=ReasonCode.UNMATCHED_PAYMENT,
        since=row.raised_at,
        deadline=row.deadline,
        overdue=row.deadline <= as_of,
        who=(row.owner,),
        resolutions=("allocate", "set aside"),
        suggested=row.suggestions[0]["number"] if row.suggestions else None,
        digest=None,
        lines=(),
        line_count=0,
    )


def _giving_up(found: GivingUpRow, row: Row[Any] | None, company: Company, as_of: datetime) -> InboxItem:
    money = giving_up.money(found)
    asked = found.status == giving_up.Status.ASKED
    by = company.person_name(found.asked_by if asked else found.decided_by or found.asked_by)
    why = f"{by} {'asks for' if asked else 'agreed to'} a {found.kind} of {money}: {found.reason}"
    if found.last_error:
        why += f"; it failed: {found.last_error}"
    return InboxItem(
        kind="giving-up",
        id=found.id,
        billing_key=row.billing_key if row else None,
        generation=row.generation if row else None,
        number=row.number if row else None,
        client=found.client,
        client_name=(row.buyer if row else None) or found.client,
        subject=None if row else f"payment {found.unmatched}",
        asked_by=found.asked_by,
        title=row.title if row else "",
        currency=found.currency,
        amount=exact(found.amount, found.currency),
        net=None,
        question=f"Agree to this {found.kind}?" if asked else "Has it been paid?",
        why=why,
        code=found.kind.replace(" ", "-"),
        since=found.raised_at,
        deadline=found.deadline,
        overdue=found.deadline <= as_of,
        who=giving_up.waiting_for(found, company),
        resolutions=("agree", "refuse") if asked else ("paid", "withdraw"),
        digest=None,
        lines=(),
        line_count=0,
    )
