"""Dunning blocks: reminders rest until a day, or go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time

from activities.ledger import commands
from starter.web.forms import day_of
from starter.web.orders import Order


def _hold(order: Order) -> str:
    day = day_of(order["until"], "hold until")
    number = commands.hold(
        order.ledger,
        order["invoice"],
        until=datetime.combine(day, time(), order.zone),
        reason=order["reason"],
        **order.said,
    )
    return f"{number} is on hold until {day.isoformat()}."


def _release(order: Order) -> str:
    number = commands.release(order.ledger, order["invoice"], **order.said)
    return f"{number} is released; reminders go on."


COMMANDS: dict[str, Callable[[Order], str]] = {"hold": _hold, "release": _release}
