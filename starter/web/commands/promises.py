"""Promises to pay: noted, and withdrawn."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import dispute_commands
from starter.web.forms import day_of
from starter.web.orders import Order


def _promise(order: Order) -> str:
    day = day_of(order["on"], "promised for")
    number = dispute_commands.promise(
        order.ledger, order["invoice"], on=day, note=order["note"], **order.said
    )
    return f"Noted: {number} is promised for {day.isoformat()}."


def _withdraw(order: Order) -> str:
    number = dispute_commands.withdraw_promise(
        order.ledger, order["invoice"], reason=order["reason"], **order.said
    )
    return f"The promise about {number} holds no longer; reminders go on."


COMMANDS: dict[str, Callable[[Order], str]] = {"promise": _promise, "withdraw-promise": _withdraw}
