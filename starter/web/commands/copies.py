"""Copies of an issued invoice: mailed once more to the billing contact, or to another address."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import commands
from starter.web.orders import Order


def _resend(order: Order) -> str:
    to = order["to"] or None
    number = commands.resend(
        order.ledger, order["invoice"], to=to, credit_note=order["credit_note"] or None, **order.said
    )
    return f"{number} is mailed once more, to {to or 'the billing contact'}."


COMMANDS: dict[str, Callable[[Order], str]] = {"resend": _resend}
