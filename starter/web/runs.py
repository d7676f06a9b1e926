"""Billing runs: the list, and one with what it did."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import billing_run_records
from activities.ledger.billing_run_records import Outcome
from starter.web.desk import desk_of

ROWS = 50
MOST_ITEMS = 500
"""Of each kind on the page; the command line lists them all."""


def listing(request: Request) -> Response:
    """The newest runs; those that found nothing to do only with `?all=1`."""
    desk, everything = desk_of(request), request.query_params.get("all") == "1"
    with desk.ledger.transaction() as tx:
        runs = billing_run_records.runs(tx, ROWS, with_work=not everything)
        last = billing_run_records.last_moved(tx)
        return desk.serve(request, tx, "runs.html", runs=runs, everything=everything, last=last, rows=ROWS)


def detail(request: Request) -> Response:
    """One run: how far it is, what it held and why, what it asked for."""
    desk, name = desk_of(request), request.path_params["run"].replace("\0", "")
    with desk.ledger.transaction() as tx:
        return desk.serve(
            request,
            tx,
            "run.html",
            run=billing_run_records.run_of(tx, name),
            held=billing_run_records.items(tx, name, Outcome.HELD, MOST_ITEMS),
            asked=billing_run_records.items(tx, name, Outcome.TRIGGERED, MOST_ITEMS),
            oldest=billing_run_records.oldest_caught_up(tx, name),
        )
