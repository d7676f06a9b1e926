"""Disputes of what an invoice bills: noted, and how they ended."""

from __future__ import annotations

import re
from collections.abc import Callable

from activities.ledger import dispute_commands
from billing.dispute import DisputeCode
from billing.errors import Refused
from starter.web.commands.stale import check_fresh
from starter.web.orders import Order

_LINE = re.compile(r"line-([0-9]{1,4})")


def _dispute(order: Order) -> str:
    try:
        code = DisputeCode(order["code"] or DisputeCode.OTHER)
    except ValueError as error:
        raise Refused("say what kind of dispute it is; the form lists the kinds") from error
    lines = sorted(int(found[1]) for key in order.form if (found := _LINE.fullmatch(key)))
    number = dispute_commands.dispute(
        order.ledger,
        order["invoice"],
        reason=order["reason"],
        code=code,
        lines=lines,
        tell_client=bool(order["tell"]),
        **order.said,
    )
    if lines:
        named = ("line " if len(lines) == 1 else "lines ") + ", ".join(map(str, lines))
        return f"{number} is disputed ({named}); the rest stays due."
    return f"{number} is disputed; reminders rest until it is decided."


def _reject(order: Order) -> str:
    check_fresh(order)
    number = dispute_commands.end_dispute(
        order.ledger, order["invoice"], answer=order["answer"], **order.said
    )
    return f"{number}: the claim stands, and the client is told; reminders go on where they stood."


def _withdraw(order: Order) -> str:
    number = dispute_commands.withdraw_dispute(
        order.ledger, order["invoice"], answer=order["answer"], **order.said
    )
    return f"{number} is no longer disputed; reminders go on where they stood."


COMMANDS: dict[str, Callable[[Order], str]] = {
    "dispute": _dispute,
    "reject-dispute": _reject,
    "withdraw-dispute": _withdraw,
}
