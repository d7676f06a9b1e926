"""What was agreed, said and moved about invoices: bookings, credit notes, disputes, promises, plans and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, Protocol, TypeVar
from urllib.parse import quote

from fastapi import Depends, Query, Request, Response
from sqlalchemy.orm import Session

from activities.ledger import dispute_files, invoices
from activities.ledger.read_models import ReadModel
from activities.ledger.records.bookings import BookingView, list_bookings, read_booking
from activities.ledger.records.credit_holds import CreditHoldRecord, list_credit_holds
from activities.ledger.records.credit_notes import CreditNoteRecord, list_credit_notes, read_credit_note
from activities.ledger.records.disputes import DisputeRecord, list_disputes, read_dispute
from activities.ledger.records.giving_up import GivenUpRecord, list_given_up, read_given_up
from activities.ledger.records.listing import Wanted
from activities.ledger.records.payment_plans import PlanRecord, list_plans
from activities.ledger.records.payments import UnmatchedPaymentView, list_payments, read_payment
from activities.ledger.records.promises import PromiseRecord, list_promises
from billing.errors import NotFound
from starter.web.api.routes import OTHER_ANSWER, Called, operations
from starter.web.api.shapes import Cursor, Id, Limit, Name, answers, id_after, paged, tagged
from starter.web.callers import Caller
from starter.web.desk import desk_of

router = operations("Records")

Item = TypeVar("Item")


class Page(ReadModel, Generic[Item]):
    """The newest first."""

    items: tuple[Item, ...]
    next: str | None


class Filter(ReadModel):
    """What is asked for of a list."""

    client: str | None
    invoice: str | None
    open: bool | None
    after: int | None
    limit: int


def _of_client(
    client: Name | None = None,
    is_open: Annotated[
        bool | None, Query(alias="open", description="only those that are not over; or, false, that are")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Filter:
    return Filter(client=client, invoice=None, open=is_open, after=id_after(cursor), limit=limit)


def _of_invoice(
    found: Annotated[Filter, Depends(_of_client)],
    invoice: Annotated[Name | None, Query(description="its number, or its billing key")] = None,
) -> Filter:
    return found.model_copy(update={"invoice": invoice})


OfClient = Annotated[Filter, Depends(_of_client)]
OfInvoice = Annotated[Filter, Depends(_of_invoice)]

_LISTED = answers(400, 404)


class Numbered(Protocol):
    """What is known by an id."""

    @property
    def id(self) -> int: ...


Kind = TypeVar("Kind", bound=Numbered)


def _listed(caller: Caller, asked: Filter, look: Callable[[Session, Wanted], list[Kind]]) -> dict[str, Any]:
    """The page that is asked for; `NotFound` for an invoice there is not."""
    with caller.ledger.transaction() as tx:
        of_invoice = invoices.find(tx, asked.invoice).id if asked.invoice is not None else None
        found = look(tx, Wanted(asked.client, of_invoice, asked.open, asked.after, asked.limit + 1))
    return paged(found, asked.limit, lambda each: (each.id,))


@router.get("/payments", operation_id="listPayments", responses=answers(400))
def payments(caller: Called, asked: OfClient) -> Page[UnmatchedPaymentView]:
    """Payments whose invoice nobody knew, with what they may be for; `open`: something of them is to be decided."""
    return Page[UnmatchedPaymentView](**_listed(caller, asked, list_payments))


@router.get("/payments/{payment}", operation_id="readPayment", responses=answers(404))
def payment(caller: Called, response: Response, payment: Id) -> UnmatchedPaymentView:
    """One of them."""
    with caller.ledger.transaction() as tx:
        return tagged(response, read_payment(tx, payment))


@router.get("/bookings", operation_id="listBookings", responses=_LISTED)
def bookings(caller: Called, asked: OfInvoice) -> Page[BookingView]:
    """Money booked for invoices; below zero, money that was taken back."""
    return Page[BookingView](**_listed(caller, asked, list_bookings))


@router.get("/bookings/{booking}", operation_id="readBooking", responses=answers(404))
def booking(caller: Called, response: Response, booking: Id) -> BookingView:
    """One booking."""
    with caller.ledger.transaction() as tx:
        return tagged(response, read_booking(tx, booking))


@router.get("/credit-notes", operation_id="listCreditNotes", responses=_LISTED)
def credit_notes(caller: Called, asked: OfInvoice) -> Page[CreditNoteRecord]:
    """Credit notes; `open`: the client does not have it yet."""
    return Page[CreditNoteRecord](**_listed(caller, asked, list_credit_notes))


@router.get("/credit-notes/{number:path}", operation_id="readCreditNote", responses=answers(404))
def credit_note(caller: Called, response: Response, number: Name) -> CreditNoteRecord:
    """One credit note, by its number."""
    with caller.ledger.transaction() as tx:
        return tagged(response, read_credit_note(tx, number))


@router.get("/disputes", operation_id="listDisputes", responses=_LISTED)
def disputes(caller: Called, asked: OfInvoice) -> Page[DisputeRecord]:
    """Disputes: what is wrong, who decides until when, and how it was decided."""
    return Page[DisputeRecord](**_listed(caller, asked, list_disputes))


@router.get("/disputes/{dispute}", operation_id="readDispute", responses=answers(404))
def dispute(caller: Called, response: Response, dispute: Id) -> DisputeRecord:
    """One dispute."""
    with caller.ledger.transaction() as tx:
        return tagged(response, read_dispute(tx, dispute))


@router.get(
    "/disputes/{dispute}/files/{sha256}",
    operation_id="readDisputeFile",
    response_class=Response,
    responses={
        200: {
            "description": "The file, byte for byte",
            "content": {"application/octet-stream": {"schema": {}}},
        },
        **answers(404),
    },
    openapi_extra={OTHER_ANSWER: True},
)
def dispute_file(request: Request, caller: Called, dispute: Id, sha256: Name) -> Response:
    """A file the client sent with a dispute, byte for byte: look at it with care."""
    with caller.ledger.transaction() as tx:
        found = dispute_files.find(tx, dispute, sha256)
    if found is None:
        raise NotFound("the ledger knows no such file of a dispute")
    return Response(
        desk_of(request).documents.get(found.sha256),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"},
    )


@router.get("/promises", operation_id="listPromises", responses=_LISTED)
def promises(caller: Called, asked: OfInvoice) -> Page[PromiseRecord]:
    """Promises to pay; `open`: their day is to come."""
    return Page[PromiseRecord](**_listed(caller, asked, list_promises))


@router.get("/plans", operation_id="listPlans", responses=_LISTED)
def plans(caller: Called, asked: OfInvoice) -> Page[PlanRecord]:
    """Payment plans that were agreed after issue; `open`: they hold."""
    return Page[PlanRecord](**_listed(caller, asked, list_plans))


@router.get("/given-up", operation_id="listGivenUp", responses=_LISTED)
def given_up(caller: Called, asked: OfInvoice) -> Page[GivenUpRecord]:
    """Write-offs, refunds and credit notes somebody asked for; `open`: somebody must agree, or pay it out."""
    return Page[GivenUpRecord](**_listed(caller, asked, list_given_up))


@router.get("/given-up/{item}", operation_id="readGivenUp", responses=answers(404))
def given_up_one(caller: Called, response: Response, item: Id) -> GivenUpRecord:
    """One of them."""
    with caller.ledger.transaction() as tx:
        return tagged(response, read_given_up(tx, item))


@router.get("/credit-holds", operation_id="listCreditHolds", responses=answers(400))
def credit_holds(caller: Called, asked: OfClient) -> Page[CreditHoldRecord]:
    """Credit holds of clients; `open`: they hold."""
    return Page[CreditHoldRecord](**_listed(caller, asked, list_credit_holds))
