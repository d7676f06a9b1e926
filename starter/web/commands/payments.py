"""Payments: booked by hand, allocated to an invoice, or set aside."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import commands
from billing.approval_policy import Channel
from billing.errors import Refused
from starter.web.forms import amount_of, day_of, id_of
from starter.web.orders import Order
from starter.web.words import money


def _pay(order: Order) -> str:
    amount = amount_of(order["amount"], order["currency"])
    received_on = day_of(order["received_on"], "received on")
    if received_on > order.at.astimezone(order.zone).date():
        raise Refused("money cannot have been received on a day that is still to come")
    new = commands.pay(
        order.ledger,
        order["invoice"],
        amount,
        order["currency"] or None,
        received_on=received_on,
        by=order.by,
        channel=Channel.WEB,
        note=order["note"],
        at=order.at,
    )
    said = f"{money(amount, order['currency'])} received on {received_on.isoformat()}"
    return f"{said} is booked." if new else f"{said} was booked already; nothing was added."


def _allocate(order: Order) -> str:
    if not order["invoice"]:
        raise Refused("say which invoice the payment is for: its number is enough")
    number, booked = commands.allocate(
        order.ledger,
        id_of(order["payment"], "payment"),
        order["invoice"],
        by=order.by,
        channel=Channel.WEB,
        at=order.at,
    )
    return f"{money(booked.amount, booked.currency)} is booked for {number}."


def _set_aside(order: Order) -> str:
    amount = commands.set_aside(
        order.ledger, id_of(order["payment"], "payment"), reason=order["reason"], by=order.by, at=order.at
    )
    return f"{money(amount.amount, amount.currency)} is set aside; it is booked for no invoice."


COMMANDS: dict[str, Callable[[Order], str]] = {"pay": _pay, "allocate": _allocate, "set-aside": _set_aside}
