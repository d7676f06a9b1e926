"""Invoices as they are: in pages, one in full, its audit trail, its documents."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import StringConstraints

from activities.ledger import views
from activities.ledger import why as reasons
from activities.ledger.agreement_models import Why
from activities.ledger.read_models import InvoiceFilter, InvoiceSummary, InvoiceView, ReadModel, TimelineEntry
from activities.ledger.summaries import STATUSES
from starter.web import documents
from starter.web.api.routes import OTHER_ANSWER, Called, operations
from starter.web.api.shapes import Cursor, Limit, Name, Reference, answers, id_after, invoice_now, paged

router = operations("Invoices")

Sort = Literal[
    "requested", "-requested", "issued", "-issued", "due", "-due", "client", "-client", "gross", "-gross",
    "open", "-open",
]  # fmt: skip

Words = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class InvoicePage(ReadModel):
    """Invoices that match, in the order asked for; `next` is the cursor of the next page, null on the last one."""

    items: tuple[InvoiceSummary, ...]
    next: str | None


class Timeline(ReadModel):
    """The audit trail, oldest first."""

    items: tuple[TimelineEntry, ...]
    next: str | None


class Answers(ReadModel):
    """Why something was billed, or was not."""

    items: tuple[Why, ...]


@router.get("/invoices", operation_id="listInvoices", responses=answers(400))
def listing(
    caller: Called,
    status: Annotated[
        str | None,
        Query(
            description="of any axis; or open, late, waiting (for a person)",
            json_schema_extra={"enum": [*STATUSES, None]},
        ),
    ] = None,
    client: Name | None = None,
    issuer: Name | None = None,
    currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$")] = None,
    q: Annotated[Words, Query(description="beginnings of words of number, key, title and client")] = "",
    issued_from: date | None = None,
    issued_to: date | None = None,
    due_from: date | None = None,
    due_to: date | None = None,
    sort: Sort = "-requested",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> InvoicePage:
    """Invoices, filtered, searched, in an order; as quick on the last page as on the first."""
    wanted = InvoiceFilter(
        status=status,
        client=client,
        issuer=issuer,
        currency=currency,
        text=q,
        issued_from=issued_from,
        issued_to=issued_to,
        due_from=due_from,
        due_to=due_to,
        order=sort.removeprefix("-"),  # type: ignore[arg-type]  # one of them
        descending=sort.startswith("-"),
        limit=limit + 1,
        before=id_after(cursor),
    )
    with caller.ledger.transaction() as tx:
        found = views.invoices(tx, wanted, caller.at)
    return InvoicePage(**paged(found, limit, lambda each: (each.id,)))


@router.get("/invoices/{invoice:path}/timeline", operation_id="readTimeline", responses=answers(400, 404))
def timeline(
    caller: Called,
    invoice: Reference,
    generation: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> Timeline:
    """The audit trail of an invoice: what happened, when, by whom, from where, and the facts."""
    with caller.ledger.transaction() as tx:
        found = views.timeline(tx, invoice, generation)
    behind = [each for each in found if each.position > (id_after(cursor) or 0)]
    return Timeline(**paged(behind, limit, lambda each: (each.position,)))


@router.get("/invoices/{invoice:path}", operation_id="readInvoice", responses=answers(404))
def one(
    caller: Called,
    response: Response,
    invoice: Reference,
    generation: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> InvoiceView:
    """All about an invoice: lines, taxes, approvals, exceptions, payments, messages, documents, credit notes.

    `ETag` changes with anything of it; commands about it take it as `If-Match`.
    """
    if generation is None:
        return invoice_now(caller, invoice, response)
    with caller.ledger.transaction() as tx:
        return views.invoice(tx, invoice, caller.at, generation)


@router.get("/why/{reference:path}", operation_id="explain", responses=answers(404))
def why(caller: Called, reference: Reference) -> Answers:
    """Why an invoice, a billing key or all of an agreement was billed, or was not."""
    with caller.ledger.transaction() as tx:
        return Answers(items=tuple(reasons.explain(tx, reference, caller.at)))


@router.get(
    "/documents/{sha256}",
    operation_id="readDocument",
    response_class=Response,
    responses={
        200: {
            "description": "The document, byte for byte",
            "content": {kind: {"schema": {}} for kind in ("application/pdf", "application/xml")},
        },
        **answers(404),
    },
    openapi_extra={OTHER_ANSWER: True},
)
def document(request: Request, sha256: Name) -> Response:
    """A document of an invoice, byte for byte: PDF or XML."""
    return documents.bytes_of(request, sha256)
