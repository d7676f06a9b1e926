"""The development mailbox: what was sent, as its readers get it. No message is trusted."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from starter.local_stack import mailbox
from starter.web.desk import desk_of

NEWEST = 200

# The frame shows the message's own styles and pictures and nothing from elsewhere; its links open a new tab.
_FRAME = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)


def listing(request: Request) -> Response:
    """The newest messages."""
    desk, folder = desk_of(request), _folder(request)
    kept = mailbox.messages(folder)
    with desk.ledger.transaction() as tx:
        return desk.serve(
            request, tx, "mailbox.html", messages=kept[: -NEWEST - 1 : -1], total=len(kept), newest=NEWEST
        )


def message(request: Request) -> Response:
    """One message: its head, its text, its HTML in a sandbox, its attachments."""
    desk, found = desk_of(request), _message(request)
    with desk.ledger.transaction() as tx:
        return desk.serve(request, tx, "message.html", message=found)


def html(request: Request) -> Response:
    """The HTML of a message, for the sandboxed frame."""
    content = '<!doctype html><meta charset="utf-8"><base target="_blank">' + _message(request).html
    return HTMLResponse(content, headers={"Content-Security-Policy": _FRAME, "X-Frame-Options": "SAMEORIGIN"})


def attachment(request: Request) -> Response:
    """An attached file, always as a download."""
    attachments = _message(request).attachments
    number = request.path_params["number"]
    if not 1 <= number <= len(attachments):
        raise HTTPException(404, "The message has no such attachment.")
    found = attachments[number - 1]
    disposition = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    return Response(
        found.read(), media_type="application/octet-stream", headers={"Content-Disposition": disposition}
    )


def _folder(request: Request) -> Path:
    desk = desk_of(request)
    if not desk.shows_mailbox or desk.settings.mailbox is None:
        raise HTTPException(404, "There is no mailbox here: it is part of the development set-up.")
    return desk.settings.mailbox


def _message(request: Request) -> mailbox.StoredMessage:
    found = mailbox.message(_folder(request), request.path_params["id"])
    if found is None:
        raise HTTPException(404, "There is no such message; the mailbox lists those there are.")
    return found
