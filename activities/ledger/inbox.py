"""What waits for a person: approvals, exceptions, disputes, unmatched payments, write-offs, refunds; and how many."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    all_,
    and_,
    any_,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from activities.ledger import client_credit, company_records, giving_up, invoices, overpayments, owed_again
from activities.ledger.company_exceptions import EVENT, INTEGRATION
from activities.ledger.exceptions import Resolution
from activities.ledger.read_models import Counts, InboxItem, InboxLine, Sum, Waiting
from activities.ledger.summaries import BUYER, exact, is_open
from activities.ledger.tables import (
    ApprovalRow,
    DisputeRow,
    ExceptionRow,
    GivingUpRow,
    InvoiceRow,
    UnmatchedPaymentRow,
)
from activities.ledger.unmatched_payments import PAID_BACK_TWICE
from billing.company import Company
from billing.exceptions import ACCEPTABLE, OVERRIDE_HELPS, Finding, ReasonCode
from billing.money import rounded
from billing.status import DocumentStatus

_OF_MONEY = (overpayments.SUBJECT, client_credit.SUBJECT, owed_again.SUBJECT, PAID_BACK_TWICE)
"""Exceptions whose amount is money as it moved, with its tax."""

INBOX_LINES = 3
"""How many lines of a draft an inbox item carries; the whole draft is in `invoice`."""

_INBOX = (
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


def inbox(
    tx: Session, whose: Whose, as_of: datetime, limit: int = 200, after: Reached | None = None
) -> list[InboxItem]:
    """What waits, oldest deadline first, behind `after`; for people only what one of them may decide or owns."""
    people = _people(whose)
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
    items += [each for each in _given_up(tx, people, as_of) if after is None or reached(each) > after]
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


def _people(whose: Whose) -> frozenset[str] | None:
    if whose is None:
        return None
    return frozenset({whose} if isinstance(whose, str) else whose)


def waiting_approvals(people: frozenset[str] | None) -> Select[Any]:
    query = (
        select(
            ApprovalRow.id,
            ApprovalRow.tier,
            ApprovalRow.asked,
            ApprovalRow.approved_by,
            ApprovalRow.asked_at,
            ApprovalRow.deadline,
            ApprovalRow.digest,
            *_INBOX,
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
    query = (
        select(
            ExceptionRow.id,
            ExceptionRow.finding,
            ExceptionRow.owner,
            ExceptionRow.raised_at,
            ExceptionRow.deadline,
            *_INBOX,
        )
        .join(InvoiceRow, InvoiceRow.id == ExceptionRow.invoice)
        .where(ExceptionRow.resolved_at.is_(None))
        .order_by(ExceptionRow.deadline, ExceptionRow.id)
    )
    return query if people is None else query.where(ExceptionRow.owner.in_(people))


def open_company_exceptions(people: frozenset[str] | None) -> Select[Any]:
    drafted = aliased(InvoiceRow)
    name = (
        select(drafted.draft["buyer"]["name"].astext)
        .where(drafted.client == ExceptionRow.client, drafted.draft.is_not(None))
        .order_by(drafted.due_date.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(ExceptionRow, name.label("buyer"))
        .where(ExceptionRow.subject.is_not(None), ExceptionRow.resolved_at.is_(None))
        .order_by(ExceptionRow.deadline, ExceptionRow.id)
    )
    return query if people is None else query.where(ExceptionRow.owner.in_(people))


def open_disputes(people: frozenset[str] | None) -> Select[Any]:
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
            *_INBOX,
        )
        .join(InvoiceRow, InvoiceRow.id == DisputeRow.invoice)
        .where(DisputeRow.ended_at.is_(None))
        .order_by(DisputeRow.deadline, DisputeRow.id)
    )
    return query if people is None else query.where(DisputeRow.owner.in_(people))


def unmatched_payments(people: frozenset[str] | None) -> Select[Any]:
    query = (
        select(UnmatchedPaymentRow)
        .where(UnmatchedPaymentRow.resolved_at.is_(None))
        .order_by(UnmatchedPaymentRow.deadline, UnmatchedPaymentRow.id)
    )
    return query if people is None else query.where(UnmatchedPaymentRow.owner.in_(people))


def given_up(people: frozenset[str] | None) -> Select[Any]:
    """Write-offs and refunds that wait; for people, those they own: who else may agree is for the policy to say."""
    query = select(GivingUpRow).where(giving_up.is_open()).order_by(GivingUpRow.deadline, GivingUpRow.id)
    return query if people is None else query.where(GivingUpRow.owner.in_(people))


def _given_up(tx: Session, people: frozenset[str] | None, as_of: datetime) -> list[InboxItem]:
    found = tx.scalars(given_up(None)).all()
    if not found:
        return []
    company = company_records.current(tx).company
    rows = {
        row.id: row
        for row in tx.execute(
            select(InvoiceRow.id, *_INBOX).where(InvoiceRow.id.in_([each.invoice for each in found]))
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


def resolutions_of(finding: Finding, *, issued: bool) -> tuple[str, ...]:
    accept = (Resolution.ACCEPT,) if finding.code in ACCEPTABLE else ()
    override = (Resolution.OVERRIDE,) if not issued and finding.code in OVERRIDE_HELPS else ()
    if finding.code is ReasonCode.PAID_BACK:  # nothing is to be looked at again
        return accept
    return (Resolution.RETRY, *accept, *override, *(() if issued else (Resolution.VOID,)))


def resolutions_without_invoice(subject: str) -> tuple[str, ...]:
    """Billow looks again at an event or a system when it is asked to; at everything else by itself, in each run."""
    if subject.startswith((EVENT, INTEGRATION)):
        return (Resolution.RETRY, Resolution.ACCEPT)
    return (Resolution.ACCEPT,)


def waiting(tx: Session, as_of: datetime, person: str | None = None, team: Collection[str] = ()) -> Waiting:
    """How much waits; `mine` counts what waits for `person`, `team` what does for any of these people.

    The time it takes grows with what waits alone.
    """
    mine, theirs = _people(person or ()), _people(team)
    approvals_waiting, exceptions_open, without_invoice, payments_open, disputed, given, ours, others = (
        tx.execute(
            select(
                _number_of(waiting_approvals(None)),
                _number_of(open_exceptions(None)),
                _number_of(open_company_exceptions(None)),
                _number_of(unmatched_payments(None)),
                _number_of(open_disputes(None)),
                _number_of(given_up(None)),
                _owned(mine) if mine else literal(0),
                _owned(theirs) if theirs else literal(0),
            )
        ).one()
    )
    return Waiting(
        approvals=approvals_waiting,
        exceptions=exceptions_open + without_invoice,
        payments=payments_open,
        given_up=given,
        disputes=disputed,
        mine=ours + (len(_given_up(tx, mine, as_of)) if given and mine else 0),
        team=others + (len(_given_up(tx, theirs, as_of)) if given and theirs else 0),
    )


def _owned(people: frozenset[str]) -> ColumnElement[int]:
    return (
        _number_of(waiting_approvals(people))
        + _number_of(open_exceptions(people))
        + _number_of(open_company_exceptions(people))
        + _number_of(open_disputes(people))
        + _number_of(unmatched_payments(people))
    )


def counts(tx: Session, as_of: datetime, person: str | None = None, team: Collection[str] = ()) -> Counts:
    """How much waits, is open and is late, by currency."""
    some = select(InvoiceRow.id).limit(Counts.MOST_COUNTED).subquery()
    total = tx.scalars(select(func.count()).select_from(some)).one()
    late = InvoiceRow.late_from <= as_of
    owed = InvoiceRow.open_amount
    sums = tx.execute(
        select(
            InvoiceRow.currency,
            func.count(),
            func.sum(owed),
            func.count().filter(late),
            func.sum(owed).filter(late),
        )
        .where(is_open())
        .group_by(InvoiceRow.currency)
        .order_by(InvoiceRow.currency)
    ).all()
    return Counts(
        **waiting(tx, as_of, person, team).model_dump(),
        invoices=total,
        open=tuple(_sum(currency, count, amount) for currency, count, amount, _, _ in sums),
        late=tuple(_sum(currency, count, amount) for currency, _, _, count, amount in sums if count),
    )


def _number_of(items: Select[Any]) -> ScalarSelect[int]:
    return items.order_by(None).with_only_columns(func.count()).scalar_subquery()


def _sum(currency: str | None, count: int, amount: Decimal | None) -> Sum:
    return Sum(currency=currency or "", count=count, amount=rounded(amount or Decimal(0), currency or "EUR"))
