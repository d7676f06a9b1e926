"""Write-offs: what is still owed is given up, and collection ends. The client still owes it, and may pay after all.

No credit note: the document stands. What it means for the tax that was declared (bad debt relief, Art. 90(1) and 185 of
Directive 2006/112/EC; DE: § 17(2) no. 1 UStG) is for the accounts, which find net and tax in the audit event.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from activities.ledger import audit_trail, giving_up, invoices, payments
from activities.ledger.giving_up import Kind
from activities.ledger.tables import GivingUpRow, InvoiceRow
from billing.company import Company
from billing.early_payment import reduction
from billing.erased import is_erased
from billing.errors import Conflicting, Refused, WrongState
from billing.money import Money, rounded
from billing.status import ISSUED


def ask(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    amount: Money | None,
    reason: str,
    key: str | None,
    by: str,
    channel: str,
    at: datetime,
) -> tuple[GivingUpRow, bool]:
    """Asks to give up what is open of an issued invoice (locked before), or part of it; whether that is new.

    Carried out at once where the person may do so alone. Without a key, the same amount of the same invoice is the
    same question on the same day; all of it, unless what was given up came back. `Refused` for more than is open;
    `Conflicting` while another one waits.
    """
    if row.document_status not in ISSUED or row.number is None:
        raise WrongState(f"{row.billing_key} is {row.document_status}; only what was issued is written off")
    key = key or giving_up.key_of_day(tx, Kind.WRITE_OFF, row.number, amount, left=row.open_amount, at=at)
    again = giving_up.asked_before(tx, Kind.WRITE_OFF, key, row, amount)
    if again is not None:
        return again, False
    open_now = Money.of(rounded(row.open_amount, row.currency or ""), row.currency or "")
    wanted = amount or open_now
    if open_now.amount <= 0:
        raise WrongState(f"{row.number} is {row.payment_status}: nothing of it is open")
    if wanted.currency != open_now.currency or not 0 < wanted.amount <= open_now.amount:
        raise Refused(
            f"{open_now} of {row.number} are open; write off that much at most, and more than nothing"
        )
    waiting = [each for each in giving_up.of_invoice(tx, row, *giving_up.OPEN) if each.kind == Kind.WRITE_OFF]
    if waiting:
        raise Conflicting(
            f"write-off {waiting[0].id} of {giving_up.money(waiting[0])} waits already; "
            "have it decided, or withdraw it first"
        )
    found = giving_up.ask(
        tx,
        Kind.WRITE_OFF,
        wanted,
        company,
        row=row,
        reason=reason,
        key=key,
        by=by,
        channel=channel,
        at=at,
    )
    if found.status == giving_up.Status.AGREED:
        carry_out(tx, found, row, at=at)
    return found, True


def carry_out(tx: Session, found: GivingUpRow, row: InvoiceRow, *, at: datetime) -> None:
    """Gives up what was agreed to, and no more than is open by now; the invoice is settled once nothing is left."""
    given_up = min(found.amount, row.open_amount)
    if given_up <= 0:
        raise WrongState(f"{row.number} is {row.payment_status} by now: nothing of it is open")
    giving_up.finish(found, at=at)
    row.written_off += given_up
    payments.bring_up_to_date(tx, row, at=at)
    audit_trail.record(
        tx,
        row,
        "written off",
        at=at,
        actor=found.decided_by or found.asked_by,
        channel=found.channel,
        amount=given_up,
        currency=row.currency,
        reason=found.reason,
        asked_by=found.asked_by,
        item=found.id,
        open=row.open_amount,
        **_parts(row, given_up),
    )
    invoices.wake(tx, row, at)


def _parts(row: InvoiceRow, amount: Decimal) -> dict[str, Any]:
    """Net and tax in what is given up, at the invoice's own rates; nothing where its draft is not here any more."""
    if row.draft is None or is_erased(row.draft):
        return {}
    parts = reduction(invoices.draft_of(row), amount)
    return {"net": parts.net, "tax": parts.tax}
