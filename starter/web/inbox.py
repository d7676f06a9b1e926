"""The inbox: what waits for a person, oldest deadline first."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import views
from starter.web.desk import desk_of, now

MOST = 100
"""Items on the page; more are worked off from the top."""


def page(request: Request) -> Response:
    """What waits for the person signed in, or for everybody."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        person = desk.person(request)
        everybody = person is None or request.query_params.get("for") == "all"
        at = now()
        items = views.inbox(tx, None if everybody or person is None else person.id, at, limit=MOST)
        counts = views.counts(tx, at, person.id if person else None)
        return desk.serve(
            request, tx, "inbox.html", items=items, everybody=everybody, most=MOST, counts=counts
        )
