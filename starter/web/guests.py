"""Whom a door has let in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from billing.parties import Person
from billing.roles import Role


@dataclass(frozen=True)
class Guest:
    """A person with a role, signed in since; nobody where the app serves this machine alone and only shows."""

    person: Person | None
    role: Role
    since: datetime | None = None


def let_in(request: Request, guest: Guest) -> None:
    """Notes who came in, for the route and its page."""
    request.state.guest = guest


def guest_of(request: Request) -> Guest | None:
    """Whom the door let in; None before an open route."""
    found: Guest | None = getattr(request.state, "guest", None)
    return found
