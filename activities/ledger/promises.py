"""Promises to pay in the ledger: made, moved, kept or broken, and remembered by client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, collection, instalments, invoices
from activities.ledger.actors import check_actor
from activities.ledger.tables import InvoiceRow, PaymentRow, PromiseRow
from billing.company import Company
from billing.errors import Refused, WrongState
from billing.status import CollectionStatus


class PromiseOutcome(StrEnum):
    """What became of a promise. Withdrawn: something else was agreed, or nothing was left to pay."""

    KEPT = "kept"
    BROKEN = "broken"
    MOVED = "moved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class PromiseRecord:
    """How a client has kept its promises, all invoices together."""

    kept: int = 0
    broken: int = 0
    moved: int = 0
    open: int = 0

    @property
    def in_words(self) -> str:
        """How it was done so far: `kept 2 promises, broken 1`."""
        told = [(name, count) for name, count in vars(self).items() if count and name != "open"]
        if not told:
            return "made no promise before"
        (first, count), *others = told
        return ", ".join(
            [
                f"{first} {count} promise{'s' if count > 1 else ''}",
                *(f"{name} {more}" for name, more in others),
            ]
        )


def record_of(tx: Session, client: str) -> PromiseRecord:
    """How the client has kept its promises so far."""
    query = (
        select(PromiseRow.outcome, func.count())
        .where(PromiseRow.client == client)
        .group_by(PromiseRow.outcome)
    )
    counted = {outcome or "open": count for outcome, count in tx.execute(query)}
    return PromiseRecord(**{name: counted.get(name, 0) for name in ("kept", "broken", "moved", "open")})


def of_invoice(tx: Session, row: InvoiceRow) -> list[PromiseRow]:
    """All promises about the invoice, oldest first."""
    return list(tx.scalars(select(PromiseRow).where(PromiseRow.invoice == row.id).order_by(PromiseRow.id)))


def current(tx: Session, row: InvoiceRow) -> PromiseRow | None:
    """The promise whose day is still to come, or has come and nobody has looked yet."""
    query = select(PromiseRow).where(PromiseRow.invoice == row.id, PromiseRow.outcome.is_(None))
    return tx.scalars(query).first()


def make(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    on: date,
    note: str = "",
    by: str,
    channel: str,
    at: datetime,
) -> PromiseRow:
    """The client promised to pay what is asked for by a day of its own; reminders rest until the day after.

    Another promise moves the one before; the same one again changes nothing. `Refused` for a day that is past or
    further ahead than the policy lets, and for more promises than it lets.
    """
    collection.check_open(row)
    check_actor(row, company, by=by, channel=channel)
    today = collection.client_today(row, company, at)
    if on < today:
        raise Refused("a promise must name a day that is not past")
    collection.check_not_too_far(on, today)
    if collection.wholly_disputed(row):
        raise WrongState(f"{row.number} is disputed: decide that first, then note what the client promises")
    earlier = current(tx, row)
    if earlier is not None and earlier.promised_for == on:
        return earlier
    _check_policy(tx, row, company, on=on, today=today)
    if earlier is not None:
        _decide(earlier, PromiseOutcome.MOVED if earlier.promised_for >= today else PromiseOutcome.BROKEN, at)
    made = PromiseRow(
        invoice=row.id,
        client=row.client,
        promised_for=on,
        amount=instalments.asked_amount(tx, row, max(on, today)),
        made_at=at,
        made_by=by,
        channel=channel,
        note=note,
    )
    tx.flush()
    tx.add(made)
    row.promised_for = on
    row.collection_status = CollectionStatus.PROMISED
    moved = {"was": earlier.promised_for} if earlier is not None else {}
    audit_trail.record(
        tx, row, "payment promised", at=at, actor=by, channel=channel, on=on, note=note, **moved
    )
    invoices.wake(tx, row, at)
    return made


def withdraw(
    tx: Session, row: InvoiceRow, company: Company, *, reason: str, by: str, channel: str, at: datetime
) -> None:
    """The promise holds no longer, or was noted by mistake: reminders go on. `WrongState` if there is none."""
    collection.check_open(row)
    check_actor(row, company, by=by, channel=channel)
    promise = current(tx, row)
    if promise is None:
        raise WrongState(f"no payment is promised for {row.number}")
    if not reason.strip():
        raise Refused("say why the promise holds no longer")
    lapse(tx, row, at=at)
    row.collection_status = collection.status_without_hold(
        tx, row, collection.client_today(row, company, at), at
    )
    audit_trail.record(tx, row, "promise withdrawn", at=at, actor=by, channel=channel, reason=reason.strip())
    invoices.wake(tx, row, at)


def lapse(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """What was promised matters no longer: a dispute, another due date or a plan took its place."""
    promise = current(tx, row)
    if promise is not None:
        _decide(promise, PromiseOutcome.WITHDRAWN, at)
    row.promised_for = None


def follow(tx: Session, row: InvoiceRow, *, is_over: bool, at: datetime) -> None:
    """Notes whether a promise was kept: once what was promised is there, or the wait for it is over.

    A payment counts by the day the money came, not by the day somebody booked it.
    """
    promise = current(tx, row)
    if promise is None:
        return
    on, paid = promise.promised_for, _paid_since(tx, row, promise)
    if row.open_amount <= 0 and paid <= 0:
        _decide(promise, PromiseOutcome.WITHDRAWN, at)
        return
    if row.open_amount > 0 and paid < promise.amount and not is_over:
        return
    kept = _paid_since(tx, row, promise, until=on) >= min(promise.amount, paid + row.open_amount)
    _decide(promise, PromiseOutcome.KEPT if kept else PromiseOutcome.BROKEN, at)
    audit_trail.record(tx, row, "promise kept" if kept else "promise broken", at=at, on=on)
    if kept and row.promised_for == on:
        row.promised_for = None


def taken_over(tx: Session, row: InvoiceRow, *, on: date, by: str, at: datetime) -> None:
    """A promise made in the system before."""
    tx.add(
        PromiseRow(
            invoice=row.id,
            client=row.client,
            promised_for=on,
            amount=row.open_amount,
            made_at=at,
            made_by=by,
            channel="cli",
        )
    )
    row.promised_for = on


def _check_policy(tx: Session, row: InvoiceRow, company: Company, *, on: date, today: date) -> None:
    policy = collection.policy_of(row, company)
    if (on - today).days > policy.promise_within_days:
        raise Refused(
            f"{on.isoformat()} is too far ahead: the dunning policy takes promises of up to "
            f"{policy.promise_within_days} days; agree on a payment plan instead"
        )
    outcomes = [each.outcome for each in of_invoice(tx, row)]
    if len(outcomes) - outcomes.count(PromiseOutcome.WITHDRAWN) >= policy.promises_per_invoice:
        raise Refused(
            f"no further promise is taken for {row.number}: the dunning policy lets {policy.promises_per_invoice}; "
            "agree on a payment plan, or hold it"
        )


def _paid_since(tx: Session, row: InvoiceRow, promise: PromiseRow, until: date | None = None) -> Decimal:
    """What was booked since the promise was made; only what came by a day, if one is given."""
    query = select(func.coalesce(func.sum(PaymentRow.amount), 0)).where(
        PaymentRow.invoice == row.id, PaymentRow.recorded_at >= promise.made_at
    )
    if until is not None:
        query = query.where(PaymentRow.received_on <= until)
    return tx.scalar(query) or Decimal(0)


def _decide(promise: PromiseRow, outcome: PromiseOutcome, at: datetime) -> None:
    promise.outcome, promise.decided_at = outcome, at
