"""One exception with what was found, and the repairs that fit it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import deciding
from starter.web.desk import desk_of, now


def page(request: Request) -> Response:
    """The exception with that id, also once it is decided: then it says how."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        problem = deciding.problem(tx, request.path_params["id"], now())
        return desk.serve(
            request, tx, "exception.html", problem=problem, view=problem.view, invoice=problem.invoice
        )
