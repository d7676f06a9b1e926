"""Promises to pay."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import commands
from billing.approval_policy import Channel
from starter.web.forms import day_of
from starter.web.orders import Order


def _promise(order: Order) -> str:
    day = day_of(order["on"], "promised for")
    number = commands.promise(
        order.ledger,
        order["invoice"],
        on=day,
        by=order.by,
        channel=Channel.WEB,
        note=order["note"],
        at=order.at,
    )
    return f"Noted: {number} is promised for {day.isoformat()}."


COMMANDS: dict[str, Callable[[Order], str]] = {"promise": _promise}
