"""`billow pay`: money that came in and is typed in by a person."""

from __future__ import annotations

import shlex
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from billing.errors import Refused
from billing.money import rounded
from starter.cli import context, output
from starter.cli.parameters import Amount, Day, Text, as_option, invoice_argument, json_option

if TYPE_CHECKING:
    from activities.ledger.views import InvoiceView


@click.command("pay", short_help="Book a payment, or money taken back")
@invoice_argument
@click.option(
    "--amount", type=Amount(), required=True, help="Such as 1234.56; negative for money taken back."
)
@click.option("--currency", type=Text(), metavar="CODE", help="Must be the invoice's, and is if left out.")
@click.option(
    "--date", "received_on", type=Day(), metavar="DATE", help="When the money came in.  [default: today]"
)
@click.option(
    "--key", type=Text(), metavar="KEY", help="Identity of the payment; else invoice, date and amount are."
)
@click.option(
    "--note", type=Text(may_be_empty=True), default="", metavar="TEXT", help="Such as the bank's reference."
)
@as_option(required=False)
@json_option
def pay(
    invoice: str,
    amount: Decimal,
    currency: str | None,
    received_on: date | None,
    key: str | None,
    note: str,
    who: str | None,
    as_json: bool,
) -> None:
    """Book a payment for an issued invoice; INVOICE is its number or its billing key.

    The same amount on the same day is the same payment, booked once, unless --key says otherwise.
    """
    from activities.ledger import commands, views
    from billing.approval_policy import Channel

    by, at, ledger = context.person(who), context.now(), context.ledger()
    with ledger.transaction() as tx:
        before = views.invoice(tx, invoice, at)
    today = at.astimezone(context.issuer_zone(before.issuer)).date()
    received_on = received_on or today
    if received_on > today:
        raise Refused(
            f"{received_on} is in the future (today is {today}); book the payment when the money is there"
        )
    new = commands.pay(
        ledger,
        before.billing_key if before.number is None else before.number,
        amount,
        currency.upper() if currency else None,
        key=key,
        received_on=received_on,
        by=by,
        channel=Channel.CLI,
        note=note,
        at=at,
    )
    with ledger.transaction() as tx:
        after = views.invoice(tx, before.number or invoice, at)
    booked = rounded(amount, after.currency or "")
    if as_json:
        output.document(
            {
                "new": new,
                "number": after.number,
                "amount": str(booked),
                "currency": after.currency,
                "received_on": received_on.isoformat(),
                "open": str(after.open),
                "payment_status": after.payment_status,
            }
        )
        return
    _tell(after, booked, received_on, new=new)


def _tell(invoice: InvoiceView, booked: Decimal, received_on: date, *, new: bool) -> None:
    amount = output.money(abs(booked), invoice.currency)
    if not new:
        output.say(f"Booked already: {amount} for {invoice.number} on {received_on}. Nothing was changed.")
        output.hint("A second payment of that amount on that day needs a --key of its own.")
    elif booked < 0:
        output.say(f"Taken back: {amount} of {invoice.number} on {received_on}.")
    else:
        output.say(f"Booked {amount} for {invoice.number}, received on {received_on}.")
    owed = invoice.open or Decimal(0)
    rest = output.money(abs(owed), invoice.currency)
    left = f": {rest} open" if owed > 0 else f": {rest} too much" if owed < 0 else ""
    output.say(f"{invoice.number} is {invoice.payment_status}{left}.")
    output.hint(f"billow show {shlex.quote(invoice.name)}")


COMMANDS = [pay]
