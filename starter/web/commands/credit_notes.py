"""Credit notes: what of an invoice is credited, as a form says it, and issuing one."""

from __future__ import annotations

import re
from collections.abc import Callable

from pydantic import ValidationError

from activities.ledger import credit_commands
from billing.credit_note import CreditedLine, Selection
from billing.errors import Refused
from starter.web.commands.giving_up import key_of
from starter.web.forms import Form, amount_of
from starter.web.orders import Order
from starter.web.words import money

_LINE = re.compile(r"line-([0-9]{1,4})")

WHOLE, LINES, AMOUNT = "whole", "lines", "amount"
"""What of the invoice is credited."""


def selection_of(form: Form, currency: str) -> Selection:
    """What the form says is credited: `of` whole, lines (`line-3`, with a `net-3` less than all of it) or an amount."""
    of = form.get("of", WHOLE)
    if of == WHOLE:
        return Selection()
    try:
        if of == AMOUNT:
            return Selection(gross=amount_of(form.get("amount", ""), currency))
        positions = sorted(int(found[1]) for key in form if (found := _LINE.fullmatch(key)))
        if not positions:
            raise Refused("tick the lines that are to be credited")
        return Selection(lines=tuple(_line(form, each, currency) for each in positions))
    except ValidationError as error:
        raise Refused("what is credited must be more than nothing") from error


def _line(form: Form, position: int, currency: str) -> CreditedLine:
    net = form.get(f"net-{position}", "")
    return CreditedLine(position=position, net=amount_of(net, currency) if net else None)


def _credit(order: Order) -> str:
    asked = credit_commands.credit(
        order.ledger,
        order["invoice"],
        selection=selection_of(order.form, order["currency"]),
        reason=order["reason"],
        key=key_of(order),
        bill_again=order["after"] == "rebill",
        dispute_goes_on=bool(order["dispute_goes_on"]),
        **order.said,
    )
    if asked.note is not None:
        amount = money(asked.note.gross, asked.note.currency)
        if not asked.new:
            return f"Credit note {asked.note.number} over {amount} was issued already; nothing was added."
        return f"Credit note {asked.note.number} over {amount} is issued; it is made and mailed now."
    if asked.waits is None:
        raise Refused("nothing came of it; load the page again")
    amount = money(asked.waits.amount, asked.waits.currency)
    before = "was asked for already" if not asked.new else "is asked for"
    return f"A credit note over {amount} {before}; another person must agree before it is issued."


COMMANDS: dict[str, Callable[[Order], str]] = {"credit": _credit}
