"""Payment plans: instalments agreed after issue, whose dates and amounts take the place of the due date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from sqlalchemy.orm import Session

from activities.ledger import answers, audit_trail, collection, instalments, invoices, promises
from activities.ledger.actors import check_person
from activities.ledger.tables import InvoiceRow, PaymentPlanRow
from billing.company import Company
from billing.errors import Refused, WrongState
from billing.instalments import Part
from billing.money import Money, rounded, total
from billing.payment_terms import late_from_day
from billing.status import CollectionStatus

LONGEST = timedelta(days=3 * 366)
"""No instalment lies further ahead."""

MOST_PARTS = 60


def agree(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    parts: Sequence[tuple[date, Decimal]],
    reason: str,
    tell_client: bool = True,
    by: str,
    channel: str,
    at: datetime,
) -> PaymentPlanRow:
    """All that is open is to be paid in parts, each by a day of the client's; a plan from before is replaced.

    Levels begin anew with each plan, counted from the part that is open; what the client promised is forgotten. It is
    told what was agreed unless `tell_client` says otherwise. `Refused` unless the parts sum to what is open, their days
    rise and none is past; while it is disputed; and without a reason. The plan that holds already stays.
    """
    collection.check_open(row)
    check_person(company, by)
    if not reason.strip():
        raise Refused("say why: a payment plan needs a reason")
    if row.disputed is not None:
        raise WrongState(f"{row.number} is disputed: decide that first, then agree on how the rest is paid")
    if (holds := _same(tx, row, parts, reason.strip())) is not None:
        return holds
    _check_parts(row, parts, collection.client_today(row, company, at))
    client = company.client(row.client)
    zone = client.zone if client else "UTC"
    instalments.end_plan(tx, row, "another plan was agreed", at)
    agreed = [
        Part(amount=amount, due_date=day, late_from=late_from_day(day, zone)).model_dump(mode="json")
        for day, amount in parts
    ]
    plan = PaymentPlanRow(
        invoice=row.id, parts=agreed, agreed_at=at, agreed_by=by, channel=channel, reason=reason.strip()
    )
    tx.flush()
    tx.add(plan)
    tx.flush()
    promises.lapse(tx, row, at=at)
    row.rested_days, row.notice_until = 0, None
    instalments.move_on(tx, row, at)
    if row.collection_status != CollectionStatus.BLOCKED:
        today = collection.client_today(row, company, at)
        row.collection_status = collection.status_without_hold(tx, row, today, at)
    told = [{"due_date": day, "amount": amount} for day, amount in parts]
    audit_trail.record(
        tx,
        row,
        "payment plan agreed",
        at=at,
        actor=by,
        channel=channel,
        plan=plan.id,
        parts=told,
        reason=plan.reason,
    )
    if tell_client:
        answers.prepare(tx, row, company, answers.PAYMENT_PLAN, occasion=str(plan.id), at=at)
    invoices.wake(tx, row, at)
    return plan


def _same(
    tx: Session, row: InvoiceRow, parts: Sequence[tuple[date, Decimal]], reason: str
) -> PaymentPlanRow | None:
    """The plan that holds, if it is this one."""
    running = instalments.plan(tx, row)
    if running is None or running.reason != reason:
        return None
    agreed = [Part.model_validate(each) for each in running.parts]
    return running if [(each.due_date, each.amount) for each in agreed] == [*parts] else None


def end(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    due: date | None = None,
    reason: str,
    by: str,
    channel: str,
    at: datetime,
) -> None:
    """The plan holds no longer: all that is open is due on that day, else today; levels go on from before the plan.

    `WrongState` if there is none.
    """
    collection.check_open(row)
    if instalments.plan(tx, row) is None:
        raise WrongState(f"{row.number} has no payment plan")
    to = due or collection.client_today(row, company, at)
    collection.change_due_date(tx, row, company, to=to, reason=reason, by=by, channel=channel, at=at)


def _check_parts(row: InvoiceRow, parts: Sequence[tuple[date, Decimal]], today: date) -> None:
    currency = row.currency or ""
    if not 2 <= len(parts) <= MOST_PARTS:
        raise Refused(f"a payment plan has 2 to {MOST_PARTS} parts; for one day, agree on another due date")
    days = [day for day, _ in parts]
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise Refused("the days of a payment plan must rise, each once")
    if days[0] < today:
        raise Refused(f"{days[0].isoformat()} is past; the first part is due today at the earliest")
    if days[-1] - today > LONGEST:
        raise Refused(f"{days[-1].isoformat()} is too far ahead; a plan ends within three years")
    for _, amount in parts:
        if amount <= 0 or rounded(amount, currency) != amount:
            raise Refused(
                f"{amount} {currency} is no amount that can be paid; each part is more than nothing"
            )
    sum_of, open_amount = total(amount for _, amount in parts), rounded(row.open_amount, currency)
    if sum_of != open_amount:
        raise Refused(
            f"the parts come to {Money.of(sum_of, currency)}, but {Money.of(open_amount, currency)} are open"
        )
