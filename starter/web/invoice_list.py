"""The list of invoices: filtered, searched, in an order, page by page."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from activities.languages.catalogue import message
from activities.ledger import saved_views, views
from activities.ledger.read_models import InvoiceFilter, InvoiceSummary
from billing.status import CollectionStatus, DocumentStatus, PaymentStatus
from starter.web.desk import desk_of, now
from starter.web.invoice_query import filter_of, query_of, sorted_by

PATH = "/invoices"
ROWS = 50
MOST_CHOICES = 300
"""Clients among whom one is chosen from a list; among more, by its id or by a search."""

STATUS_GROUPS = {
    message("At a glance"): ("waiting", "open", "late"),
    message("Document"): tuple(DocumentStatus),
    message("Payment"): tuple(PaymentStatus),
    message("Collection"): tuple(CollectionStatus),
}

GLANCES = ("waiting", "open", "late", "disputed", "overpaid")
"""States that have a view of their own for everybody."""


def listing(request: Request) -> Response:
    """A page of the invoices that match."""
    desk, at = desk_of(request), now()
    wanted = filter_of(request.query_params, ROWS + 1)
    with desk.ledger.transaction() as tx:
        company, person = desk.company(tx), desk.person(request)
        found, newer, older = _page(tx, wanted, at)
        clients = sorted(client.id for client in company.clients) if company else []
        return desk.serve(
            request,
            tx,
            "invoices.html",
            invoices=found,
            wanted=wanted,
            here=query_of(wanted),
            newer=newer,
            older=older,
            sorted_by=lambda order: sorted_by(wanted, order),
            chosen_order=request.query_params.get("sort", ""),
            groups=STATUS_GROUPS,
            glances=GLANCES,
            saved=saved_views.of(tx, PATH, person.id) if person else [],
            longest_name=saved_views.LONGEST_NAME,
            clients=clients if len(clients) <= MOST_CHOICES else None,
            issuers=sorted(each.id for each in company.issuers) if company else [],
            filtered=query_of(wanted, sort=None) != "",
            narrowed=sum(
                map(
                    bool,
                    (wanted.issuer, wanted.issued_from, wanted.issued_to, wanted.due_from, wanted.due_to),
                )
            ),
        )


def _page(
    tx: Session, wanted: InvoiceFilter, at: datetime
) -> tuple[list[InvoiceSummary], str | None, str | None]:
    """The rows of the page, and the queries of the page before and the page behind it."""
    found = views.invoices(tx, wanted, at)
    if wanted.back is not None:
        more_before, more_behind = len(found) > ROWS, True
        found = found[-ROWS:]
    else:
        more_before, more_behind = wanted.before is not None, len(found) > ROWS
        found = found[:ROWS]
    newer = query_of(wanted, back=found[0].id) if found and more_before else None
    older = query_of(wanted, before=found[-1].id) if found and more_behind else None
    return found, newer, older
