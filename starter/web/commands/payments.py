"""Payments: booked by hand, allocated to one invoice or several, set aside, or taken from the wrong one again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from activities.ledger import commands, payment_commands, settling_commands
from billing.errors import Refused
from starter.web.forms import amount_of, day_of, id_of
from starter.web.orders import Order
from starter.web.words import money

ROWS = 8
"""Invoices one form allocates a payment to."""


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
        note=order["note"],
        **order.said,
    )
    said = f"{money(amount, order['currency'])} received on {received_on.isoformat()}"
    return f"{said} is booked." if new else f"{said} was booked already; nothing was added."


def _allocate(order: Order) -> str:
    wanted = _several(order) if order["several"] else [(order["invoice"], None)]
    if not wanted or not wanted[0][0]:
        raise Refused("say which invoice the payment is for: its number is enough")
    done = payment_commands.allocate(order.ledger, id_of(order["payment"], "payment"), wanted, **order.said)
    (first, part), *others = done.parts
    said = f"{money(part.amount, part.currency)} is booked for {first}"
    said += "".join(f", {money(more.amount, more.currency)} for {number}" for number, more in others)
    left = f"; {money(done.left.amount, done.left.currency)} of it waits still" if done.left.amount else ""
    return f"{said}{left}."


def _several(order: Order) -> list[tuple[str, Decimal | None]]:
    """What the form names: an invoice a row, those offered if they are ticked, and what of the payment is for it."""
    wanted = []
    for row in range(1, ROWS + 1):
        invoice, amount = order[f"number-{row}"], order[f"amount-{row}"]
        if invoice and (order[f"take-{row}"] or not order[f"offered-{row}"]):
            wanted.append((invoice, amount_of(amount, order["currency"]) if amount else None))
        elif amount and not invoice:
            raise Refused(f"say for which invoice {amount} are")
    return wanted


def _undo(order: Order) -> str:
    number, taken = settling_commands.undo(
        order.ledger, id_of(order["booking"], "booking"), reason=order["reason"], **order.said
    )
    return f"{money(taken.amount, taken.currency)} is taken from {number} again; it is owed once more."


def _set_aside(order: Order) -> str:
    amount = commands.set_aside(
        order.ledger, id_of(order["payment"], "payment"), reason=order["reason"], by=order.by, at=order.at
    )
    return f"{money(amount.amount, amount.currency)} is set aside; it is booked for no invoice."


COMMANDS: dict[str, Callable[[Order], str]] = {
    "pay": _pay,
    "allocate": _allocate,
    "set-aside": _set_aside,
    "undo": _undo,
}
