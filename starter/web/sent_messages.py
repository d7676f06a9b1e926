"""Messages about invoices as they were sent: head, text, and the HTML in a sandbox. No message is trusted."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from activities.ledger import dealings
from starter.web.desk import desk_of

# The frame shows the message's own styles and pictures and nothing from elsewhere; its links open a new tab.
_FRAME = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)


def page(request: Request) -> Response:
    """One message as it was sent, to whom, and whether it is known to have arrived."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        found = dealings.message(tx, request.path_params["key"].replace("\0", ""))
        return desk.serve(request, tx, "sent_message.html", message=found)


def html(request: Request) -> Response:
    """The HTML of a message, for the sandboxed frame."""
    with desk_of(request).ledger.transaction() as tx:
        found = dealings.message(tx, request.path_params["key"].replace("\0", ""))
    content = '<!doctype html><meta charset="utf-8"><base target="_blank">' + found.html
    return HTMLResponse(content, headers={"Content-Security-Policy": _FRAME, "X-Frame-Options": "SAMEORIGIN"})
