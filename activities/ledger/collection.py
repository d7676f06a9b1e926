"""Collection in the ledger: what was done to get the money, and what stops it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, invoices, payments
from activities.ledger.tables import CollectionActRow, InvoiceRow, PaymentRow
from billing.company import Company
from billing.dunning_policy import Act, CollectionFacts
from billing.errors import NotAllowed, Refused, WrongState
from billing.money import Money
from billing.opening_item import OpeningItem
from billing.payment_terms import late_from_day
from billing.status import ISSUED, CollectionStatus, DocumentStatus, PaymentStatus

LONGEST_HOLD = timedelta(days=365)

_ONE_TAKES_OVER = 7220419
"""The key of the lock (PostgreSQL, advisory) under which opening items are taken over."""

FURTHEST = timedelta(days=365)
"""No promise, no due date lies further ahead: a slip in the year would put collection to sleep for good."""


def facts(tx: Session, row: InvoiceRow) -> CollectionFacts:
    """What `next_step` needs to know about an issued invoice."""
    acts = tx.scalars(select(CollectionActRow).where(CollectionActRow.invoice == row.id)).all()
    if row.due_date is None or row.late_from is None:
        raise WrongState(f"{row.billing_key} is {row.document_status}: it has no due date yet")
    return CollectionFacts(
        due_date=row.agreed_due_date or row.due_date,
        late_from=row.late_from,
        open_amount=payments.open_amount(row),
        credited=row.document_status == DocumentStatus.CREDITED,
        written_off=row.payment_status == PaymentStatus.WRITTEN_OFF,
        handed_over=row.handed_over_at is not None,
        done=frozenset(act.act for act in acts),
        last_act_at=max([*(act.done_at for act in acts), *_began_anew(tx, row)], default=None),
        disputed_until=row.disputed_until if row.disputed else None,
        held_until=row.held_until,
        promised_for=row.promised_for,
    )


def _began_anew(tx: Session, row: InvoiceRow) -> list[datetime]:
    """Instants from which the client gets the same breath as after a message: delivery, and money taken back."""
    taken_back = tx.scalar(
        select(func.max(PaymentRow.recorded_at)).where(PaymentRow.invoice == row.id, PaymentRow.amount < 0)
    )
    return [each for each in (row.delivered_at, taken_back) if each is not None]


def done(
    tx: Session, row: InvoiceRow, act: str, *, planned_for: datetime, message: str | None, at: datetime
) -> None:
    """Records that an act was really done; once an invoice."""
    tx.add(CollectionActRow(invoice=row.id, act=act, planned_for=planned_for, done_at=at, message=message))
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
    """Nobody is reminded before `until`; the level is kept. `Refused` without a reason or for over a year."""
    _open(row)
    _person(company, by)
    if not reason.strip():
        raise Refused("say why: a hold needs a reason")
    if until <= at:
        raise Refused("a hold must end in the future")
    if until - at > LONGEST_HOLD:
        raise Refused("a hold ends after a year at the latest; set an earlier day")
    row.held_until = until
    row.collection_status = CollectionStatus.BLOCKED
    audit_trail.record(tx, row, "held", at=at, actor=by, channel=channel, until=until, reason=reason)
    invoices.wake(tx, row, at)


def release(tx: Session, row: InvoiceRow, company: Company, *, by: str, channel: str, at: datetime) -> None:
    """Ends a hold before its time; collection goes on at the level where it stood."""
    _open(row)
    _person(company, by)
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
    if row.disputed:
        return CollectionStatus.DISPUTED
    if row.promised_for is not None and row.promised_for >= today:
        return CollectionStatus.PROMISED
    reminded = exists().where(
        CollectionActRow.invoice == row.id, CollectionActRow.act.startswith(f"{Act.REMINDER}-")
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

    Levels already sent stay sent. `Refused` before the issue date, over a year ahead, or without a reason.
    """
    _open(row)
    _person(company, by)
    if not reason.strip():
        raise Refused("say why: a changed due date needs a reason")
    if row.issue_date is not None and to < row.issue_date:
        raise Refused(f"the due date cannot be before the issue date {row.issue_date.isoformat()}")
    _not_too_far(to, client_today(row, company, at))
    client = company.client(row.client)
    was = row.agreed_due_date or row.due_date
    row.agreed_due_date = to
    row.late_from = late_from_day(to, client.zone if client else "UTC")
    if row.collection_status in (CollectionStatus.NOT_DUE, CollectionStatus.DUE):
        row.collection_status = CollectionStatus.NOT_DUE if _early(row, at) else CollectionStatus.DUE
    audit_trail.record(
        tx, row, "due date changed", at=at, actor=by, channel=channel, to=to, was=was, reason=reason
    )
    invoices.wake(tx, row, at)


def promise(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    on: date,
    by: str,
    channel: str,
    note: str,
    at: datetime,
) -> None:
    """The client promised to pay by a day within a year; reminders rest until the day after."""
    _open(row)
    _person(company, by)
    today = client_today(row, company, at)
    if on < today:
        raise Refused("a promise must name a day that is not past")
    _not_too_far(on, today)
    row.promised_for = on
    row.collection_status = CollectionStatus.PROMISED
    audit_trail.record(tx, row, "payment promised", at=at, actor=by, channel=channel, on=on, note=note)
    invoices.wake(tx, row, at)


def dispute(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    reason: str,
    by: str,
    channel: str,
    until: datetime,
    at: datetime,
) -> None:
    """The client disputes the invoice; reminders rest until somebody has decided. Asked again at `until`."""
    _open(row)
    _person(company, by)
    if not reason.strip():
        raise Refused("say why the client disputes it")
    row.disputed, row.disputed_until = reason, until
    row.collection_status = CollectionStatus.DISPUTED
    audit_trail.record(tx, row, "disputed", at=at, actor=by, channel=channel, reason=reason, decide_by=until)
    invoices.wake(tx, row, at)


def end_dispute(
    tx: Session, row: InvoiceRow, company: Company, *, outcome: str, by: str, channel: str, at: datetime
) -> None:
    """The dispute is decided: the claim stands, and collection goes on at the level where it stood."""
    _open(row)
    _person(company, by)
    if row.disputed is None:
        raise WrongState(f"{row.number} is not disputed")
    if not outcome.strip():
        raise Refused("say how the dispute was decided")
    row.disputed = row.disputed_until = None
    row.collection_status = status_without_hold(tx, row, client_today(row, company, at), at)
    audit_trail.record(tx, row, "dispute ended", at=at, actor=by, channel=channel, outcome=outcome)
    invoices.wake(tx, row, at)


def import_opening_item(
    tx: Session, item: OpeningItem, company: Company, version: int, *, by: str, at: datetime
) -> bool:
    """Takes over an open item of the system before; False if it is here already.

    Levels sent there count as done, so collection goes on with the next one.
    """
    billing_key = f"opening/{item.client}/{item.number.lower()}"
    # one after the other: no row is there yet that could be locked
    tx.execute(select(func.pg_advisory_xact_lock(_ONE_TAKES_OVER)))
    if _taken_over(tx, item, billing_key):
        return False
    client = company.client(item.client)
    if client is None:
        raise Refused(f"opening item {item.number}: there is no client {item.client!r}")
    _not_too_far(item.due_date, at.date())
    issued_at = datetime.combine(item.issue_date, datetime.min.time(), tzinfo=at.tzinfo)
    late_from = late_from_day(item.due_date, client.zone)
    row = InvoiceRow(
        billing_key=billing_key,
        request={"opening_item": item.model_dump(mode="json")},
        trigger="opening item",
        requested_by=by,
        requested_at=issued_at,
        took_part=[by],
        company_version=version,
        document_status=DocumentStatus.ISSUED,
        payment_status=PaymentStatus.UNPAID,
        collection_status=_stood_before(item, late_from, at),
        client=item.client,
        issuer=client.issuer,
        title=item.title,
        currency=item.currency,
        net=item.net,
        tax=item.tax,
        gross=item.gross,
        paid=Decimal(0),
        number=item.number,
        issue_date=item.issue_date,
        issued_at=issued_at,
        due_date=item.due_date,
        late_from=late_from,
        delivered_at=issued_at,
        promised_for=item.promised_for,
        disputed=item.disputed or None,
        disputed_until=at + timedelta(days=7) if item.disputed else None,
    )
    tx.add(row)
    tx.flush()
    audit_trail.record(
        tx,
        row,
        "taken over",
        at=at,
        actor=by,
        channel="cli",
        number=item.number,
        gross=item.gross,
        paid=item.paid,
    )
    reminded_at = datetime.combine(
        item.last_reminded or item.due_date, datetime.min.time(), tzinfo=at.tzinfo
    ) + timedelta(hours=9)
    for level in range(1, item.levels_sent + 1):
        tx.add(
            CollectionActRow(
                invoice=row.id, act=f"reminder-{level}", planned_for=reminded_at, done_at=reminded_at
            )
        )
    if item.paid:
        payments.record(
            tx,
            row,
            Money.of(item.paid, item.currency),
            key=f"{billing_key}/paid-before",
            received_on=item.due_date,
            source="system before",
            by=by,
            channel="cli",
            at=at,
        )
    invoices.wake(tx, row, at)
    return True


def _taken_over(tx: Session, item: OpeningItem, billing_key: str) -> bool:
    """Whether it is here already. `Refused` if its number is that of another invoice: nobody could tell them apart."""
    same = or_(InvoiceRow.billing_key == billing_key, InvoiceRow.number == item.number)
    earlier = tx.scalars(select(InvoiceRow).where(same).order_by(InvoiceRow.id).limit(1)).first()
    if earlier is None:
        return False
    if earlier.billing_key != billing_key:
        raise Refused(
            f"{item.number} stands on an invoice of {earlier.client} already; "
            f"write it with a mark of the system before, such as OLD-{item.number}"
        )
    if earlier.number != item.number:
        raise Refused(
            f"{item.number} differs from {earlier.number} only in capitals; write one of them otherwise"
        )
    return True


def _open(row: InvoiceRow) -> None:
    if row.document_status not in ISSUED:
        raise WrongState(f"{row.billing_key} is {row.document_status}; only an issued invoice is collected")
    if row.closed_at is not None:
        raise WrongState(f"{row.number} is closed: {row.payment_status}, {row.collection_status}")


def _person(company: Company, by: str) -> None:
    if by not in company.people_by_id:
        raise NotAllowed(f"{by!r} is not a person of this company; `--as` takes an id from people.yaml")


def client_today(row: InvoiceRow, company: Company, at: datetime) -> date:
    """The day it is for the client."""
    client = company.client(row.client)
    return at.astimezone(ZoneInfo(client.zone if client else "UTC")).date()


def _not_too_far(day: date, today: date) -> None:
    if day - today > FURTHEST:
        raise Refused(f"{day.isoformat()} is too far ahead; write a day within a year")


def _early(row: InvoiceRow, at: datetime) -> bool:
    return row.late_from is None or row.late_from > at


def _stood_before(item: OpeningItem, late_from: datetime, at: datetime) -> CollectionStatus:
    """Where collection of an open item stood in the system before."""
    if item.disputed:
        return CollectionStatus.DISPUTED
    if item.promised_for is not None and item.promised_for >= at.date():
        return CollectionStatus.PROMISED
    return CollectionStatus.DUE if late_from <= at else CollectionStatus.NOT_DUE
