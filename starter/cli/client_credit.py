"""`billow credit-balance`, `use-credit`, `keep-credit` and `unallocate`: what clients have paid too much."""

from __future__ import annotations

import shlex
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from starter.cli import context, output
from starter.cli.parameters import Amount, Text, as_option, invoice_argument, json_option

if TYPE_CHECKING:
    from activities.ledger.client_credit import Credit


@click.command("credit-balance", short_help="What clients have paid too much")
@click.argument("client", type=Text(), required=False, metavar="[CLIENT]")
@json_option
def credit_balance(client: str | None, as_json: bool) -> None:
    """What every client, or CLIENT, has to its credit: paid too much for an invoice, or kept of a payment."""
    from activities.ledger import client_credit
    from billing.errors import NotFound

    company = context.company()
    if client is not None and company.client(client) is None:
        raise NotFound(f"there is no client {client!r} in the company that runs; see clients.yaml for ids")
    with context.ledger().transaction() as tx:
        found = client_credit.of(tx, client)
    if as_json:
        output.document({"credit": [_plain(each) for each in found]})
        return
    if not found:
        output.say(f"{client} has no credit." if client else "No client has credit.")
        return
    _table(found)
    output.hint("billow use-credit FROM INVOICE --as WHO   # or billow refund FROM --as WHO --reason TEXT")


def _plain(credit: Credit) -> dict[str, str | None]:
    return {
        "client": credit.client,
        "issuer": credit.issuer,
        "from": credit.name,
        "since": credit.since.isoformat(),
        "currency": credit.left.currency,
        "left": str(credit.left.amount),
        "set_apart": str(credit.set_apart.amount),
    }


def _table(found: list[Credit]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("CLIENT", "FROM", "SINCE"):
        table.add_column(name, overflow="fold")
    for name in ("LEFT", "TO BE REFUNDED"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        apart = output.money(each.set_apart.amount, each.set_apart.currency) if each.set_apart.amount else ""
        table.add_row(
            *(output.styled(text) for text in (each.client, each.name, each.since.isoformat())),
            output.styled(output.money(each.left.amount, each.left.currency)),
            output.styled(apart),
        )
    output.console().print(table)


@click.command("use-credit", short_help="Pay an invoice with a client's credit")
@click.argument("source", type=Text(), metavar="FROM")
@invoice_argument
@click.option("--amount", type=Amount(), help="Such as 1234.56; else as much as INVOICE needs.")
@click.option(
    "--key", type=Text(), metavar="KEY", help="Identity of the use; else from, for, amount and day."
)
@as_option(required=True)
@json_option
def use_credit(
    source: str, invoice: str, amount: Decimal | None, key: str | None, who: str, as_json: bool
) -> None:
    """Pay INVOICE with what was paid too much for the invoice FROM, or with "payment 7", kept as credit.

    Both are of one client, one issuer and one currency.
    """
    from activities.ledger import settling_commands
    from billing.approval_policy import Channel

    number, used = settling_commands.use_credit(
        context.ledger(),
        source,
        invoice,
        amount=amount,
        key=key,
        by=context.person(who),
        channel=Channel.CLI,
        at=context.now(),
    )
    if as_json:
        amounts = {"amount": str(used.amount), "currency": used.currency} if used else {}
        output.document({"from": source, "number": number, "new": used is not None, **amounts})
        return
    if used is None:
        output.say(f"Used already: credit of {source} for {number}. Nothing was changed.")
        output.hint("A second use of that amount on that day needs a --key of its own.")
    else:
        output.say(f"Used {output.money(used.amount, used.currency)} of {source} for {number}.")
    output.hint(f"billow show {shlex.quote(number)}")


@click.command("keep-credit", short_help="Keep an unmatched payment as a client's credit")
@click.argument("payment", type=click.IntRange(1), metavar="PAYMENT")
@click.argument("client", type=Text(), metavar="CLIENT")
@as_option(required=True)
@json_option
def keep_credit(payment: int, client: str, who: str, as_json: bool) -> None:
    """Keep what is left of an unmatched payment as credit of CLIENT. PAYMENT is its number in `billow inbox`."""
    from activities.ledger import settling_commands

    kept = settling_commands.keep_as_credit(
        context.ledger(), payment, client, by=context.person(who), at=context.now()
    )
    if as_json:
        output.document(
            {"payment": payment, "client": client, "amount": str(kept.amount), "currency": kept.currency}
        )
        return
    output.say(f"Kept {output.money(kept.amount, kept.currency)} of payment {payment} as credit of {client}.")
    output.hint(f"billow credit-balance {shlex.quote(client)}")


@click.command("unallocate", short_help="Take a booking from the wrong invoice again")
@click.argument("booking", type=click.IntRange(1), metavar="BOOKING")
@click.option("--reason", type=Text(), required=True, metavar="TEXT", help="Why.")
@as_option(required=True)
@json_option
def unallocate(booking: int, reason: str, who: str, as_json: bool) -> None:
    """Take credit, or an unmatched payment, from the invoice it was booked for by mistake.

    BOOKING is the id of the payment in `billow show INVOICE --json`. The money goes back to where it came from, and
    the invoice is owed again.
    """
    from activities.ledger import settling_commands
    from billing.approval_policy import Channel

    number, taken = settling_commands.undo(
        context.ledger(),
        booking,
        reason=reason,
        by=context.person(who),
        channel=Channel.CLI,
        at=context.now(),
    )
    if as_json:
        output.document({"number": number, "amount": str(taken.amount), "currency": taken.currency})
        return
    output.say(f"Took {output.money(taken.amount, taken.currency)} from {number} again.")
    output.hint(f"billow show {shlex.quote(number)}")


COMMANDS = [credit_balance, use_credit, keep_credit, unallocate]
