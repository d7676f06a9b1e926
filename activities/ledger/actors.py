"""Who acts on an invoice: a person of the company, or, by the portal, the client it is for."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from activities.ledger.tables import InvoiceRow
from billing.approval_policy import Channel
from billing.company import Company
from billing.errors import NotAllowed

PORTAL = "portal"
"""The channel of what a client does by the link to its invoice. Only the portal uses it."""


class Said(TypedDict):
    """By whom a command is given, on which channel, and at which instant (UTC): the last words of most commands."""

    by: str
    channel: Channel
    at: datetime


def client_actor(client: str) -> str:
    """How the audit trail names a client who acts: `client:<id>`, which is nobody's id in people.yaml."""
    return f"client:{client}"


def check_person(company: Company, by: str) -> None:
    """`NotAllowed` unless it is a person of the company."""
    if by not in company.people_by_id:
        raise NotAllowed(f"{by!r} is not a person of this company; `--as` takes an id from people.yaml")


def check_actor(row: InvoiceRow, company: Company, *, by: str, channel: str) -> None:
    """`NotAllowed` unless it is a person of the company, or, by the portal, the client of this very invoice."""
    if channel == PORTAL and by == client_actor(row.client):
        return
    check_person(company, by)
