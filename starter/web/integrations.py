"""Connected systems: how each fares, the log of what each said, and one message whole."""

from __future__ import annotations

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import events, integration_views
from billing.company import Company
from billing.errors import NotFound
from starter.web.desk import Desk, desk_of, now

ROWS = 100
"""Messages on the page of a system; the command line lists them all."""


def listing(request: Request) -> Response:
    """Every connected system."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
        views = integration_views.all_of(tx, company, desk.settings.web_url, now()) if company else []
        return desk.serve(request, tx, "integrations.html", views=views)


def detail(request: Request) -> Response:
    """One system with its log."""
    desk, name = desk_of(request), request.path_params["connection"].replace("\0", "")
    with desk.ledger.transaction() as tx:
        view = integration_views.one_of(tx, _company(desk, tx), desk.settings.web_url, name, now())
        log = integration_views.log_of(tx, name, ROWS)
        return desk.serve(request, tx, "integration.html", view=view, log=log, rows=ROWS)


def message(request: Request) -> Response:
    """One message whole: `?delivery=ID`, or `?source=SOURCE&event=ID`."""
    desk, name = desk_of(request), request.path_params["connection"].replace("\0", "")
    asked = {
        each: request.query_params.get(each, "").replace("\0", "") for each in ("delivery", "source", "event")
    }
    with desk.ledger.transaction() as tx:
        if asked["delivery"]:
            found = integration_views.delivery(tx, name, asked["delivery"])
        else:
            found = integration_views.event(name, events.find(tx, asked["source"], asked["event"]))
        return desk.serve(request, tx, "integration_message.html", message=found, connection=name)


def _company(desk: Desk, tx: Session) -> Company:
    company = desk.company(tx)
    if company is None:
        raise NotFound("there is no company yet, so nothing is connected")
    return company
