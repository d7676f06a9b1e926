"""Files clients sent with disputes: for staff, to save. No page shows them, whatever is in them."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import dispute_files
from billing.errors import NotFound
from starter.web.desk import desk_of


def file(request: Request) -> Response:
    """One file of a dispute, always as an attachment; 404 when there is none."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        found = dispute_files.find(tx, request.path_params["dispute"], request.path_params["sha256"])
    if found is None:
        raise NotFound("the ledger knows no such file of a dispute")
    return Response(
        desk.documents.get(found.sha256),
        media_type=found.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-store",
        },
    )
