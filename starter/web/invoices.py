"""The invoices: the list, and one in full."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.ledger import views
from activities.ledger.read_models import InvoiceFilter
from billing.currencies import MINOR_UNITS
from billing.status import CollectionStatus, DocumentStatus, PaymentStatus
from starter.web.desk import desk_of, now

ROWS = 60

STATUS_GROUPS = {
    "At a glance": ("waiting", "open", "late"),
    "Document": tuple(DocumentStatus),
    "Payment": tuple(PaymentStatus),
    "Collection": tuple(CollectionStatus),
}


def listing(request: Request) -> Response:
    """The invoices that match the filter, newest first."""
    desk, asked = desk_of(request), request.query_params
    if (status := asked.get("status")) and status not in views.STATUSES:
        raise HTTPException(
            400, f"There is no status {status[:40]!r}; there are: {', '.join(views.STATUSES)}."
        )
    wanted = InvoiceFilter(
        status=status or None,
        client=asked.get("client") or None,
        text=asked.get("q", "")[:200].replace("\0", ""),
        limit=ROWS + 1,
        before=_id(asked.get("before", "")),
    )
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
        if desk.can_sign_in and desk.person(request) is None:
            return RedirectResponse(f"/sign-in?{urlencode({'back': _here(request)})}", 303)
        found = views.invoices(tx, wanted, now())
        kept = {key: value for key in ("status", "client", "q") if (value := asked.get(key))}
        older = urlencode(kept | {"before": found[ROWS - 1].id}) if len(found) > ROWS else None
        clients = sorted(client.id for client in company.clients) if company else []
        return desk.serve(
            request,
            tx,
            "invoices.html",
            invoices=found[:ROWS],
            wanted=wanted,
            groups=STATUS_GROUPS,
            older=older,
            clients=clients,
            filtered=bool(kept),
        )


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
