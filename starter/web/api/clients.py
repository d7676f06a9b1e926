"""Clients: who they are, what they owe, how they keep their word, and their credit hold."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from fastapi import Response
from sqlalchemy.orm import Session

from activities.ledger import ageing, client_credit, company_records, credit_holds, dispute_commands, promises
from activities.ledger.ageing import Bucket
from activities.ledger.database import Ledger
from activities.ledger.read_models import ReadModel
from activities.ledger.tables import CreditHoldRow
from billing.company import Client
from billing.errors import NotFound
from billing.parties import Strict
from starter.web.api.routes import Called, operations
from starter.web.api.shapes import (
    Cursor,
    IfMatch,
    Limit,
    Money,
    Name,
    Reason,
    after,
    answers,
    paged,
    tagged,
    unchanged,
)
from starter.web.callers import Caller

router = operations("Clients")

_ABOUT = answers(404, 409, 412)


class CreditHold(ReadModel):
    """Since when and why nothing more is to be done on account."""

    since: datetime
    reason: str
    placed_by: str


class ClientSummary(ReadModel):
    """A client, as agreed with it."""

    id: str
    issuer: str
    currency: str
    language: str
    zone: str
    terms: str
    account_manager: str
    credit_hold: CreditHold | None


class Clients(ReadModel):
    """Clients of the company that runs, by id."""

    items: tuple[ClientSummary, ...]
    next: str | None


class Promises(ReadModel):
    """How many promises to pay were kept, broken, moved, and are open."""

    kept: int
    broken: int
    moved: int
    open: int


class ClientView(ClientSummary):
    """A client with what it owes by currency and days late, its promises, and what it has to its credit."""

    ageing: dict[str, dict[str, Bucket]]
    promises: Promises
    credit: tuple[Money, ...]


class Why(Strict):
    """Why it is done."""

    reason: Reason


class Held(ReadModel):
    """Whether that is new."""

    client: str
    on_credit_hold: bool
    new: bool


@router.get("/clients", operation_id="listClients", responses=answers(400))
def clients(caller: Called, cursor: Cursor = None, limit: Limit = 50) -> Clients:
    """Clients of the company that runs."""
    last = after(cursor, str)
    with caller.ledger.transaction() as tx:
        company = company_records.current(tx).company
        holds = {each.client: each for each in credit_holds.all_current(tx)}
    known = sorted(
        (each for each in company.clients if last is None or each.id > last[0]), key=lambda each: each.id
    )
    found = [ClientSummary(**_said(each, holds.get(each.id))) for each in known[: limit + 1]]
    return Clients(**paged(found, limit, lambda each: (each.id,)))


@router.get("/clients/{client}", operation_id="readClient", responses=answers(404))
def client(caller: Called, response: Response, client: Name) -> ClientView:
    """One client."""
    with caller.ledger.transaction() as tx:
        return tagged(response, _shown(tx, caller, client))


def _shown(tx: Session, caller: Caller, client: str, *, lock: bool = False) -> ClientView:
    found = company_records.current(tx).company.client(client)
    if found is None:
        raise NotFound(f"there is no client {client[:80]!r} in the company that runs")
    hold = credit_holds.current(tx, client)
    if lock and hold is not None:
        tx.refresh(hold, with_for_update=True)
    credit: dict[str, Decimal] = {}
    for each in client_credit.of(tx, client):
        credit[each.left.currency] = credit.get(each.left.currency, Decimal(0)) + each.left.amount
    return ClientView(
        **_said(found, hold),
        ageing=ageing.owed(tx, client, caller.at),
        promises=Promises(**vars(promises.record_of(tx, client))),
        credit=tuple(Money(amount=amount, currency=each) for each, amount in sorted(credit.items())),
    )


@router.post("/clients/{client}/place-credit-hold", operation_id="placeCreditHold", responses=_ABOUT)
def place(caller: Called, client: Name, body: Why, if_match: IfMatch = None) -> Held:
    """Puts a client on credit hold: its account manager thinks before more is done on account."""
    new = dispute_commands.place_credit_hold(
        _of_client(caller, client, if_match), client, reason=body.reason, by=caller.person, at=caller.at
    )
    return Held(client=client, on_credit_hold=True, new=new)


@router.post("/clients/{client}/lift-credit-hold", operation_id="liftCreditHold", responses=_ABOUT)
def lift(caller: Called, client: Name, if_match: IfMatch = None) -> Held:
    """Ends the credit hold of a client."""
    ledger = _of_client(caller, client, if_match)
    dispute_commands.lift_credit_hold(ledger, client, by=caller.person, at=caller.at)
    return Held(client=client, on_credit_hold=False, new=True)


def _of_client(caller: Caller, client: str, if_match: str | None) -> Ledger:
    return unchanged(caller, if_match, client, lambda tx: _shown(tx, caller, client, lock=True))


def _said(client: Client, hold: CreditHoldRow | None) -> dict[str, Any]:
    return {
        "id": client.id,
        "issuer": client.issuer,
        "currency": client.currency,
        "language": client.language,
        "zone": client.zone,
        "terms": str(client.terms),
        "account_manager": client.account_manager,
        "credit_hold": hold and CreditHold(since=hold.since, reason=hold.reason, placed_by=hold.by),
    }
