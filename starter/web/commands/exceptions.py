"""Exceptions: tried again, accepted as they are, facts set by hand, or what they hold is void."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parseaddr

from activities.ledger import commands, company_exceptions, exceptions
from activities.ledger.exceptions import Resolution
from billing.errors import Refused
from starter.web.forms import id_of
from starter.web.orders import Order

SET = "set."
"""Before the name of a fact that is set by hand, as the name of a field."""

_PICKED = "contact"
"""A field with a contact as `Name <address>`, picked from those written to before."""


def _set(order: Order) -> dict[str, str]:
    """What the form sets; what was left empty is not set."""
    found = {
        field.removeprefix(SET): value
        for field, value in order.form.items()
        if field.startswith(SET) and value
    }
    if order[_PICKED]:
        name, address = parseaddr(order[_PICKED])
        found = {"contact.name": name, "contact.email": address} | found
    return found


def _resolve(order: Order) -> str:
    exception = id_of(order["exception"], "exception")
    try:
        resolution = Resolution(order["resolution"])
    except ValueError as error:
        raise Refused("say what is to be done: retry, accept, override or void") from error
    key = commands.resolve(
        order.ledger,
        exception,
        resolution,
        reason=order["reason"],
        rebill=order["after"] == "rebill",
        overrides=_set(order) if resolution is Resolution.OVERRIDE else exceptions.NOTHING,
        **order.said,
    )
    with order.ledger.transaction() as tx:
        without_invoice = company_exceptions.outcome(tx, exception)
    if without_invoice is not None:
        return without_invoice
    done = {
        Resolution.RETRY: f"{key} is tried again now.",
        Resolution.ACCEPT: f"Accepted as it is; {key} goes on.",
        Resolution.OVERRIDE: f"Set for this invoice only; {key} is checked again now.",
        Resolution.VOID: f"{key} is void; "
        + ("it will be billed again." if order["after"] == "rebill" else "what it billed is waived."),
    }
    return done[resolution]


COMMANDS: dict[str, Callable[[Order], str]] = {"resolve": _resolve}
