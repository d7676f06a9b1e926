"""The files of an invoice for its client: byte for byte what was issued, and the receipt."""

from __future__ import annotations

from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

from activities.documents.receipt import render_receipt
from activities.invoicing import account_documents, issued_files
from activities.ledger.tables import DocumentRow
from billing.errors import Refused
from starter.web.portal.visits import DOWNLOADS, NothingHere, portal_of, private

KINDS = frozenset((*issued_files.KINDS, *issued_files.CREDIT_NOTE_KINDS))

_one_at_a_time = Lock()
"""Receipts are set in this process: it has pages to serve, too."""


def document(request: Request) -> Response:
    """A document of this invoice; nothing for that of another, or one the client never got."""
    portal = portal_of(request)
    with portal.desk.ledger.transaction() as tx:
        visit = portal.visit(request, tx, may=DOWNLOADS)
        found = tx.get(DocumentRow, request.path_params["sha256"])
        if found is None or found.invoice != visit.row.id or found.kind not in KINDS or found.erased_at:
            raise NothingHere
    return _file(portal.desk.documents.get(found.sha256), found.media_type, found.name or found.sha256)


def receipt(request: Request) -> Response:
    """What was paid up to now, as PDF."""
    portal = portal_of(request)
    with portal.desk.ledger.transaction() as tx:
        visit = portal.visit(request, tx, may=DOWNLOADS)
        try:
            made = account_documents.receipt(tx, visit.row, visit.at)
        except Refused as error:
            raise NothingHere from error
        look, number = visit.look, visit.row.number
    with _one_at_a_time:
        data = render_receipt(made, look)
    return _file(data, "application/pdf", f"{visit.writes.words.gettext('Receipt')}-{number}.pdf")


def _file(data: bytes, media_type: str, name: str) -> Response:
    shown = "inline" if media_type == "application/pdf" else "attachment"
    safe = "".join(each if each.isascii() and (each.isalnum() or each in "-._") else "-" for each in name)
    answer = Response(
        data, media_type=media_type, headers={"Content-Disposition": f'{shown}; filename="{safe}"'}
    )
    answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return private(answer)
