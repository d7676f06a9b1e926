"""Issued documents, byte for byte."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import views
from billing.errors import NotFound
from starter.web.desk import desk_of


def document(request: Request) -> Response:
    """The bytes of a document of an invoice; 404 when the ledger knows none with that hash."""
    return bytes_of(request, request.path_params["sha256"].replace("\0", ""))


def bytes_of(request: Request, sha256: str) -> Response:
    """The same for a hash that is known."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        found = views.document(tx, sha256)
    if found is None:
        raise NotFound("the ledger knows no document with this hash")
    content = desk.documents.get(sha256)
    return Response(
        content,
        media_type=found.media_type,
        headers={
            "Content-Disposition": f'{_shown(found.media_type)}; filename="{found.file_name}"',
            "Content-Security-Policy": "frame-ancestors 'none'",
            "X-Frame-Options": "DENY",
            "Cache-Control": "private, max-age=86400, immutable",
        },
    )


def pdf_of(request: Request) -> bytes:
    """The bytes of the PDF a page is about; `NotFound` when the ledger knows none with that hash."""
    sha256, desk = request.path_params["sha256"].replace("\0", ""), desk_of(request)
    with desk.ledger.transaction() as tx:
        found = views.document(tx, sha256)
    if found is None or found.media_type != "application/pdf":
        raise NotFound("the ledger knows no PDF with this hash")
    return desk.documents.get(sha256)


def _shown(media_type: str) -> str:
    """Pages are opened in the browser; e-invoices are for other programs, and saved."""
    return "inline" if media_type == "application/pdf" else "attachment"
