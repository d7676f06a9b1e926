"""Write-offs, refunds and credit notes that another person asked for: agreed to, refused, taken back, paid."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import settling_commands
from activities.ledger.settling_commands import Item
from billing.errors import Refused
from starter.web.forms import day_of, id_of
from starter.web.orders import Order
from starter.web.words import money


def _agree(order: Order) -> str:
    item = settling_commands.agree(order.ledger, _id(order), comment=order["comment"], **order.said)
    return f"You agreed to {_told(item)}" + ("; it is to be paid now." if item.status == "agreed" else ".")


def _refuse(order: Order) -> str:
    item = settling_commands.refuse(order.ledger, _id(order), comment=order["comment"], **order.said)
    return f"You refused {_told(item)}; things are as before."


def _withdraw(order: Order) -> str:
    item = settling_commands.withdraw(order.ledger, _id(order), comment=order["comment"], **order.said)
    return f"Withdrawn: {_told(item)}."


def _refund_paid(order: Order) -> str:
    on = day_of(order["paid_on"], "paid on")
    if on > order.at.astimezone(order.zone).date():
        raise Refused("it cannot have been paid on a day that is still to come")
    item, new = settling_commands.refund_paid(
        order.ledger, _id(order), on=on, reference=order["reference"], **order.said
    )
    return (
        f"{_told(item)[:1].upper()}{_told(item)[1:]} {'is booked as paid' if new else 'was booked already'}."
    )


def _id(order: Order) -> int:
    return id_of(order["item"], "request")


def _told(item: Item) -> str:
    return f"the {item.kind} of {money(item.amount.amount, item.amount.currency)} for {item.name}"


COMMANDS: dict[str, Callable[[Order], str]] = {
    "agree": _agree,
    "refuse": _refuse,
    "withdraw": _withdraw,
    "refund-paid": _refund_paid,
}
