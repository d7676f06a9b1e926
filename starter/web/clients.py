"""Clients: the list with what each owes, and one with its account, invoices and agreements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from activities.languages.catalogue import message
from activities.ledger import (
    agreement_views,
    client_credit,
    client_views,
    company_records,
    credit_holds,
    money_views,
)
from billing.company import Client, Company
from billing.errors import NotFound, Refused
from billing.statement_of_account import EntryKind
from starter.web.desk import desk_of, now
from starter.web.listings import page_of
from starter.web.orders import Order

ROWS = 50
MOST_ENTRIES = 60
"""Movements of an account on a page; the statement of the command line has them all."""

VIEWS = {
    "": message("All"),
    "late": message("Late"),
    "hold": message("On credit hold"),
    "credit": message("With credit"),
}
KINDS = {
    EntryKind.INVOICE: message("Invoice"),
    EntryKind.CREDIT_NOTE: message("Credit note"),
    EntryKind.PAYMENT: message("Payment"),
    EntryKind.REPAYMENT: message("Repayment"),
    EntryKind.DISCOUNT: message("Discount for paying early"),
    EntryKind.CREDIT: message("Credited"),
    EntryKind.WRITE_OFF: message("Write-off"),
}


def listing(request: Request) -> Response:
    """A page of clients by id: all, those late, on hold or with credit; `?q=` narrows by what id or name contains."""
    desk, at = desk_of(request), now()
    asked = {
        name: request.query_params.get(name, "").replace("\0", "")[:200] for name in ("q", "view", "after")
    }
    view = asked["view"] if asked["view"] in VIEWS else ""
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
        wanted = _named(tx, _of_view(tx, company, view, at), asked["q"].strip().lower())
        shown, after = page_of(sorted(wanted, key=lambda each: each.id), asked["after"], ROWS)
        return desk.serve(
            request,
            tx,
            "clients.html",
            clients=client_views.of_clients(tx, shown, at),
            total=len(wanted),
            after=after,
            asked=asked,
            view=view,
            views=VIEWS,
        )


def _named(tx: Session, clients: list[Client], text: str) -> list[Client]:
    """Those whose id, or the name they were billed by last, contains the text."""
    if not text:
        return clients
    names = money_views.names_of(tx, [each.id for each in clients])
    return [each for each in clients if text in f"{each.id}\n{names.get(each.id, '')}".lower()]


def _of_view(tx: Session, company: Company | None, view: str, at: datetime) -> list[Client]:
    if company is None:
        return []
    if view == "late":
        ids = client_views.late_clients(tx, at)
    elif view == "hold":
        ids = client_views.held_clients(tx)
    elif view == "credit":
        ids = client_views.clients_in_credit(tx)
    else:
        return list(company.clients)
    return [each for each in company.clients if each.id in ids]


def detail(request: Request) -> Response:
    """One client in full."""
    desk, at = desk_of(request), now()
    key = request.path_params["client"].replace("\0", "")
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
        if company is None:
            raise NotFound("there is no company yet, so there are no clients")
        found = client_views.client(tx, company, key, at)
        return desk.serve(
            request,
            tx,
            "client.html",
            view=found,
            client=found.summary.client,
            credits=client_credit.of(tx, key),
            agreements=agreement_views.agreements(tx, at, key),
            kinds=KINDS,
            most_entries=MOST_ENTRIES,
        )


def _place_hold(order: Order) -> str:
    if not order["reason"]:
        raise Refused("say why the client is put on credit hold")
    with order.ledger.transaction() as tx:
        company = company_records.current(tx).company
        _known(company, order["client"])
        row = credit_holds.place(
            tx, order["client"], company, reason=order["reason"][:500], by=order.by, at=order.at
        )
    if row is None:
        return f"{order['client']} was on credit hold already; nothing was changed."
    return f"{order['client']} is on credit hold; its account manager is told."


def _lift_hold(order: Order) -> str:
    with order.ledger.transaction() as tx:
        company = company_records.current(tx).company
        _known(company, order["client"])
        credit_holds.lift(tx, order["client"], company, by=order.by, at=order.at)
    return f"{order['client']} is on credit hold no more."


def _known(company: Company, client: str) -> None:
    if company.client(client) is None:
        raise NotFound(f"there is no client {client[:80]!r}; load the page again")


COMMANDS: Mapping[str, Callable[[Order], str]] = {
    "place-credit-hold": _place_hold,
    "lift-credit-hold": _lift_hold,
}
