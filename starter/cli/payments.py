"""`billow pay` and `allocate`: money that came in and is typed in by a person."""

from __future__ import annotations

import shlex
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from billing.errors import Refused
from billing.money import Money, rounded
from starter.cli import context, output
from starter.cli.parameters import Amount, Day, Text, as_option, json_option

if TYPE_CHECKING:
    from activities.ledger.views import InvoiceView


@click.command("pay", short_help="Book a payment, or money taken back")
@click.argument("invoice", type=Text(), required=False, metavar="[INVOICE]")
@click.option(
    "--amount", type=Amount(), required=True, help="Such as 1234.56; negative for money taken back."
)
@click.option("--currency", type=Text(), metavar="CODE", help="Must be the invoice's, and is if left out.")
@click.option("--unmatched", is_flag=True, help="Nobody can tell for which invoice; needs --currency.")
@click.option("--payer", type=Text(), metavar="TEXT", help="Who paid, as the bank says; with --unmatched.")
@click.option("--reference", type=Text(), metavar="TEXT", help="What the payer wrote; with --unmatched.")
@click.option(
    "--date", "received_on", type=Day(), metavar="DATE", help="When the money came in.  [default: today]"
)
@click.option(
    "--key", type=Text(), metavar="KEY", help="Identity of the payment; else invoice, date and amount are."
)
@click.option(
    "--note", type=Text(may_be_empty=True), default="", metavar="TEXT", help="Such as the bank's reference."
)
@as_option(required=True)
@json_option
def pay(
    invoice: str | None,
    amount: Decimal,
    currency: str | None,
    unmatched: bool,
    payer: str | None,
    reference: str | None,
    received_on: date | None,
    key: str | None,
    note: str,
    who: str,
    as_json: bool,
) -> None:
    """Book a payment for an issued invoice; INVOICE is its number or its billing key.

    The same amount on the same day is the same payment, booked once, unless --key says otherwise.

    A payment that matches no invoice is kept with --unmatched, without INVOICE; its owner is asked to decide.
    """
    if unmatched:
        if invoice is not None or note:
            raise click.UsageError(
                "--unmatched goes without INVOICE and --note; say --payer and --reference."
            )
        if currency is None:
            raise click.UsageError("--unmatched needs --currency: there is no invoice to take it from.")
        kept = Money.of(amount, currency.upper())
        _keep(
            kept, received_on, key=key, payer=payer or "", reference=reference or "", who=who, as_json=as_json
        )
        return
    if invoice is None:
        raise click.UsageError("Missing argument 'INVOICE'; --unmatched keeps a payment that matches none.")
    if payer or reference:
        raise click.UsageError("--payer and --reference go with --unmatched; use --note.")
    from activities.ledger import commands, views
    from billing.approval_policy import Channel

    by, at, ledger = context.person(who), context.now(), context.ledger()
    with ledger.transaction() as tx:
        before = views.invoice(tx, invoice, at)
    received_on = _not_in_future(received_on, at.astimezone(context.issuer_zone(before.issuer)).date())
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


def _not_in_future(received_on: date | None, today: date) -> date:
    if received_on is not None and received_on > today:
        raise Refused(
            f"{received_on} is in the future (today is {today}); book the payment when the money is there"
        )
    return received_on or today


def _keep(
    amount: Money,
    received_on: date | None,
    *,
    key: str | None,
    payer: str,
    reference: str,
    who: str,
    as_json: bool,
) -> None:
    """Keeps a payment that matches no invoice."""
    from activities.ledger import commands

    by, at = context.person(who), context.now()
    zone = ZoneInfo(context.company().issuers[0].zone)
    received_on = _not_in_future(received_on, at.astimezone(zone).date())
    payment, new = commands.keep_unmatched(
        context.ledger(),
        amount.amount,
        amount.currency,
        key=key,
        received_on=received_on,
        payer=payer,
        reference=reference,
        by=by,
        at=at,
    )
    if as_json:
        output.document(
            {
                "new": new,
                "payment": payment,
                "amount": str(amount.amount),
                "currency": amount.currency,
                "received_on": received_on.isoformat(),
            }
        )
        return
    money = output.money(amount.amount, amount.currency)
    if new:
        output.say(f"Kept {money}, received on {received_on}, as payment {payment}: it matches no invoice.")
        output.hint(f"billow allocate {payment} INVOICE --as WHO   # or --set-aside --reason TEXT")
    else:
        output.say(f"Kept already: {money} on {received_on} is payment {payment}. Nothing was changed.")
        output.hint("A second payment like it needs a --key of its own.")


@click.command("allocate", short_help="Book an unmatched payment, or set it aside")
@click.argument("payment", type=click.IntRange(1), metavar="PAYMENT")
@click.argument("invoices", type=Text(), nargs=-1, metavar="[INVOICE[=AMOUNT]…]")
@click.option(
    "--set-aside",
    is_flag=True,
    help="It is not ours, or was paid back: book what is left of it for no invoice; needs --reason.",
)
@as_option(required=True)
@click.option("--reason", type=Text(may_be_empty=True), default="", metavar="TEXT")
@json_option
def allocate(
    payment: int, invoices: tuple[str, ...], set_aside: bool, who: str, reason: str, as_json: bool
) -> None:
    """Book an unmatched payment for INVOICE, or set it aside. PAYMENT is its number in `billow inbox`.

    One INVOICE takes all of it, or as much as is said with =AMOUNT. Of several, each takes what is open of it, unless
    its amount is said; what is left of the payment stays in the inbox.
    """
    if set_aside == bool(invoices):
        raise click.UsageError("give either INVOICE or --set-aside.")
    if set_aside != bool(reason):
        raise click.UsageError(
            "say why with --reason: --set-aside needs it." if set_aside else "--reason goes with --set-aside."
        )
    from activities.ledger import commands, payment_commands
    from billing.approval_policy import Channel

    ledger, at = context.ledger(), context.now()
    if set_aside:
        money = commands.set_aside(ledger, payment, reason=reason, by=who, at=at)
        _allocated(payment, (), money, None, who, as_json=as_json)
        return
    wanted = [_with_amount(each) for each in invoices]
    done = payment_commands.allocate(ledger, payment, wanted, by=who, channel=Channel.CLI, at=at)
    booked = sum((money for _, money in done.parts[1:]), start=done.parts[0][1])
    _allocated(payment, done.parts, booked, done.left, who, as_json=as_json)


def _with_amount(text: str) -> tuple[str, Decimal | None]:
    """The invoice, and how much of the payment is for it where that is said."""
    invoice, found, amount = text.rpartition("=")
    return (invoice, Amount().convert(amount, None, None)) if found else (text, None)


def _allocated(
    payment: int,
    parts: tuple[tuple[str, Money], ...],
    money: Money,
    left: Money | None,
    who: str,
    *,
    as_json: bool,
) -> None:
    if as_json:
        output.document(
            {
                "payment": payment,
                "number": parts[0][0] if parts else None,
                "amount": str(money.amount),
                "currency": money.currency,
                "invoices": [{"number": number, "amount": str(each.amount)} for number, each in parts],
                "left": str(left.amount) if left else None,
                "set_aside": not parts,
                "by": who,
            }
        )
        return
    told = output.money(money.amount, money.currency)
    if not parts:
        output.say(f"Set aside {told} of payment {payment}; booked for no invoice.")
        return
    if len(parts) == 1:
        output.say(f"Booked payment {payment}, {told}, for {parts[0][0]}.")
    else:
        output.say(f"Booked {told} of payment {payment} for {len(parts)} invoices:")
        for number, each in parts:
            output.say(f"  {output.money(each.amount, each.currency)}  {number}")
    if left is not None and left.amount:
        output.say(f"{output.money(left.amount, left.currency)} of it are left, and stay in the inbox.")
    output.hint(f"billow show {shlex.quote(parts[0][0])}")


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


COMMANDS = [pay, allocate]
