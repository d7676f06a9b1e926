"""Credit: credit notes of invoices, and money that stands to the credit of clients."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field
from sqlalchemy.orm import Session

from activities.ledger import client_credit, credit_commands, invoices, settling_commands, views
from activities.ledger.read_models import InvoiceView, ReadModel
from billing.credit_note import Selection
from billing.draft import Draft
from billing.parties import Strict
from starter.web.api.routes import Called, operations
from starter.web.api.shapes import (
    Amount,
    Changed,
    Cursor,
    IfMatch,
    Limit,
    Name,
    Ordered,
    Reason,
    after,
    answers,
    behind,
    paged,
    unchanged,
)

router = operations("Money")

_ABOUT = answers(404, 409, 412)


class CreditOrder(Strict):
    """What of an invoice is credited and why; the reason stands on the credit note, in the client's language."""

    selection: Selection = Field(
        default=Selection(), description="lines, or an amount with tax; all that is left without either"
    )
    reason: Reason
    bill_again: bool = Field(default=False, description="what lines credited in full bill may be billed anew")
    dispute_goes_on: bool = Field(default=False, description="it does not decide the dispute")


class Previewed(Strict):
    """What would be credited and why."""

    selection: Selection = Selection()
    reason: Reason


class CreditNotePreview(ReadModel):
    """The credit note as it would be issued now; amounts are positive."""

    invoice: str
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    draft: Draft


class Credited(Changed):
    """The credit note's number; or, while another person must agree, what waits."""

    credit_note: str | None
    waiting_item: int | None


class UseCredit(Strict):
    """Where the credit comes from: an invoice that was overpaid, or `payment 7`, kept as credit."""

    source: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]+$")]
    amount: Amount | None = None


class CreditView(ReadModel):
    """Money of a client that stands on nothing it owes; `set_apart` of it is to be refunded."""

    client: str
    issuer: str
    source: str
    since: date
    currency: str
    left: Decimal
    set_apart: Decimal


class CreditBalance(ReadModel):
    """What clients have to their credit, oldest first."""

    items: tuple[CreditView, ...]
    next: str | None


@router.post("/invoices/{invoice:path}/credit-preview", operation_id="previewCreditNote", responses=_ABOUT)
def credit_preview(order: Ordered, body: Previewed) -> CreditNotePreview:
    """The credit note as it would be issued now. Nothing is changed."""
    number, draft = credit_commands.preview(
        order.ledger, order.reference, selection=body.selection, reason=body.reason
    )
    return CreditNotePreview(
        invoice=number, currency=draft.currency, net=draft.net, tax=draft.tax, gross=draft.gross, draft=draft
    )


@router.post("/invoices/{invoice:path}/credit", operation_id="creditInvoice", responses=_ABOUT)
def credit(order: Ordered, body: CreditOrder) -> Credited:
    """Credits an invoice, in whole or in part; above what one may credit alone, another person must agree.

    Without an Idempotency-Key, the same content for the same reason is the same credit note.
    """
    content = hashlib.sha256(f"{body.selection.model_dump_json()}\n{body.reason}".encode()).hexdigest()[:12]
    asked = credit_commands.credit(
        order.ledger,
        order.reference,
        selection=body.selection,
        reason=body.reason,
        key=order.key or f"api/{order.reference}/{content}",
        bill_again=body.bill_again,
        dispute_goes_on=body.dispute_goes_on,
        **order.said,
    )
    return Credited(
        new=asked.new,
        invoice=order.now(),
        credit_note=asked.note.number if asked.note else None,
        waiting_item=asked.waits.id if asked.waits else None,
    )


@router.post("/invoices/{invoice:path}/use-credit", operation_id="useCredit", responses=_ABOUT)
def use_credit(order: Ordered, body: UseCredit, if_match: IfMatch = None) -> Changed:
    """Pays an invoice with what the client has to its credit."""

    def look(tx: Session) -> InvoiceView:
        # both in the order of their ids, as the command itself locks them
        client_credit.lock(tx, client_credit.source_of(tx, body.source), invoices.find(tx, order.reference))
        return views.invoice(tx, order.reference, order.at)

    _, used = settling_commands.use_credit(
        unchanged(order.caller, if_match, order.reference, look),
        body.source,
        order.reference,
        amount=body.amount,
        key=order.key,
        **order.said,
    )
    return order.done(new=used is not None)


@router.get("/credit-balance", operation_id="readCreditBalance", responses=answers(400))
def credit_balance(
    caller: Called, client: Name | None = None, cursor: Cursor = None, limit: Limit = 50
) -> CreditBalance:
    """What clients have to their credit: paid too much for an invoice, or kept of a payment."""
    last = after(cursor, str)
    with caller.ledger.transaction() as tx:
        found = client_credit.of(tx, client)
    views = [
        CreditView(
            client=each.client,
            issuer=each.issuer,
            source=each.name,
            since=each.since,
            currency=each.left.currency,
            left=each.left.amount,
            set_apart=each.set_apart.amount,
        )
        for each in behind(found, last[0] if last else None, lambda one: one.name)
    ]
    return CreditBalance(**paged(views, limit, lambda each: (each.source,)))
