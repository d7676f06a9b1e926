"""Drafts: made anew from what the sources say now, ended, or billed after all."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import commands, draft_commands
from billing.errors import Refused
from starter.web.orders import Order


def _fetch_again(order: Order) -> str:
    key = commands.fetch_again(order.ledger, order["invoice"], **order.said)
    return f"{key} is made anew from what the sources say now."


def _void(order: Order) -> str:
    if order["after"] not in ("rebill", "waive"):
        raise Refused("say whether what it would have billed is billed again or waived")
    rebill = order["after"] == "rebill"
    key = draft_commands.void(
        order.ledger, order["invoice"], rebill=rebill, reason=order["reason"], **order.said
    )
    return f"{key} is void; " + ("it will be billed again." if rebill else "what it billed is waived.")


def _bill_again(order: Order) -> str:
    key = draft_commands.bill_again(order.ledger, order["invoice"], reason=order["reason"], **order.said)
    return f"{key} may be billed again: a period by the next run, anything else once it is asked for."


COMMANDS: dict[str, Callable[[Order], str]] = {
    "fetch-again": _fetch_again,
    "void": _void,
    "bill-again": _bill_again,
}
