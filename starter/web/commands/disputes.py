"""Disputes of what an invoice bills."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import commands
from billing.approval_policy import Channel
from starter.web.orders import Order


def _dispute(order: Order) -> str:
    number = commands.dispute(
        order.ledger, order["invoice"], reason=order["reason"], by=order.by, channel=Channel.WEB, at=order.at
    )
    return f"{number} is disputed; reminders rest until it is decided."


COMMANDS: dict[str, Callable[[Order], str]] = {"dispute": _dispute}
