"""Money given up or moved: write-offs, refunds, and credit of a client that pays an invoice."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from activities.ledger import settling_commands
from activities.ledger.giving_up import Status
from activities.ledger.settling_commands import Item
from billing.errors import Refused
from starter.web.forms import amount_of
from starter.web.orders import Order
from starter.web.words import money


def key_of(order: Order) -> str:
    """The key of a form of ours, which makes a second click the same order; `Refused` without one."""
    if not order["key"]:
        raise Refused("the form is not complete; load the page again")
    return f"web/{order['key'][:64]}"


def _amount(order: Order) -> Decimal | None:
    return amount_of(order["amount"], order["currency"]) if order["amount"] else None


def _write_off(order: Order) -> str:
    item = settling_commands.write_off(
        order.ledger,
        order["invoice"],
        amount=_amount(order),
        reason=order["reason"],
        key=key_of(order),
        **order.said,
    )
    if item.status == Status.DONE:
        amount = money(item.amount.amount, item.amount.currency)
        if not item.new:
            return f"{amount} of {item.name} was written off already; nothing was added."
        return f"{amount} of {item.name} is written off."
    return _asked(item)


def _refund(order: Order) -> str:
    item = settling_commands.refund(
        order.ledger,
        order["invoice"],
        amount=_amount(order),
        reason=order["reason"],
        key=key_of(order),
        **order.said,
    )
    if item.status == Status.AGREED:
        amount = money(item.amount.amount, item.amount.currency)
        return f"{amount} of {item.name} is to be paid back; it is booked once the money went out."
    return _asked(item)


def _asked(item: Item) -> str:
    before = "was asked for already" if not item.new else "is asked for"
    who = ", ".join(item.waits_for)
    return f"A {item.kind} of {money(item.amount.amount, item.amount.currency)} for {item.name} {before}" + (
        f"; another person must agree: {who}." if who else f", and is {item.status}."
    )


def _use_credit(order: Order) -> str:
    if not order["source"]:
        raise Refused("say which credit is to be used")
    number, used = settling_commands.use_credit(
        order.ledger,
        order["source"],
        order["invoice"],
        amount=_amount(order),
        key=key_of(order),
        **order.said,
    )
    if used is None:
        return f"That credit was used for {number} already; nothing was added."
    return f"{money(used.amount, used.currency)} of {order['source']} pays {number} now."


COMMANDS: dict[str, Callable[[Order], str]] = {
    "write-off": _write_off,
    "refund": _refund,
    "use-credit": _use_credit,
}
