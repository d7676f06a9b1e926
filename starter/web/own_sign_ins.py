"""Where a person is signed in, and with which role."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import sign_ins
from starter.web.desk import desk_of, now
from starter.web.guests import guest_of
from starter.web.permissions import DUTIES


def page(request: Request) -> Response:
    """The browsers the person is signed in with, since when, and how they proved who they are."""
    desk, guest, at = desk_of(request), guest_of(request), now()
    with desk.ledger.transaction() as tx:
        found = sign_ins.open_of(tx, guest.person.id, at=at) if guest and guest.person else []
        here = guest.since if guest else None
        return desk.serve(request, tx, "sign_ins.html", sign_ins=found, here=here, duties=DUTIES)
