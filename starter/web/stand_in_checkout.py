"""In development: the page that stands in for a payment provider's. No money moves; the ledger books it as if it did.

What happens here goes the way a provider's news go, so that paying, a refusing bank, and paying twice can be tried out.
"""

from __future__ import annotations

import secrets

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.ledger import company_records, provider_payments
from activities.ledger.tables import CheckoutRow, InvoiceRow
from activities.payments.provider import CheckoutReport, CheckoutStatus, ProviderPayment
from activities.payments.stand_in import STAND_IN
from billing.money import Money
from starter.web.desk import Desk, check_csrf, desk_of, now
from starter.web.forms import Form, read_form

TITLE = "the stand-in for a payment provider"
PAID, REFUSED = "paid", "refused"


def page(request: Request) -> Response:
    """What is to be paid, and what may happen to it; 404 outside of development."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        row, invoice = _open(desk, tx, request)
        company = company_records.current(tx).company
        issuer = company.issuer(invoice.issuer or "")
        return desk.page(
            request,
            "stand_in_checkout.html",
            {
                "invoice": invoice.number,
                "payee": issuer.name if issuer else company.name,
                "amount": str(Money.of(row.amount, row.currency)),
                "open": row.status == CheckoutStatus.OPEN and row.expires_at > now(),
                "status": row.status,
                "back": _back(desk, request),
            },
        )


async def act(request: Request) -> Response:
    """The money is there, or the bank refuses it; back to where the client came from."""
    form = await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    return await run_in_threadpool(_act, request, form)


def _act(request: Request, form: Form) -> Response:
    desk, at = desk_of(request), now()
    outcome = form.get("outcome", "")
    if outcome not in (PAID, REFUSED):
        raise HTTPException(400, "That is not a form of ours. Nothing was changed.")
    with desk.ledger.transaction() as tx:
        provider_payments.alone(tx, STAND_IN.id)
        row, invoice = _open(desk, tx, request)
        if row.status == CheckoutStatus.OPEN and row.expires_at > at:
            paid = outcome == PAID
            payment = ProviderPayment(
                id=f"trial-{secrets.token_hex(8)}",
                received=Money.of(row.amount, row.currency) if paid else None,
                received_at=at,
                billing_key=invoice.billing_key,
                attempt=secrets.token_hex(4),
                failure="" if paid else "card_declined",
            )
            company = company_records.current(tx).company
            if paid:
                report = CheckoutReport(row.session, CheckoutStatus.PAID, payment.id)
                provider_payments.take_in(tx, STAND_IN, TITLE, report, company, at=at)
            provider_payments.take_in(tx, STAND_IN, TITLE, payment, company, at=at)
    return RedirectResponse(_back(desk, request), 303)


def _open(desk: Desk, tx: Session, request: Request) -> tuple[CheckoutRow, InvoiceRow]:
    if not desk.settings.development:
        raise HTTPException(404)
    row = tx.get(CheckoutRow, request.path_params["session"])
    if row is None or row.connection != STAND_IN.id:
        raise HTTPException(404)
    return row, tx.get_one(InvoiceRow, row.invoice)


def _back(desk: Desk, request: Request) -> str:
    """Where the client came from: a page of ours, and nothing else."""
    wanted, own = request.query_params.get("back", ""), f"{desk.settings.web_url}/"
    return wanted if wanted.startswith(own) else own
