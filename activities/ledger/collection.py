"""Collection in the ledger: what was done to get the money, and what stops it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, checkouts, instalments, invoices, payments
from activities.ledger.actors import check_person
from activities.ledger.tables import AuditEventRow, CollectionActRow, InvoiceRow, PaymentRow
from billing.company import Company
from billing.dunning_policy import NO_POLICY, Act, CollectionFacts, DunningPolicy
from billing.errors import Refused, WrongState
from billing.payment_terms import late_from_day
from billing.status import ISSUED, CollectionStatus, DocumentStatus, PaymentStatus

LONGEST_HOLD = timedelta(days=365)

FURTHEST = timedelta(days=365)
"""No promise, no due date lies further ahead: a slip in the year would put collection to sleep for good."""


def facts(tx: Session, row: InvoiceRow) -> CollectionFacts:
    """What `next_step` needs to know about an issued invoice."""
    acts = tx.scalars(select(CollectionActRow).where(CollectionActRow.invoice == row.id)).all()
    plan = plan_now(tx, row)
    if row.due_date is None or row.late_from is None:
        raise WrongState(f"{row.billing_key} is {row.document_status}: it has no due date yet")
    return CollectionFacts(
        due_date=row.agreed_due_date or row.due_date,
        late_from=row.late_from,
        open_amount=payments.open_amount(row),
        credited=row.document_status == DocumentStatus.CREDITED,
        written_off=row.payment_status == PaymentStatus.WRITTEN_OFF,
        handed_over=row.handed_over_at is not None,
        done=frozenset(act.act for act in acts if act.plan == plan),
        last_act_at=max([*(act.done_at for act in acts), *_began_anew(tx, row)], default=None),
        disputed_until=row.disputed_until if row.disputed else None,
        undisputed=_undisputed(row),
        rested_days=row.rested_days,
        notice_until=row.notice_until,
        held_until=row.held_until,
        under_way_until=checkouts.under_way_until(tx, row),
        promised_for=row.promised_for,
    )


def _undisputed(row: InvoiceRow) -> Decimal:
    """What of the open amount nobody disputes."""
    if row.disputed is None:
        return row.open_amount
    return Decimal(0) if row.disputed_amount is None else row.open_amount - row.disputed_amount


def _began_anew(tx: Session, row: InvoiceRow) -> list[datetime]:
    """Instants from which the client gets the same breath as after a message: delivery, and money taken back."""
    taken_back = tx.scalar(
        select(func.max(PaymentRow.recorded_at)).where(PaymentRow.invoice == row.id, PaymentRow.amount < 0)
    )
    return [each for each in (row.delivered_at, taken_back) if each is not None]


def plan_now(tx: Session, row: InvoiceRow) -> int:
    """The payment plan whose levels count; 0 without one."""
    running = instalments.plan(tx, row)
    return running.id if running else 0


def done(
    tx: Session, row: InvoiceRow, act: str, *, planned_for: datetime, message: str | None, at: datetime
) -> None:
    """Records that an act was really done; once an invoice and payment plan."""
    tx.add(
        CollectionActRow(
            invoice=row.id,
            act=act,
            plan=plan_now(tx, row),
            planned_for=planned_for,
            done_at=at,
            message=message,
        )
    )
    audit_trail.record(tx, row, act, at=at, planned_for=planned_for, message=message)


def hold(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    until: datetime,
    reason: str,
    by: str,
    channel: str,
    at: datetime,
) -> None:
    """Nobody is reminded before `until`; the level is kept. The same again changes nothing.

    `Refused` without a reason or for over a year.
    """
    check_open(row)
    check_person(company, by)
    if not reason.strip():
        raise Refused("say why: a hold needs a reason")
    if until <= at:
        raise Refused("a hold must end in the future")
    if until - at > LONGEST_HOLD:
        raise Refused("a hold ends after a year at the latest; set an earlier day")
    if row.held_until == until and _held_because(tx, row) == reason:
        return
    row.held_until = until
    row.collection_status = CollectionStatus.BLOCKED
    audit_trail.record(tx, row, "held", at=at, actor=by, channel=channel, until=until, reason=reason)
    invoices.wake(tx, row, at)


def _held_because(tx: Session, row: InvoiceRow) -> str | None:
    """Why the invoice was held last."""
    held = select(AuditEventRow.facts["reason"].astext).where(
        AuditEventRow.invoice == row.id, AuditEventRow.event == "held"
    )
    return tx.scalar(held.order_by(AuditEventRow.position.desc()).limit(1))


def release(tx: Session, row: InvoiceRow, company: Company, *, by: str, channel: str, at: datetime) -> None:
    """Ends a hold before its time; collection goes on at the level where it stood."""
    check_open(row)
    check_person(company, by)
    if row.held_until is None or row.held_until <= at:
        raise WrongState(f"{row.number} is not on hold")
    row.held_until = None
    row.collection_status = status_without_hold(tx, row, client_today(row, company, at), at)
    audit_trail.record(tx, row, "released", at=at, actor=by, channel=channel)
    invoices.wake(tx, row, at)


def status_without_hold(tx: Session, row: InvoiceRow, today: date, at: datetime) -> CollectionStatus:
    """Where collection of an open invoice stands if nothing holds it; `today` is the client's."""
    if row.handed_over_at is not None:
        return CollectionStatus.HANDED_OVER
    if wholly_disputed(row):
        return CollectionStatus.DISPUTED
    if row.promised_for is not None and row.promised_for >= today:
        return CollectionStatus.PROMISED
    reminded = exists().where(
        CollectionActRow.invoice == row.id,
        CollectionActRow.plan == plan_now(tx, row),
        CollectionActRow.act.startswith(f"{Act.REMINDER}-"),
    )
    if tx.scalar(select(reminded)):
        return CollectionStatus.REMINDED
    return CollectionStatus.NOT_DUE if _early(row, at) else CollectionStatus.DUE


def change_due_date(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    to: date,
    reason: str,
    by: str,
    channel: str,
    at: datetime,
) -> None:
    """Another due date was agreed, later or earlier: levels count from it now. The issued document stays as it is.

    Levels already sent stay sent. The day that holds already changes nothing. `Refused` before the issue date, over a
    year ahead, or without a reason.
    """
    check_open(row)
    check_person(company, by)
    if not reason.strip():
        raise Refused("say why: a changed due date needs a reason")
    if row.issue_date is not None and to < row.issue_date:
        raise Refused(f"the due date cannot be before the issue date {row.issue_date.isoformat()}")
    check_not_too_far(to, client_today(row, company, at))
    client = company.client(row.client)
    was = row.agreed_due_date or row.due_date
    if was == to and not instalments.standing(tx, row):
        return
    plan = instalments.end_plan(tx, row, "another due date was agreed", at)
    tx.flush()
    row.agreed_due_date = to
    row.rested_days = 0
    row.late_from = late_from_day(to, client.zone if client else "UTC")
    if row.collection_status in (CollectionStatus.NOT_DUE, CollectionStatus.DUE):
        row.collection_status = CollectionStatus.NOT_DUE if _early(row, at) else CollectionStatus.DUE
    ended = {"plan_ended": plan.id} if plan else {}
    audit_trail.record(
        tx, row, "due date changed", at=at, actor=by, channel=channel, to=to, was=was, reason=reason, **ended
    )
    invoices.wake(tx, row, at)


def check_open(row: InvoiceRow) -> None:
    """`WrongState` unless it is an issued invoice whose money is still waited for."""
    if row.document_status not in ISSUED:
        raise WrongState(f"{row.billing_key} is {row.document_status}; only an issued invoice is collected")
    if row.closed_at is not None:
        raise WrongState(f"{row.number} is closed: {row.payment_status}, {row.collection_status}")


def policy_of(row: InvoiceRow, company: Company) -> DunningPolicy:
    """The dunning policy of the invoice's client."""
    client = company.client(row.client)
    return (company.dunning_policy(client.dunning) if client else None) or NO_POLICY


def wholly_disputed(row: InvoiceRow) -> bool:
    """Whether nothing is open but what is disputed."""
    return row.disputed is not None and (
        row.disputed_amount is None or row.open_amount <= row.disputed_amount
    )


def client_today(row: InvoiceRow, company: Company, at: datetime) -> date:
    """The day it is for the client."""
    client = company.client(row.client)
    return at.astimezone(ZoneInfo(client.zone if client else "UTC")).date()


def check_not_too_far(day: date, today: date) -> None:
    if day - today > FURTHEST:
        raise Refused(f"{day.isoformat()} is too far ahead; write a day within a year")


def _early(row: InvoiceRow, at: datetime) -> bool:
    return row.late_from is None or row.late_from > at
