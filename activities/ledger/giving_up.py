"""Giving money up: a write-off, a refund or a credit note that one person asks for and another agrees to.

Who agrees is `Company.payments`; small amounts need nobody else. What is agreed to is carried out by the module of its
kind. Until it is done, refused or withdrawn, it has an owner and a deadline, and is never with nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, invoices, notices
from activities.ledger.actors import check_person
from activities.ledger.exceptions import attention_at, remind_or_escalate
from activities.ledger.tables import GivingUpRow, InvoiceRow, UnmatchedPaymentRow
from billing.approval_policy import escalate_to
from billing.company import Company
from billing.errors import Conflicting, NotAllowed, NotFound, Refused, WrongState
from billing.exceptions import ReasonCode
from billing.money import Money
from billing.payment_policy import Agreeing
from billing.roles import Role, below
from billing.status import DocumentStatus

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Kind(StrEnum):
    """What is given up: a claim, money that was paid too much, or what a document asks for."""

    WRITE_OFF = "write-off"
    REFUND = "refund"
    CREDIT_NOTE = "credit note"


_POLICY = {Kind.WRITE_OFF: "write_offs", Kind.REFUND: "refunds", Kind.CREDIT_NOTE: "credit_notes"}
"""The section of company.yaml, payments, that says who agrees."""


class Status(StrEnum):
    """Where it stands. Agreed, a refund still has to be paid; failed, it was tried and has to be paid otherwise."""

    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"
    DONE = "done"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


OPEN = (Status.ASKED, Status.AGREED, Status.FAILED)
"""What waits for somebody; a refund in one of these has its money set apart."""

_CODES = {Kind.WRITE_OFF: ReasonCode.WRITE_OFF, Kind.REFUND: ReasonCode.REFUND}


def ask(
    tx: Session,
    kind: Kind,
    amount: Money,
    company: Company,
    *,
    row: InvoiceRow | None = None,
    payment: UnmatchedPaymentRow | None = None,
    reason: str,
    key: str,
    method: str = "",
    details: Mapping[str, Any] = NOTHING,
    by: str,
    channel: str,
    at: datetime,
) -> GivingUpRow:
    """Asks those who may agree, about an invoice (locked before) or a payment without one.

    `details` are what its kind needs to carry it out. Agreed at once where the policy lets a person give up so much
    alone. `Refused` without a reason, or where nobody else could agree; `Conflicting` if the key is taken (see
    `asked_before`).
    """
    check_person(company, by)
    if not reason.strip():
        raise Refused(f"say why: a {kind} needs a reason")
    if _living(tx, key) is not None:
        raise Conflicting(f"something else was asked for as {key!r} already; use another key")
    policy = policy_of(company, kind)
    alone = policy.alone(amount)
    asked = () if alone else _asked(company, policy, but=by)
    if not alone and not asked:
        raise Refused(
            f"nobody but {by} may agree to this {kind}; name others in company.yaml, payments: "
            f"{_POLICY[kind]}: approvers, or what one may give up alone"
        )
    found = GivingUpRow(
        kind=kind,
        key=_free_key(tx, key),
        invoice=row.id if row else None,
        unmatched=payment.id if payment else None,
        client=row.client if row else payment.client if payment else None,
        amount=amount.amount,
        currency=amount.currency,
        reason=reason.strip(),
        method=method,
        details=dict(details),
        asked_by=by,
        channel=channel,
        asked_at=at,
        owner=by if alone else asked[0],
        raised_at=at,
        deadline=at + timedelta(hours=policy.decide_within_hours),
        escalations=0,
        status=Status.AGREED if alone else Status.ASKED,
        decided_by=by if alone else None,
        decided_at=at if alone else None,
        comment="",
    )
    tx.add(found)
    tx.flush()
    _audit(tx, found, row, "asked", actor=by, channel=channel, at=at, reason=found.reason)
    if not alone:
        _tell(tx, found, row, company, at=at)
    return found


def key_of_day(
    tx: Session, kind: Kind, name: str, amount: Money | None, *, left: Decimal, at: datetime
) -> str:
    """The key of what is asked without one: the same amount is the same question all day.

    All of it (no amount) is another question where the earlier one was carried out and something is `left` again.
    """
    key = f"{kind}/{name}/{amount.amount if amount else 'all'}/{at.date().isoformat()}"
    while amount is None and (earlier := _living(tx, key)) and earlier.status == Status.DONE:
        later = f"{key}/{earlier.id}"
        if left <= 0 and _living(tx, later) is None:
            break
        key = later
    return key


def asked_before(
    tx: Session, kind: Kind, key: str, row: InvoiceRow | None, amount: Money | None
) -> GivingUpRow | None:
    """What was asked with that key, unless it was refused or withdrawn; a second click is the same question.

    `Conflicting` if the key stands for something else.
    """
    earlier = _living(tx, key)
    if earlier is None:
        return None
    same = (earlier.kind, earlier.invoice) == (kind, row.id if row else None)
    if not same or (amount is not None and money(earlier) != amount):
        raise Conflicting(f"{key!r} is a {earlier.kind} of {money(earlier)} already; use another key")
    return earlier


def locked(tx: Session, item: int) -> tuple[GivingUpRow, InvoiceRow | None]:
    """What was asked with that id, and its invoice, both locked: the invoice first, as every step does."""
    found = tx.get(GivingUpRow, item) if 0 < item < 2**63 else None
    if found is None:
        raise NotFound(
            f"nobody has asked for a write-off, refund or credit note {item}; `billow inbox` lists what waits"
        )
    row = invoices.locked(tx, found.invoice) if found.invoice is not None else None
    tx.refresh(found, with_for_update=True)
    return found, row


def agree(
    tx: Session,
    found: GivingUpRow,
    row: InvoiceRow | None,
    company: Company,
    *,
    by: str,
    channel: str,
    comment: str,
    at: datetime,
) -> None:
    """Another person agrees; carrying it out is the caller's. `NotAllowed` for who asked, and who is not asked."""
    _to_decide(found, company, by)
    _decide(tx, found, row, Status.AGREED, by=by, channel=channel, comment=comment, at=at)


def refuse(
    tx: Session,
    found: GivingUpRow,
    row: InvoiceRow | None,
    company: Company,
    *,
    by: str,
    channel: str,
    comment: str,
    at: datetime,
) -> None:
    """Another person refuses, and says why; things are as before it was asked for."""
    _to_decide(found, company, by)
    if not comment.strip():
        raise Refused("say why: whoever asked for it wants to know")
    _decide(tx, found, row, Status.REFUSED, by=by, channel=channel, comment=comment.strip(), at=at)


def withdraw(
    tx: Session,
    found: GivingUpRow,
    row: InvoiceRow | None,
    company: Company,
    *,
    by: str,
    channel: str,
    comment: str,
    at: datetime,
) -> None:
    """Takes back what was asked, also if it was agreed to and is not done: by who asked, agreed, or owns it."""
    check_person(company, by)
    if found.status not in OPEN:
        raise WrongState(_over(found))
    if by not in {found.asked_by, found.decided_by, *waiting_for(found, company)}:
        raise NotAllowed(
            f"{found.kind} {found.id} was asked for by {found.asked_by}, who may withdraw it; not {by}"
        )
    if not comment.strip():
        raise Refused("say why it is withdrawn")
    _decide(tx, found, row, Status.WITHDRAWN, by=by, channel=channel, comment=comment.strip(), at=at)


def end_needless(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """Withdraws what no longer fits the invoice: a write-off of nothing, refunds of more than is paid too much."""
    too_much = max(-row.open_amount, Decimal(0))
    for found in of_invoice(tx, row, *OPEN):
        if found.kind == Kind.WRITE_OFF and row.open_amount <= 0:
            comment = "nothing is left to give up"
        elif found.kind == Kind.REFUND and found.amount > too_much:
            comment = "no longer paid too much"
        elif found.kind == Kind.CREDIT_NOTE and row.document_status == DocumentStatus.CREDITED:
            comment = "nothing is left to credit"
        else:
            too_much -= found.amount if found.kind == Kind.REFUND else 0
            continue
        _withdrawn(tx, found, row, comment, at=at)


def end_of_payment(tx: Session, payment: int, *, at: datetime) -> None:
    """Withdraws the refunds of a payment without invoice that the bank has taken back: nothing is there to pay back."""
    about = select(GivingUpRow).where(GivingUpRow.unmatched == payment, is_open()).with_for_update()
    for found in tx.scalars(about).all():
        _withdrawn(tx, found, None, "the payment was taken back", at=at)


def hand_on(
    tx: Session,
    found: GivingUpRow,
    row: InvoiceRow | None,
    company: Company,
    status: Status,
    *,
    at: datetime,
    error: str | None = None,
) -> None:
    """Agreed to, or failed: from now on it waits for the owner of its kind to carry it out."""
    kind = Kind(found.kind)
    found.status, found.last_error = status, error
    found.owner = company.exceptions.owner(_CODES[kind], found.client or "")
    found.raised_at, found.reminded_at, found.escalations = at, None, found.escalations + 1
    found.deadline = at + timedelta(hours=policy_of(company, kind).decide_within_hours)
    _tell(tx, found, row, company, at=at)


def finish(found: GivingUpRow, *, at: datetime) -> None:
    """It is done."""
    found.status, found.done_at, found.last_error = Status.DONE, at, None


def attend(tx: Session, company: Company, *, at: datetime) -> None:
    """Reminds those asked half-way to the deadline, and past it goes up the line; it never ends with nobody."""
    waiting = select(GivingUpRow).where(is_open()).order_by(GivingUpRow.id).with_for_update(skip_locked=True)
    for found in tx.scalars(waiting).all():
        if attention_at(found) > at:
            continue
        before = found.owner
        remind_or_escalate(found, company, at=at)
        if found.owner != before and found.status == Status.ASKED:
            took_part = frozenset({found.asked_by}) | below(Role.OPERATOR, company.people_by_id)
            above = escalate_to([before], company.people_by_id, company.exceptions.default_owner, took_part)
            found.owner = before if above == found.asked_by else above
        row = tx.get(InvoiceRow, found.invoice) if found.invoice is not None else None
        _tell(tx, found, row, company, at=at)


def is_open() -> ColumnElement[bool]:
    """Whether it waits for somebody, in a query."""
    return GivingUpRow.status.in_(OPEN)


def of_invoice(tx: Session, row: InvoiceRow, *statuses: Status) -> Sequence[GivingUpRow]:
    """What was asked about the invoice, oldest first; of these statuses where any are named."""
    query = select(GivingUpRow).where(GivingUpRow.invoice == row.id).order_by(GivingUpRow.id)
    return tx.scalars(query.where(GivingUpRow.status.in_(statuses)) if statuses else query).all()


def set_apart(tx: Session, *, invoice: int | None = None, payment: int | None = None) -> Decimal:
    """What of the money paid too much is to be refunded; of a payment without invoice, also what was refunded."""
    about = GivingUpRow.invoice == invoice if payment is None else GivingUpRow.unmatched == payment
    statuses = OPEN if payment is None else (*OPEN, Status.DONE)
    found = tx.scalar(
        select(func.coalesce(func.sum(GivingUpRow.amount), 0)).where(
            about, GivingUpRow.kind == Kind.REFUND, GivingUpRow.status.in_(statuses)
        )
    )
    return found or Decimal(0)


def refunds_of_payments(tx: Session, payments: Sequence[int]) -> dict[int, Decimal]:
    """What of payments without invoice (their ids) was refunded or is to be, of those where there is anything."""
    query = (
        select(GivingUpRow.unmatched, func.sum(GivingUpRow.amount))
        .where(
            GivingUpRow.unmatched.in_(payments),
            GivingUpRow.kind == Kind.REFUND,
            GivingUpRow.status.in_((*OPEN, Status.DONE)),
        )
        .group_by(GivingUpRow.unmatched)
    )
    return {payment: amount for payment, amount in tx.execute(query) if payment is not None}


def open_refunds_of(tx: Session, payment: int) -> Decimal:
    """What of a payment without invoice is to be refunded and has not gone out yet."""
    found = tx.scalar(
        select(func.coalesce(func.sum(GivingUpRow.amount), 0)).where(
            GivingUpRow.unmatched == payment, GivingUpRow.kind == Kind.REFUND, is_open()
        )
    )
    return found or Decimal(0)


def waiting_for(found: GivingUpRow, company: Company) -> tuple[str, ...]:
    """Whose move it is: those who may agree, or the one who must see to it that it is done."""
    if found.status != Status.ASKED:
        return (found.owner,)
    asked = _asked(company, policy_of(company, Kind(found.kind)), but=found.asked_by)
    return tuple(dict.fromkeys([*asked, *([found.owner] if found.owner != found.asked_by else [])]))


def policy_of(company: Company, kind: Kind) -> Agreeing:
    """Who agrees to it."""
    found: Agreeing = getattr(company.payments, _POLICY[kind])
    return found


def money(found: GivingUpRow) -> Money:
    """What is to be given up."""
    return Money.of(found.amount, found.currency)


def _asked(company: Company, policy: Agreeing, *, but: str) -> tuple[str, ...]:
    """Those who may agree, the first of them first: whom the policy names, else the owner of exceptions or above.

    Nobody whose role would be refused at the doors, whatever the policy says.
    """
    never = below(Role.OPERATOR, company.people_by_id) | {but}
    named = tuple(each for each in policy.approvers if each in company.people_by_id and each not in never)
    if named:
        return named
    last_resort = company.exceptions.default_owner
    found = (
        last_resort
        if last_resort not in never
        else escalate_to([last_resort], company.people_by_id, last_resort, never)
    )
    return (found,) if found in company.people_by_id and found not in never else ()


def _to_decide(found: GivingUpRow, company: Company, by: str) -> None:
    check_person(company, by)
    if found.status != Status.ASKED:
        raise WrongState(_over(found))
    if by == found.asked_by:
        raise NotAllowed(f"{by} asked for {found.kind} {found.id}; another person must agree (four eyes)")
    asked = waiting_for(found, company)
    if by not in asked:
        raise NotAllowed(f"{by} is not asked about {found.kind} {found.id}; asked are: {', '.join(asked)}")


def _over(found: GivingUpRow) -> str:
    whom = f" by {found.decided_by}" if found.decided_by else ""
    return f"{found.kind} {found.id} is {found.status} already{whom}: it waits for no decision"


def _decide(
    tx: Session,
    found: GivingUpRow,
    row: InvoiceRow | None,
    status: Status,
    *,
    by: str,
    channel: str,
    comment: str,
    at: datetime,
) -> None:
    found.status, found.decided_by, found.decided_at, found.comment = status, by, at, comment
    _audit(tx, found, row, status, actor=by, channel=channel, at=at, comment=comment)


def _withdrawn(tx: Session, found: GivingUpRow, row: InvoiceRow | None, why: str, *, at: datetime) -> None:
    """By the story itself: what was asked for fits no longer."""
    _decide(tx, found, row, Status.WITHDRAWN, by="billow", channel="workflow", comment=why, at=at)


def _living(tx: Session, key: str) -> GivingUpRow | None:
    """The newest asked with that key, unless it was refused or withdrawn."""
    query = select(GivingUpRow).where(_has_key(key)).order_by(GivingUpRow.id.desc()).limit(1)
    newest = tx.scalars(query).first()
    return None if newest is None or newest.status in (Status.REFUSED, Status.WITHDRAWN) else newest


def _free_key(tx: Session, key: str) -> str:
    """The key, told from those that were refused or withdrawn."""
    taken = tx.scalar(select(func.count()).select_from(GivingUpRow).where(_has_key(key))) or 0
    return f"{key}#{taken + 1}" if taken else key


def _has_key(key: str) -> ColumnElement[bool]:
    return or_(GivingUpRow.key == key, GivingUpRow.key.startswith(f"{key}#", autoescape=True))


def _tell(tx: Session, found: GivingUpRow, row: InvoiceRow | None, company: Company, *, at: datetime) -> None:
    for who in waiting_for(found, company):
        notices.giving_up(tx, row, found, who, company, at=at)


def _audit(
    tx: Session,
    found: GivingUpRow,
    row: InvoiceRow | None,
    what: str,
    *,
    actor: str,
    channel: str,
    at: datetime,
    **said: object,
) -> None:
    """On the trail of the invoice, where there is one; without, the row itself tells."""
    if row is not None:
        facts = {"amount": found.amount, "currency": found.currency, "item": found.id, **said}
        audit_trail.record(tx, row, f"{found.kind} {what}", at=at, actor=actor, channel=channel, **facts)
