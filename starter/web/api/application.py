"""The API put together: its operations, what is told when something fails, and its description."""

from __future__ import annotations

from copy import copy
from functools import cache, partial

from fastapi import FastAPI
from starlette.routing import Route

from starter.web.api import (
    accounts,
    agreements,
    bank,
    billing,
    clients,
    collecting,
    company,
    crediting,
    deciding,
    description,
    documentation,
    given_up,
    integrations,
    invoices,
    own,
    paying,
    people,
    records,
)
from starter.web.desk import Desk
from starter.web.problems import HANDLERS

PREFIX = "/api/v1"


def app_for_api(desk: Desk) -> FastAPI:
    """The API as an app of its own, for `PREFIX`; the doors are put before its routes by whoever mounts it."""
    app = FastAPI(
        title="Billow",
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        exception_handlers=dict(HANDLERS),
    )
    for each in (
        invoices, billing, deciding, given_up, collecting, paying, crediting, records, accounts, bank, agreements,
        clients, company, people, own, integrations,
    ):  # fmt: skip
        # its own, since a door is put before each: a route that apps shared would have one more with every app
        app.router.routes.extend(copy(route) for route in each.router.routes)
    # an address that ends with whatever there is would take those that go on behind it
    app.router.routes.sort(key=lambda route: getattr(route, "path", "").endswith(":path}"))
    # described when somebody asks first: that takes longer than all else an app does before it serves
    described = cache(partial(description.of, app, PREFIX))
    app.openapi = described  # type: ignore[method-assign]
    # no operation: FastAPI remembers the functions of those for good, and with this one the app and its ledger
    app.router.routes.append(Route("/docs", documentation.page_of(described), include_in_schema=False))
    app.state.desk = desk
    return app
