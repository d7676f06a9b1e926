"""Pages that somebody acts on although the invoice has moved on meanwhile: refused in words, nothing is done."""

from __future__ import annotations

from activities.ledger import invoices, standings
from billing.errors import WrongState
from starter.web.orders import Order


def check_fresh(order: Order) -> None:
    """`WrongState` if the form says how much of the audit trail its page showed, and others have added to it since.

    What the person did meanwhile is known to that person, so a second click meets the command itself, which does
    nothing twice.
    """
    seen = order["seen"]
    if not (seen.isascii() and seen.isdigit() and len(seen) < 10):
        return
    with order.ledger.transaction() as tx:
        row = invoices.find(tx, order["invoice"])
        happened = standings.moved_on(tx, row, seen=int(seen), by=order.by)
    if happened is not None:
        raise WrongState(
            f"{row.name} has moved on since you opened the page ({happened}); look at it again, then decide"
        )
