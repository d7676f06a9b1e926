"""What a client sees of its invoice: what is open until when, how to pay it, what it says, what happened."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from activities.documents import invoice_values
from activities.documents.colour import readable_on, readable_on_dark, readable_on_white, tint
from activities.documents.invoice_values import heading_of
from activities.documents.payment_code import transfer_code
from activities.documents.swiss_bill import swiss_code
from activities.invoicing import account_documents, checkout, issued_files, standing
from activities.ledger import checkouts, client_history, collection, disputes, instalments, overpayments
from activities.ledger.tables import CreditNoteRow, DocumentRow, InvoiceRow, PaymentRow
from activities.payments.provider import CheckoutStatus
from billing.document import InvoiceDocument
from billing.money import Money, rounded
from billing.numbering import payment_reference
from billing.status import CollectionStatus, DocumentStatus, PaymentStatus
from starter.web.portal.possible import Possible, possible
from starter.web.portal.visits import Portal, Visit, portal_of

DONE = ("dispute", "withdraw", "promise", "copy", "pay")
"""What a page says was just done."""

NOTHING: Mapping[str, str] = {}

_DARK_WASH = "#232b2f"

_IMAGES = {"svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg"}


def page(request: Request) -> Response:
    """The page of a link. That it was fetched says nothing: scanners and previews fetch it too."""
    portal = portal_of(request)
    done = request.query_params.get("done", "")
    with portal.desk.ledger.transaction() as tx:
        return shown(portal, tx, portal.visit(request, tx), done=done if done in DONE else "")


def shown(
    portal: Portal,
    tx: Session,
    visit: Visit,
    *,
    done: str = "",
    refused: str = "",
    section: str = "",
    form: Mapping[str, str] = NOTHING,
    status: int = 200,
) -> Response:
    """The page as things stand; after a refusal with the reason, and with what was typed."""
    allowed = possible(tx, visit.row, visit.company, visit.draft, visit.at)
    document = account_documents.invoice_document(tx, visit.row, visit.at)
    values = {
        **_document(visit, document),
        **_money(tx, visit, allowed, document),
        **_style(visit),
        "path": f"/i/{visit.token}",
        "secret": portal.form_secret(visit.token),
        "state": _state(tx, visit),
        "may": allowed,
        "today": visit.today,
        "online": _online(portal, tx, visit) if allowed.pay else [],
        "dispute": disputes.current(tx, visit.row),
        "files": _files(tx, visit),
        "history": list(reversed(client_history.of_invoice(tx, visit.row))),
        "day_of": lambda at: visit.writes.day(at.astimezone(_zone(visit)).date()),
        "done": done,
        "refused": refused,
        "section": section,
        "form": form,
    }
    return portal.page("invoice", values, status)


def _document(visit: Visit, document: InvoiceDocument) -> dict[str, Any]:
    """What the invoice itself says, as it was issued."""
    return invoice_values.values(document, visit.look) | {
        "language": visit.writes.language,
        "title": visit.row.title,
        "number": visit.row.number,
        "client_name": visit.draft.buyer.name,
        "payment_reference": document.payment_reference,
    }


def _money(tx: Session, visit: Visit, allowed: Possible, document: InvoiceDocument) -> dict[str, Any]:
    row = visit.row
    open_amount, parts = standing.open_money(row), instalments.standing(tx, row)
    to_pay = checkout.amounts(tx, row, visit.company, visit.at)[0] if allowed.pay else open_amount
    paid = tx.scalar(select(PaymentRow.id).where(PaymentRow.invoice == row.id).limit(1)) is not None
    return {
        "due_date": standing.due_date(row),
        "promised_for": row.promised_for,
        "days_late": (visit.today - standing.due_date(row)).days,
        "gross": _of(visit, row.gross),
        "paid": _of(visit, row.paid),
        "credited": _of(visit, row.credited),
        "open_amount": open_amount,
        "objected_to": disputes.amount_of(row)
        if row.disputed and not collection.wholly_disputed(row)
        else None,
        "to_credit": overpayments.of_client(tx, row),
        "to_pay": to_pay,
        "parts_now": [
            (visit.writes.money(_of(visit, part.amount)), visit.writes.day(part.due_date), is_settled)
            for part, is_settled in zip(parts, instalments.settled(parts, row), strict=True)
        ],
        "code": _code(visit, document, to_pay) if allowed.pay else None,
        "has_receipt": paid,
    }


def _online(portal: Portal, tx: Session, visit: Visit) -> list[Money]:
    """What can be paid by a provider now: what is asked first, then the whole, if that is more."""
    amounts = checkout.amounts(tx, visit.row, visit.company, visit.at)
    stand_in = portal.stand_in != ""
    return [each for each in amounts if checkout.offered(visit.company, visit.row, each, stand_in=stand_in)]


def _code(visit: Visit, document: InvoiceDocument, amount: Money) -> Markup | None:
    """What the app of a bank reads: the Swiss code where the invoice has a QR-bill, else that for euro transfers."""
    swiss = swiss_code(document, amount.amount, heading_of(document.draft.kind, visit.writes.words))
    reference = payment_reference(visit.row.number or "")
    return swiss or transfer_code(visit.draft.issuer, amount, reference, visit.row.number or "")


def _state(tx: Session, visit: Visit) -> str:
    """The one thing the client wants to know first."""
    row = visit.row
    promised = row.collection_status == CollectionStatus.PROMISED and row.promised_for is not None
    states = (
        (row.document_status == DocumentStatus.CREDITED, "credited"),
        (row.payment_status == PaymentStatus.WRITTEN_OFF, "closed"),
        (overpayments.of_client(tx, row).amount > 0, "overpaid"),
        (row.open_amount <= 0, "paid"),
        (row.handed_over_at is not None, "handed over"),
        (collection.wholly_disputed(row), "disputed"),
        (_under_way(tx, row), "under way"),
        (promised, "promised"),
        (visit.today > standing.due_date(row), "overdue"),
    )
    return next((state for holds, state in states if holds), "open")


def _under_way(tx: Session, row: InvoiceRow) -> bool:
    """Whether the client has paid by the provider and the money is not there yet."""
    return any(each.status == CheckoutStatus.UNDER_WAY for each in checkouts.of_invoice(tx, row))


def _files(tx: Session, visit: Visit) -> list[dict[str, Any]]:
    """The documents the client got: the invoice, its e-invoice, and the same of its credit notes."""
    kinds = (*issued_files.KINDS, *issued_files.CREDIT_NOTE_KINDS)
    found = select(DocumentRow).where(DocumentRow.invoice == visit.row.id, DocumentRow.kind.in_(kinds))
    rows = tx.scalars(found.order_by(DocumentRow.made_at)).all()
    current = {visit.row.document} | set(
        tx.scalars(select(CreditNoteRow.document).where(CreditNoteRow.invoice == visit.row.id))
    )
    newest = {(each.kind, each.name): each for each in rows if each.erased_at is None}
    number_first = len(issued_files.KINDS)
    listed = sorted(
        newest.values(),
        key=lambda each: (kinds.index(each.kind) // number_first, each.made_at, kinds.index(each.kind)),
    )
    return [
        {"kind": each.kind, "name": each.name, "sha256": each.sha256, "size": each.size}
        for each in listed
        if each.media_type != "application/pdf" or each.sha256 in current
    ]


def _style(visit: Visit) -> dict[str, Any]:
    accent = (visit.look.look and visit.look.look.accent) or visit.draft.issuer.accent
    dark = readable_on_dark(accent, _DARK_WASH)
    light = readable_on_white(accent)
    return {
        "style": _colours(light, tint(accent, 9), accent)
        + f"@media (prefers-color-scheme: dark) {{ {_colours(dark, _DARK_WASH, dark)} }}",
        "logo": _logo(visit),
    }


def _colours(ink: str, wash: str, band: str) -> str:
    return f":root {{ --accent: {ink}; --on-accent: {readable_on(ink)}; --wash: {wash}; --band: {band} }}"


def _logo(visit: Visit) -> str:
    """The logo as a data URI: an image in a page runs no script, whatever is in the file."""
    name = (visit.look.look and visit.look.look.logo) or ""
    data = visit.look.asset(name) if name else None
    kind = _IMAGES.get(name.rpartition(".")[2].lower())
    return f"data:{kind};base64,{base64.b64encode(data).decode()}" if data and kind else ""


def _of(visit: Visit, amount: Decimal | None) -> Money:
    currency = visit.row.currency or ""
    return Money.of(rounded(amount or Decimal(0), currency), currency)


def _zone(visit: Visit) -> ZoneInfo:
    client = visit.company.client(visit.row.client)
    return ZoneInfo(client.zone if client else "UTC")
