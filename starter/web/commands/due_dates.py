"""Due dates agreed after issue."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import commands, invoices
from starter.web.commands.stale import check_fresh
from starter.web.forms import day_of
from starter.web.orders import Order


def _change(order: Order) -> str:
    day = day_of(order["to"], "due on")
    check_fresh(order)
    with order.ledger.transaction() as tx:
        row = invoices.find(tx, order["invoice"])
        if row.agreed_due_date == day:
            return f"{row.number} is due on {day.isoformat()} already; nothing was changed."
    number = commands.change_due_date(
        order.ledger, order["invoice"], to=day, reason=order["reason"], **order.said
    )
    return f"{number} is due on {day.isoformat()} now; reminders count from that day."


COMMANDS: dict[str, Callable[[Order], str]] = {"change-due-date": _change}
