"""Payment plans: agreed part by part or in equal parts a month apart, and ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from activities.ledger import dispute_commands, instalments, invoices
from billing.errors import Refused
from billing.instalments import monthly
from billing.money import Money, rounded
from starter.web.commands.stale import check_fresh
from starter.web.forms import amount_of, day_of
from starter.web.orders import Order
from starter.web.words import money

_COUNT = re.compile(r"[0-9]{1,2}")

Parts = tuple[tuple[date, Decimal], ...]


def _agree(order: Order) -> str:
    check_fresh(order)
    with order.ledger.transaction() as tx:
        row = invoices.find(tx, order["invoice"])
        currency = row.currency or ""
        parts = _written(order["parts"], currency) or _equal(
            order, Money.of(rounded(row.open_amount, currency), currency)
        )
        running = instalments.plan(tx, row)
        same = running and tuple((part.due_date, part.amount) for part in instalments.standing(tx, row))
        if same == parts:
            return f"{row.number}: that plan was agreed already; nothing was changed."
    number = dispute_commands.agree_plan(
        order.ledger,
        order["invoice"],
        parts=parts,
        reason=order["reason"],
        tell_client=bool(order["tell"]),
        **order.said,
    )
    first, last = parts[0], parts[-1]
    return (
        f"{number} is to be paid in {len(parts)} parts: {money(first[1], currency)} by {first[0].isoformat()}, "
        f"the last by {last[0].isoformat()}."
    )


def _equal(order: Order, open_now: Money) -> Parts:
    if not _COUNT.fullmatch(order["count"]):
        raise Refused("say in how many parts it is paid, or write a day and an amount for each part")
    if open_now.amount <= 0:
        raise Refused("nothing is open, so nothing is left to divide")
    return tuple(monthly(open_now, int(order["count"]), day_of(order["first"], "first part on")))


def _written(text: str, currency: str) -> Parts:
    """Parts as people write them, one a line: 2026-12-10 400.00."""
    parts = []
    for line in text.splitlines():
        day, _, amount = line.strip().replace("=", " ").partition(" ")
        if day:
            parts.append((day_of(day, "the day of a part"), amount_of(amount.strip(), currency)))
    return tuple(parts)


def _end(order: Order) -> str:
    check_fresh(order)
    due = day_of(order["due"], "due on") if order["due"] else None
    number = dispute_commands.end_plan(
        order.ledger, order["invoice"], due=due, reason=order["reason"], **order.said
    )
    return (
        f"{number}: the plan holds no longer; all that is open is due {due.isoformat() if due else 'today'}."
    )


COMMANDS: dict[str, Callable[[Order], str]] = {"plan": _agree, "end-plan": _end}
