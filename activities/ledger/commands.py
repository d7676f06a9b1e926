"""Commands: each one transaction on the ledger, with an answer at once. Workers may be down meanwhile.

`reference` is an invoice's number or billing key, `by` a person's id, `at` the instant of the command (UTC). A command
that a rule refuses raises a `Refused` that says why; the ledger is unchanged then, except for the audit of a refused
decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from activities.ledger import (
    approvals,
    bounces,
    collection,
    company_exceptions,
    company_records,
    deliveries,
    events,
    exceptions,
    integrations,
    invoices,
    payments,
    resending,
    unmatched_payments,
    write_backs,
)
from activities.ledger.about_invoice import about_invoice
from activities.ledger.actors import check_person
from activities.ledger.database import Ledger
from activities.ledger.dispute_commands import dispute as dispute
from activities.ledger.dispute_commands import end_dispute as end_dispute
from activities.ledger.dispute_commands import promise as promise
from activities.ledger.exceptions import Resolution
from billing.approval_policy import Channel, Claim, Verdict
from billing.errors import NotAllowed, Refused, WrongState
from billing.money import Money


def decide(
    ledger: Ledger,
    reference: str,
    verdict: Verdict,
    *,
    by: str,
    channel: Channel,
    comment: str = "",
    draft_digest: str | None = None,
    rebill: bool = False,
    at: datetime,
) -> str:
    """Approves or rejects; returns the billing key. A refusal is audited and raised as `NotAllowed`."""
    claim = Claim(verdict=verdict, approver=by, channel=channel, comment=comment, draft_digest=draft_digest)
    with ledger.transaction() as tx:
        row = invoices.find(tx, reference, lock=True)
        company = company_records.at_version(tx, row.company_version).company
        decision = approvals.decide(tx, row, claim, company, rebill=rebill, at=at)
        if decision.refused is None:
            invoices.wake(tx, row, at)
    if decision.refused is not None:
        raise NotAllowed(decision.refused)
    return row.billing_key


def resolve(
    ledger: Ledger,
    exception: int,
    resolution: Resolution,
    *,
    by: str,
    channel: Channel,
    reason: str = "",
    rebill: bool = False,
    overrides: Mapping[str, str] = exceptions.NOTHING,
    at: datetime,
) -> str:
    """Retries, accepts, overrides or voids what an exception holds; returns the billing key.

    Without an invoice it can be retried or accepted; returns the subject then.
    """
    with ledger.transaction() as tx:
        subject = exceptions.find(tx, exception).subject
        if subject is not None:
            _resolve_subject(tx, exception, subject, resolution, by=by, reason=reason, at=at)
            return subject
        row = exceptions.resolve(
            tx,
            exception,
            resolution,
            company_records.current(tx).company,
            by=by,
            channel=channel,
            reason=reason,
            rebill=rebill,
            overrides=overrides,
            at=at,
        )
        return row.billing_key


def _resolve_subject(
    tx: Session, exception: int, subject: str, resolution: Resolution, *, by: str, reason: str, at: datetime
) -> None:
    """An event is acted on again; everything else Billow looks at by itself in each run, and closes when it is gone."""
    event = events.of_subject(tx, subject) if subject.startswith(company_exceptions.EVENT) else None
    company = company_records.current(tx).company
    found = company_exceptions.to_decide(tx, exception, company, by=by)
    if resolution is Resolution.ACCEPT:
        company_exceptions.accept(found, by=by, reason=reason, at=at)
        if event is not None:
            events.set_aside(event, reason=reason, at=at)
        elif subject.startswith(integrations.SUBJECT):
            deliveries.set_aside_held(tx, subject.removeprefix(integrations.SUBJECT), reason=reason, at=at)
    elif resolution is not Resolution.RETRY:
        raise Refused(
            f"exception {exception} has no invoice to {resolution}; retry it, or accept it as it is"
        )
    elif event is not None:
        events.act(tx, event.source, event.event, at=at)
    elif subject.startswith(integrations.SUBJECT):
        connection = subject.removeprefix(integrations.SUBJECT).partition("/")[0]
        integrations.ask_again(tx, connection)
        deliveries.queue_held(tx, connection, at=at)
        write_backs.at_once(tx, connection, at)


def fetch_again(ledger: Ledger, reference: str, *, by: str, channel: Channel, at: datetime) -> str:
    """Has a draft made anew from what the sources say now; returns the billing key."""
    with about_invoice(ledger, reference) as (tx, row, company):
        check_person(company, by)
        invoices.fetch_again(tx, row, by=by, channel=channel, at=at)
        return row.billing_key


def pay(
    ledger: Ledger,
    reference: str,
    amount: Decimal,
    currency: str | None,
    *,
    key: str | None = None,
    received_on: date,
    by: str,
    channel: Channel,
    note: str = "",
    at: datetime,
) -> bool:
    """Books a payment typed in by a person; False if it is booked already.

    Without a key, the same amount on the same day for the same invoice is the same payment.
    """
    with ledger.transaction() as tx:
        row = invoices.find(tx, reference, lock=True)
        if row.number is None:
            raise WrongState(
                f"{row.billing_key} is {row.document_status}: it has no number yet, so nobody can have paid it"
            )
        money = Money.of(amount, currency or row.currency or "")
        return payments.record(
            tx,
            row,
            money,
            key=key or f"manual/{row.number}/{received_on.isoformat()}/{money.amount}",
            received_on=received_on,
            source="manual",
            by=by,
            channel=channel,
            reference=note,
            at=at,
        )


def keep_unmatched(
    ledger: Ledger,
    amount: Decimal,
    currency: str,
    *,
    key: str | None = None,
    received_on: date,
    payer: str = "",
    reference: str = "",
    by: str,
    at: datetime,
) -> tuple[int, bool]:
    """Keeps a payment typed in by a person that matches no invoice; its id, and whether it is new.

    Without a key, the same amount on the same day with the same payer and reference is the same payment.
    """
    money = Money.of(amount, currency)
    same = (received_on.isoformat(), f"{money.amount} {money.currency}", payer, reference)
    key = key or "/".join(("manual", *same))
    with ledger.transaction() as tx:
        new = unmatched_payments.record(
            tx,
            money,
            key=key,
            received_on=received_on,
            payer=payer,
            reference=reference,
            source="manual",
            by=by,
            company=company_records.current(tx).company,
            at=at,
        )
        return (new or unmatched_payments.with_key(tx, key)).id, new is not None


def set_aside(ledger: Ledger, payment: int, *, reason: str, by: str, at: datetime) -> Money:
    """Closes an unmatched payment without booking what is left of it; returns how much that is."""
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        rest = unmatched_payments.left(tx, unmatched_payments.find(tx, payment, lock=True))
        unmatched_payments.set_aside(tx, payment, company, reason=reason, by=by, at=at)
        return rest


def resend(
    ledger: Ledger,
    reference: str,
    *,
    to: str | None = None,
    credit_note: str | None = None,
    by: str,
    channel: Channel,
    at: datetime,
) -> str:
    """Has an issued invoice mailed once more, or a credit note of it, to its contact or to `to`; returns the number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        if credit_note is not None:
            resending.resend_credit_note(tx, row, credit_note, company, to=to, by=by, channel=channel, at=at)
            return credit_note
        resending.resend(tx, row, company, to=to, by=by, channel=channel, at=at)
        return row.name


def bounced(ledger: Ledger, message_id: str, *, reason: str, by: str, channel: str, at: datetime) -> str:
    """A message came back: an exception for the invoice it belongs to; returns the billing key.

    `NotFound` when the message is not one of ours.
    """
    with ledger.transaction() as tx:
        return bounces.bounced(
            tx, message_id, company_records.current(tx).company, reason=reason, by=by, channel=channel, at=at
        )


def hold(
    ledger: Ledger, reference: str, *, until: datetime, reason: str, by: str, channel: Channel, at: datetime
) -> str:
    """Stops reminders until an instant; returns the invoice number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        collection.hold(tx, row, company, until=until, reason=reason, by=by, channel=channel, at=at)
        return row.name


def release(ledger: Ledger, reference: str, *, by: str, channel: Channel, at: datetime) -> str:
    """Ends a hold; returns the invoice number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        collection.release(tx, row, company, by=by, channel=channel, at=at)
        return row.name


def change_due_date(
    ledger: Ledger, reference: str, *, to: date, reason: str, by: str, channel: Channel, at: datetime
) -> str:
    """Agrees on another due date, later or earlier; returns the invoice number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        collection.change_due_date(tx, row, company, to=to, reason=reason, by=by, channel=channel, at=at)
        return row.name
