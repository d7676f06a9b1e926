"""`billow write-off`, `refund`, `refund-paid`, `agree`, `refuse` and `withdraw`: money that is given up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from starter.cli import context, output
from starter.cli.parameters import Amount, Day, Text, as_option, invoice_argument, json_option

if TYPE_CHECKING:
    from activities.ledger.settling_commands import Item

item_argument = click.argument("item", type=click.IntRange(1), metavar="ITEM")
amount_option = click.option("--amount", type=Amount(), help="Such as 1234.56; else all there is.")
_STANDING = {"asked": "another person must agree", "agreed": "to be paid now"}

reason_option = click.option("--reason", type=Text(), required=True, metavar="TEXT", help="Why.")
key_option = click.option(
    "--key", type=Text(), metavar="KEY", help="Identity of the request; else what, amount and day are."
)


@click.command("write-off", short_help="Give up what is open of an invoice")
@invoice_argument
@amount_option
@reason_option
@key_option
@as_option(required=True)
@json_option
def write_off(
    invoice: str, amount: Decimal | None, reason: str, key: str | None, who: str, as_json: bool
) -> None:
    """Give up what is open of an issued invoice, all or part; INVOICE is its number or its billing key.

    Another person agrees first, unless the company lets one give up so much alone. The invoice stands as it is, and
    money that comes after all takes the write-off back.
    """
    from activities.ledger import settling_commands
    from billing.approval_policy import Channel

    found = settling_commands.write_off(
        context.ledger(),
        invoice,
        amount=amount,
        reason=reason,
        key=key,
        by=context.person(who),
        channel=Channel.CLI,
        at=context.now(),
    )
    _tell(found, "Asked for" if found.new else "Asked for already", as_json)


@click.command("refund", short_help="Pay back what was paid too much")
@click.argument("source", type=Text(), metavar="INVOICE")
@amount_option
@click.option(
    "--method",
    type=click.Choice(["bank transfer", "stripe"]),
    default="bank transfer",
    show_default=True,
    help="Who pays it: a person, or the payment provider the money came by.",
)
@reason_option
@key_option
@as_option(required=True)
@json_option
def refund(
    source: str,
    amount: Decimal | None,
    method: str,
    reason: str,
    key: str | None,
    who: str,
    as_json: bool,
) -> None:
    """Pay back what was paid too much for INVOICE; or, as "payment 7", what is left of an unmatched payment.

    Another person agrees first, unless the company lets one pay back so much alone. It is booked once the money
    went out: `billow refund-paid` says so.
    """
    from activities.ledger import settling_commands
    from billing.approval_policy import Channel

    found = settling_commands.refund(
        context.ledger(),
        source,
        amount=amount,
        reason=reason,
        method=method,
        key=key,
        by=context.person(who),
        channel=Channel.CLI,
        at=context.now(),
    )
    _tell(found, "Asked for" if found.new else "Asked for already", as_json)


@click.command("refund-paid", short_help="Note that a refund was paid")
@item_argument
@click.option("--date", "on", type=Day(), metavar="DATE", help="When the money went out.  [default: today]")
@click.option("--reference", type=Text(), metavar="TEXT", help="Such as the bank's reference.")
@as_option(required=True)
@json_option
def refund_paid(item: int, on: date | None, reference: str | None, who: str, as_json: bool) -> None:
    """Note that an agreed refund was paid by bank transfer. ITEM is its number in `billow inbox`."""
    from activities.ledger import settling_commands
    from billing.approval_policy import Channel
    from billing.errors import Refused

    at = context.now()
    today = at.astimezone(context.issuer_zone(None)).date()
    if on is not None and on > today:
        raise Refused(f"{on} is in the future (today is {today}); note the refund once the money went out")
    found, new = settling_commands.refund_paid(
        context.ledger(),
        item,
        on=on or today,
        reference=reference or "",
        by=context.person(who),
        channel=Channel.CLI,
        at=at,
    )
    _tell(found, "Noted as paid" if new else "Noted already", as_json)


@click.command("agree", short_help="Agree to a write-off or refund")
@item_argument
@click.option("--comment", type=Text(may_be_empty=True), default="", metavar="TEXT")
@as_option(required=True)
@json_option
def agree(item: int, comment: str, who: str, as_json: bool) -> None:
    """Agree to a write-off or refund that another person has asked for. ITEM is its number in `billow inbox`."""
    from activities.ledger import settling_commands
    from billing.approval_policy import Channel

    found = settling_commands.agree(
        context.ledger(), item, by=context.person(who), channel=Channel.CLI, comment=comment, at=context.now()
    )
    _tell(found, "Agreed", as_json)


@click.command("refuse", short_help="Refuse a write-off or refund")
@item_argument
@click.option("--comment", type=Text(), required=True, metavar="TEXT", help="Why.")
@as_option(required=True)
@json_option
def refuse(item: int, comment: str, who: str, as_json: bool) -> None:
    """Refuse a write-off or refund that another person has asked for. ITEM is its number in `billow inbox`."""
    from activities.ledger import settling_commands
    from billing.approval_policy import Channel

    found = settling_commands.refuse(
        context.ledger(), item, by=context.person(who), channel=Channel.CLI, comment=comment, at=context.now()
    )
    _tell(found, "Refused", as_json)


@click.command("withdraw", short_help="Take back what was asked for and is not done")
@item_argument
@click.option("--comment", type=Text(), required=True, metavar="TEXT", help="Why.")
@as_option(required=True)
@json_option
def withdraw(item: int, comment: str, who: str, as_json: bool) -> None:
    """Take back a write-off or refund that is not done yet. ITEM is its number in `billow inbox`."""
    from activities.ledger import settling_commands
    from billing.approval_policy import Channel

    found = settling_commands.withdraw(
        context.ledger(), item, by=context.person(who), channel=Channel.CLI, comment=comment, at=context.now()
    )
    _tell(found, "Withdrawn", as_json)


def _tell(item: Item, what: str, as_json: bool) -> None:
    if as_json:
        output.document(
            {
                "item": item.id,
                "kind": item.kind,
                "of": item.name,
                "amount": str(item.amount.amount),
                "currency": item.amount.currency,
                "status": item.status,
                "method": item.method or None,
                "waits_for": list(item.waits_for),
                "new": item.new,
            }
        )
        return
    money = output.money(item.amount.amount, item.amount.currency)
    output.say(
        f"{what}: {item.kind} {item.id} of {money}, {item.name}; {_STANDING.get(item.status, f'it is {item.status}')}."
    )
    if item.status == "asked":
        output.hint(f"billow agree {item.id} --as {' or '.join(item.waits_for)}")
    elif item.status in ("agreed", "failed") and item.method == "bank transfer":
        output.hint(f"billow refund-paid {item.id} --as WHO   # once the money went out")


COMMANDS = [write_off, refund, refund_paid, agree, refuse, withdraw]
