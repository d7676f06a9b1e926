"""Exceptions: tried again, accepted as they are, or what they hold is void."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import commands, company_exceptions
from activities.ledger.exceptions import Resolution
from billing.approval_policy import Channel
from billing.errors import Refused
from starter.web.forms import id_of
from starter.web.orders import Order


def _resolve(order: Order) -> str:
    exception = id_of(order["exception"], "exception")
    try:
        resolution = Resolution(order["resolution"])
    except ValueError as error:
        raise Refused("say what is to be done: retry, accept or void") from error
    key = commands.resolve(
        order.ledger,
        exception,
        resolution,
        by=order.by,
        channel=Channel.WEB,
        reason=order["reason"],
        rebill=order["after"] == "rebill",
        at=order.at,
    )
    with order.ledger.transaction() as tx:
        without_invoice = company_exceptions.outcome(tx, exception)
    if without_invoice is not None:
        return without_invoice
    done = {
        Resolution.RETRY: f"{key} is tried again now.",
        Resolution.ACCEPT: f"Accepted as it is; {key} goes on.",
        Resolution.VOID: f"{key} is void; "
        + ("it will be billed again." if order["after"] == "rebill" else "what it billed is waived."),
    }
    return done[resolution]


COMMANDS: dict[str, Callable[[Order], str]] = {"resolve": _resolve}
