"""Commands about money given up, paid too much or left over: write-off, refund, credit of a client.

As in `commands`: each is one transaction with an answer at once, `reference` is an invoice's number or billing key.
What another person must agree to first is answered with status "asked".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from activities.ledger import (
    client_credit,
    company_records,
    crediting,
    giving_up,
    invoices,
    refunds,
    write_offs,
)
from activities.ledger.about_invoice import about_invoice
from activities.ledger.actors import check_person
from activities.ledger.database import Ledger
from activities.ledger.giving_up import Kind, Status
from activities.ledger.tables import GivingUpRow, InvoiceRow, PaymentRow
from billing.approval_policy import Channel
from billing.company import Company
from billing.errors import NotFound, Refused
from billing.money import Money


@dataclass(frozen=True)
class Item:
    """What was asked for and how it stands; `waits_for` are those whose move it is, nobody once it is over."""

    id: int
    kind: str
    name: str
    amount: Money
    status: str
    method: str
    waits_for: tuple[str, ...]
    new: bool = True


def write_off(
    ledger: Ledger,
    reference: str,
    *,
    amount: Decimal | None = None,
    reason: str,
    key: str | None = None,
    by: str,
    channel: Channel,
    at: datetime,
) -> Item:
    """Asks to give up what is open of an invoice, or part of it; done at once if the person may do so alone."""
    with about_invoice(ledger, reference) as (tx, row, company):
        found, new = write_offs.ask(
            tx,
            row,
            company,
            amount=_money(amount, row.currency),
            reason=reason,
            key=key,
            by=by,
            channel=channel,
            at=at,
        )
        return _item(tx, found, company, new=new)


def refund(
    ledger: Ledger,
    reference: str,
    *,
    amount: Decimal | None = None,
    reason: str,
    method: str = refunds.BANK_TRANSFER,
    key: str | None = None,
    by: str,
    channel: Channel,
    at: datetime,
) -> Item:
    """Asks to pay back what was paid too much for an invoice, or of `payment 7`, which is on none."""
    with ledger.transaction() as tx:
        source = client_credit.source_of(tx, reference, lock=True)
        company = company_records.current(tx).company
        found, new = refunds.ask(
            tx,
            source,
            company,
            amount=_money(amount, source.currency),
            reason=reason,
            method=method,
            key=key,
            by=by,
            channel=channel,
            at=at,
        )
        return _item(tx, found, company, new=new)


def refund_paid(
    ledger: Ledger, item: int, *, on: date, reference: str = "", by: str, channel: Channel, at: datetime
) -> tuple[Item, bool]:
    """Notes that an agreed refund was paid by bank transfer on a day; whether that is new."""
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        check_person(company, by)
        found, row = giving_up.locked(tx, item)
        if found.kind != Kind.REFUND:
            raise Refused(f"{found.kind} {item} is no refund: nothing is paid for it")
        new = refunds.done(tx, found, row, on=on, by=by, channel=channel, reference=reference, at=at)
        return _item(tx, found, company), new


def agree(ledger: Ledger, item: int, *, by: str, channel: Channel, comment: str = "", at: datetime) -> Item:
    """Agrees to what another person has asked for: it is carried out at once, but for a refund, which is to be paid."""
    with ledger.transaction() as tx:
        found, row = giving_up.locked(tx, item)
        company = company_records.current(tx).company
        giving_up.agree(tx, found, row, company, by=by, channel=channel, comment=comment, at=at)
        if found.kind == Kind.WRITE_OFF and row is not None:
            write_offs.carry_out(tx, found, row, at=at)
        elif found.kind == Kind.CREDIT_NOTE and row is not None:
            crediting.carry_out(tx, found, row, company, at=at)
        else:
            giving_up.hand_on(tx, found, row, company, Status.AGREED, at=at)
        return _item(tx, found, company)


def refuse(ledger: Ledger, item: int, *, by: str, channel: Channel, comment: str, at: datetime) -> Item:
    """Refuses what another person has asked for."""
    with ledger.transaction() as tx:
        found, row = giving_up.locked(tx, item)
        company = company_records.current(tx).company
        giving_up.refuse(tx, found, row, company, by=by, channel=channel, comment=comment, at=at)
        return _item(tx, found, company)


def withdraw(ledger: Ledger, item: int, *, by: str, channel: Channel, comment: str, at: datetime) -> Item:
    """Takes back what was asked for and is not done."""
    with ledger.transaction() as tx:
        found, row = giving_up.locked(tx, item)
        company = company_records.current(tx).company
        giving_up.withdraw(tx, found, row, company, by=by, channel=channel, comment=comment, at=at)
        return _item(tx, found, company)


def use_credit(
    ledger: Ledger,
    source: str,
    reference: str,
    *,
    amount: Decimal | None = None,
    key: str | None = None,
    by: str,
    channel: Channel,
    at: datetime,
) -> tuple[str, Money | None]:
    """Pays an invoice with what was paid too much for another one, or with `payment 7`, kept as credit.

    Its number, and what was used; None if that was done already.
    """
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        origin, row = client_credit.lock(
            tx, client_credit.source_of(tx, source), invoices.find(tx, reference)
        )
        used = client_credit.use(
            tx,
            origin,
            row,
            company,
            amount=_money(amount, row.currency),
            key=key,
            by=by,
            channel=channel,
            at=at,
        )
        return row.name, used


def keep_as_credit(ledger: Ledger, payment: int, client: str, *, by: str, at: datetime) -> Money:
    """Keeps what is left of an unmatched payment as credit of a client; what that is."""
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        found = client_credit.payment_of(tx, payment, lock=True)
        return client_credit.keep(tx, found, client, company, by=by, at=at)


def undo(
    ledger: Ledger, payment: int, *, reason: str, by: str, channel: Channel, at: datetime
) -> tuple[str, Money]:
    """Takes what was booked for the wrong invoice from it again; its number, and what that was.

    `payment` is the id of the booking, as `billow show --json` has it.
    """
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        booked = tx.get(PaymentRow, payment) if 0 < payment < 2**63 else None
        if booked is None:
            raise NotFound(
                f"there is no booking {payment}; `billow show INVOICE --json` lists those of an invoice"
            )
        for each in client_credit.touched_by(tx, booked):
            invoices.locked(tx, each)
        taken = client_credit.undo(tx, booked, company, reason=reason, by=by, channel=channel, at=at)
        row = tx.get_one(InvoiceRow, booked.invoice)
        return row.name, taken


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return Money.of(amount, currency or "") if amount is not None else None


def _item(tx: Session, found: GivingUpRow, company: Company, *, new: bool = True) -> Item:
    row = tx.get(InvoiceRow, found.invoice) if found.invoice is not None else None
    over = found.status not in giving_up.OPEN
    return Item(
        id=found.id,
        kind=found.kind,
        name=row.name if row else f"payment {found.unmatched}",
        amount=giving_up.money(found),
        status=found.status,
        method=found.method,
        waits_for=() if over else giving_up.waiting_for(found, company),
        new=new,
    )
