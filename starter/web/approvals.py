"""One approval with all that is needed to decide: the draft, what differs from the last, checks, who else agrees."""

from __future__ import annotations

from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import deciding
from starter.web.desk import desk_of, now


def page(request: Request) -> Response:
    """The approval with that id, also once it is over: then it says what became of it."""
    desk, at = desk_of(request), now()
    with desk.ledger.transaction() as tx:
        person = desk.person(request)
        asked = deciding.approval(tx, request.path_params["id"], at)
        found = asked.compared.differences if asked.compared else ()
        return desk.serve(
            request,
            tx,
            "approval.html",
            asked=asked,
            invoice=asked.invoice,
            differences=[(part, list(each)) for part, each in groupby(found, lambda one: one.part)],
            may_decide=person is not None and asked.waits_for(person.id),
        )
