"""`billow deliveries`: what connected systems delivered by webhook, and what came of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from starter.cli import context, output
from starter.cli.parameters import Text, as_option, json_option

if TYPE_CHECKING:
    from activities.ledger.integration_views import LogEntry, Message

_STATUSES = ("waiting", "held", "acted-on", "nothing-due", "set-aside")
_STYLES = {"held": "red", "waiting": "yellow", "acted on": "green"}


@click.group(
    "deliveries", invoke_without_command=True, short_help="What systems delivered, and what came of it"
)
@click.option("--connection", type=Text(), metavar="ID", help="Only those of this connection.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only those of this status.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
@click.pass_context
def deliveries(
    ctx: click.Context, connection: str | None, status: str | None, limit: int, as_json: bool
) -> None:
    """List deliveries, newest first: messages of connected systems, verified and stored, then acted on once each.

    One that is held waits for a person in the inbox, and is tried again by itself every quarter of an hour. Signed
    events at /webhooks/events are listed by `billow events`.
    """
    if ctx.invoked_subcommand is None:
        _list(connection, status, limit, as_json)


def _list(connection: str | None, status: str | None, limit: int, as_json: bool) -> None:
    from activities.ledger import deliveries as ledger_deliveries
    from activities.ledger import integration_views

    wanted = ledger_deliveries.DeliveryStatus(status.replace("-", " ")) if status else None
    with context.ledger().transaction() as tx:
        rows = ledger_deliveries.listed(tx, connection=connection, status=wanted, limit=limit + 1)
        found = integration_views.of_deliveries(tx, rows)
    shown, more = list(zip(rows, found, strict=True))[:limit], len(found) > limit
    if as_json:
        output.document({"deliveries": [_plain(row.connection, entry) for row, entry in shown], "more": more})
        return
    if not shown:
        only = f" of {connection}" if connection else ""
        output.say(
            f"No delivery{only} is {status.replace('-', ' ')}."
            if status
            else f"No delivery{only} has come in."
        )
        if not status:
            output.hint("billow integrations   # shows where each system delivers to")
        return
    zone = ZoneInfo(context.company().issuers[0].zone)
    for row, entry in shown:
        _print(row.connection, entry, zone)
    if more:
        output.hint(f"There are more than these {limit:,}; see them with --limit {min(limit * 10, 10_000)}")


@deliveries.command("show", short_help="Everything about one delivery, with what it said")
@click.argument("connection", type=Text())
@click.argument("delivery", type=Text(), metavar="ID")
@json_option
def show(connection: str, delivery: str, as_json: bool) -> None:
    """Everything about one delivery: verification, outcome, events, invoices, and what it said, in full.

    CONNECTION and ID are as `billow deliveries` lists them.
    """
    from activities.ledger import integration_views

    with context.ledger().transaction() as tx:
        message = integration_views.delivery(tx, connection, delivery)
    if as_json:
        more = {
            "headers": message.headers,
            "payload": message.payload,
            "payload_cut": message.cut,
            "attempts": message.attempts,
            "acted_at": message.acted_at.isoformat() if message.acted_at else None,
            "events": message.events,
        }
        output.document(_plain(connection, message.entry) | more)
        return
    zone = ZoneInfo(context.company().issuers[0].zone)
    _print(connection, message.entry, zone)
    _print_message(message, zone)


def _print_message(message: Message, zone: ZoneInfo) -> None:
    if message.acted_at is not None:
        output.say(f"  decided {output.moment(message.acted_at, zone)}")
    if message.attempts > 1:
        output.say(f"  looked at {message.attempts:,} times")
    for name, value in sorted(message.headers.items()):
        output.say(f"  {name}: {value}")
    if message.erased:
        output.say("  What it said was erased: it is older than deliveries.keep_days of company.yaml.")
    else:
        output.say(message.payload)
        if message.cut:
            output.say(f"… of {message.size:,} characters, too many to show.")
    for named in message.events:
        source, _, event = named.partition(" ")
        output.hint(f"  billow events show {shlex.quote(source)} {shlex.quote(event)}")
    for key in message.entry.billing_keys:
        output.hint(f"  billow show {shlex.quote(key)}")
    if message.can_run_again:
        names = f"{shlex.quote(message.connection)} {shlex.quote(message.entry.id)}"
        output.hint(f"  billow deliveries run-again {names}")


@deliveries.command("run-again", short_help="Act on a delivery again")
@click.argument("connection", type=Text())
@click.argument("delivery", type=Text(), metavar="ID")
@as_option(required=False)
@json_option
def run_again(connection: str, delivery: str, who: str | None, as_json: bool) -> None:
    """Act now on a delivery that waits, is held, was set aside or made nothing due. What made events is left alone."""
    from activities.ledger import deliveries as ledger_deliveries
    from activities.ledger import integration_views

    if who is not None:
        context.person(who)
    with context.ledger().transaction() as tx:
        row = ledger_deliveries.run_again(tx, connection, delivery, by=who or "", at=context.now())
        tx.flush()
        (entry,) = integration_views.of_deliveries(tx, [row])
    if as_json:
        output.document(_plain(connection, entry))
        return
    output.say(f"Delivery {delivery} of {connection}: {entry.status}, {entry.outcome}.")
    for named in row.events:
        source, _, event = named.partition(" ")
        output.hint(f"billow events show {shlex.quote(source)} {shlex.quote(event)}")


def _print(connection: str, entry: LogEntry, zone: ZoneInfo) -> None:
    from rich.padding import Padding
    from rich.table import Table

    out = output.console()
    head = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    head.add_column(ratio=1, overflow="fold")
    head.add_column(justify="right", no_wrap=True)
    head.add_row(
        output.styled(f"{connection} {entry.id}", "bold"),
        output.styled(entry.status, _STYLES.get(entry.status, "")),
    )
    out.print(head)
    again = f", repeated {output.plural(entry.repeats, 'time')}" if entry.repeats else ""
    lines = [(f"{entry.verified}, received {output.moment(entry.at, zone)}{again}", "dim")]
    lines += [(entry.outcome, "")] if entry.outcome else []
    lines += [(f"bills {', '.join(entry.billing_keys)}", "")] if entry.billing_keys else []
    for text, style in lines:
        out.print(Padding(output.styled(text, style), (0, 0, 0, 2)), overflow="fold")


def _plain(connection: str, entry: LogEntry) -> dict[str, Any]:
    return {
        "connection": connection,
        "delivery": entry.id,
        "received_at": entry.at.isoformat(),
        "verified": entry.verified,
        "status": entry.status,
        "outcome": entry.outcome,
        "repeats": entry.repeats,
        "billing_keys": entry.billing_keys,
    }


COMMANDS = [deliveries]
