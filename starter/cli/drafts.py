"""`billow void` and `billow bill-again`: what becomes of a draft that is not to be issued."""

from __future__ import annotations

import shlex

import click

from starter.cli import context, output
from starter.cli.parameters import Text, as_option, invoice_argument, json_option


@click.command("void", short_help="End a draft that was never issued")
@invoice_argument
@click.option("--rebill/--waive", "rebill", default=None, help="Bill it again later, or never.")
@click.option("--reason", type=Text(), required=True, metavar="TEXT", help="Why.")
@as_option(required=True)
@json_option
def void(invoice: str, rebill: bool | None, reason: str, who: str, as_json: bool) -> None:
    """End a draft, whatever it waits for. INVOICE is its billing key.

    What it would have billed is billed again, or waived; `billow bill-again` takes the latter back.
    """
    from activities.ledger import draft_commands
    from billing.approval_policy import Channel

    if rebill is None:
        raise click.UsageError("say what becomes of what it would have billed: --rebill or --waive.")
    key = draft_commands.void(
        context.ledger(),
        invoice,
        rebill=rebill,
        reason=reason,
        by=context.person(who),
        channel=Channel.CLI,
        at=context.now(),
    )
    if as_json:
        output.document({"billing_key": key, "done": "void", "rebill": rebill, "by": who})
        return
    output.say(f"Voided {key}; " + ("it can be billed again." if rebill else "what it billed is waived."))
    output.hint(f"billow show {shlex.quote(key)}")


@click.command("bill-again", short_help="Bill after all what was waived")
@invoice_argument
@click.option("--reason", type=Text(), required=True, metavar="TEXT", help="Why.")
@as_option(required=True)
@json_option
def bill_again(invoice: str, reason: str, who: str, as_json: bool) -> None:
    """Bill after all what was waived with a draft; `billow reconcile --waived` lists these. INVOICE is its billing key.

    The next billing run bills a period. What an event or a person had asked for is asked for again.
    """
    from activities.ledger import draft_commands, invoices
    from billing.approval_policy import Channel

    ledger = context.ledger()
    by = context.person(who)
    key = draft_commands.bill_again(
        ledger, invoice, reason=reason, by=by, channel=Channel.CLI, at=context.now()
    )
    if as_json:
        output.document({"billing_key": key, "done": "bill again", "by": who})
        return
    with ledger.transaction() as tx:
        row = invoices.find(tx, key)
        agreement, item, is_period = row.agreement, row.item, row.period_start is not None
    when = "the next billing run bills it" if is_period else "ask for it again"
    output.say(f"{key} is waived no longer; {when}.")
    if agreement is not None and not is_period:
        output.hint(
            f"billow trigger --agreement {shlex.quote(agreement)} --item {shlex.quote(item or '')} --as WHO"
        )
    elif agreement is None:
        output.hint(
            f"billow trigger --one-off FILE --key {shlex.quote(key.removeprefix('manual/'))} --as WHO"
        )


COMMANDS = [void, bill_again]
