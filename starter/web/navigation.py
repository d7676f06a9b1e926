"""The places of the app: what the navigation offers, in its order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route

from activities.languages.catalogue import message


@dataclass(frozen=True)
class Place:
    """A page of the navigation; `key` leads to it after g, `icon` is one of `icons.html`."""

    path: str
    label: str
    key: str = ""
    icon: str = ""

    def holds(self, path: str) -> bool:
        """Whether a page belongs to this place."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


PLACES = (
    Place("/", message("Inbox"), "h", "inbox"),
    Place("/invoices", message("Invoices"), "i", "invoice"),
    Place("/money", message("Money"), "m", "money"),
    Place("/clients", message("Clients"), "c", "clients"),
    Place("/agreements", message("Agreements"), "a", "agreement"),
    Place("/runs", message("Runs"), "r", "run"),
    Place("/bank", message("Bank"), "b", "bank"),
    Place("/integrations", message("Integrations"), "n", "plug"),
    Place("/policies", message("Policies"), "p", "policy"),
    Place("/mailbox", message("Mailbox"), "x", "mail"),
)

OWN = (
    Place("/preferences", message("Preferences")),
    Place("/absences", message("Absences")),
    Place("/tokens", message("API tokens")),
    Place("/sign-ins", message("Sign-ins")),
)
"""What the menu of a person offers."""


def there_are(places: Iterable[Place], routes: Iterable[BaseRoute]) -> tuple[Place, ...]:
    """Those of the places that the app has a page for."""
    paths = {route.path for route in routes if isinstance(route, Route)}
    return tuple(place for place in places if place.path in paths)
