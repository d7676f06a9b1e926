"""One invoice in full."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.ledger import views
from billing.currencies import MINOR_UNITS
from starter.web.desk import desk_of, now


def detail(request: Request) -> Response:
    """One invoice in full, by number or billing key; `?generation=` shows an earlier, voided draft."""
    desk, at = desk_of(request), now()
    reference, generation = request.path_params["reference"], _id(request.query_params.get("generation", ""))
    with desk.ledger.transaction() as tx:
        person = desk.person(request)
        if desk.can_sign_in and person is None:
            return RedirectResponse(f"/sign-in?{urlencode({'back': _here(request)})}", 303)
        invoice = views.invoice(tx, reference.replace("\0", ""), at, generation)
        return desk.serve(
            request,
            tx,
            "invoice.html",
            invoice=invoice,
            timeline=views.timeline(tx, invoice.billing_key, invoice.generation),
            approval=next(
                (one for one in invoice.approvals if one.status == "waiting" and one.current), None
            ),
            workflow_url=desk.workflow_url(invoice.billing_key),
            tomorrow=at + timedelta(days=1),
            decimals=MINOR_UNITS.get(invoice.currency or "", 2),
        )


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
