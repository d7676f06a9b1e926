"""Commands about what stops collection: each one transaction on the ledger, with an answer at once.

`reference` is an invoice's number or billing key; `by` a person's id, or, with the channel `portal`, the client as
`actors.client_actor` names it; `at` the instant of the command (UTC). Refused by a rule, they raise a `Refused`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal

from activities.ledger import company_records, credit_holds, disputes, payment_plans, promises
from activities.ledger.about_invoice import about_invoice
from activities.ledger.database import Ledger
from billing.dispute import DisputeCode


def dispute(
    ledger: Ledger,
    reference: str,
    *,
    reason: str,
    code: DisputeCode = DisputeCode.OTHER,
    lines: Collection[int] = (),
    tell_client: bool = False,
    by: str,
    channel: str,
    at: datetime,
) -> str:
    """Notes that the client disputes the invoice, or lines of it; returns its number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        disputes.open(
            tx,
            row,
            company,
            reason=reason,
            code=code,
            lines=lines,
            tell_client=tell_client,
            by=by,
            channel=channel,
            at=at,
        )
        return row.name


def end_dispute(ledger: Ledger, reference: str, *, answer: str, by: str, channel: str, at: datetime) -> str:
    """The dispute is decided and the claim stands: the client is written to; returns the invoice number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        disputes.reject(tx, row, company, answer=answer, by=by, channel=channel, at=at)
        return row.name


def withdraw_dispute(
    ledger: Ledger, reference: str, *, answer: str = "", by: str, channel: str, at: datetime
) -> str:
    """The client disputes the invoice no longer; returns its number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        disputes.withdraw(tx, row, company, answer=answer, by=by, channel=channel, at=at)
        return row.name


def promise(
    ledger: Ledger, reference: str, *, on: date, by: str, channel: str, note: str = "", at: datetime
) -> str:
    """Notes that the client promised to pay by a day; returns the invoice number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        promises.make(tx, row, company, on=on, by=by, channel=channel, note=note, at=at)
        return row.name


def withdraw_promise(
    ledger: Ledger, reference: str, *, reason: str, by: str, channel: str, at: datetime
) -> str:
    """The promise holds no longer; returns the invoice number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        promises.withdraw(tx, row, company, reason=reason, by=by, channel=channel, at=at)
        return row.name


def agree_plan(
    ledger: Ledger,
    reference: str,
    *,
    parts: Sequence[tuple[date, Decimal]],
    reason: str,
    tell_client: bool = True,
    by: str,
    channel: str,
    at: datetime,
) -> str:
    """Agrees that what is open is paid in parts; returns the invoice number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        payment_plans.agree(
            tx,
            row,
            company,
            parts=parts,
            reason=reason,
            tell_client=tell_client,
            by=by,
            channel=channel,
            at=at,
        )
        return row.name


def end_plan(
    ledger: Ledger,
    reference: str,
    *,
    due: date | None = None,
    reason: str,
    by: str,
    channel: str,
    at: datetime,
) -> str:
    """The payment plan holds no longer, all is due at once or on a day; returns the invoice number."""
    with about_invoice(ledger, reference) as (tx, row, company):
        payment_plans.end(tx, row, company, due=due, reason=reason, by=by, channel=channel, at=at)
        return row.name


def place_credit_hold(ledger: Ledger, client: str, *, reason: str, by: str, at: datetime) -> bool:
    """Puts a client on credit hold; False where it is on one already."""
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        return credit_holds.place(tx, client, company, reason=reason, by=by, at=at) is not None


def lift_credit_hold(ledger: Ledger, client: str, *, by: str, at: datetime) -> None:
    """Ends the credit hold of a client."""
    with ledger.transaction() as tx:
        credit_holds.lift(tx, client, company_records.current(tx).company, by=by, at=at)
