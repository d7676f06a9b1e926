"""Deliveries of events that are acted on again."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import deliveries, events
from starter.web.orders import Order


def _run_again(order: Order) -> str:
    with order.ledger.transaction() as tx:
        if order["delivery"]:
            row = deliveries.run_again(tx, order["connection"], order["delivery"], by=order.by, at=order.at)
            return f"It is {row.status}: {row.outcome}."
        acted = events.retry(tx, order["source"], order["event"], at=order.at)
        return f"It is {acted.status}: {acted.outcome}."


COMMANDS: dict[str, Callable[[Order], str]] = {"run-again": _run_again}
