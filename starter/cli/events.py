"""`billow events`: what other systems reported, and what came of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from starter.cli import context, output
from starter.cli.parameters import Text, json_option

if TYPE_CHECKING:
    from activities.ledger.tables import EventRow

_STATUSES = ("waiting", "held", "acted-on", "nothing-due", "set-aside")
_STYLES = {"held": "red", "waiting": "yellow", "acted on": "green"}


@click.group("events", invoke_without_command=True, short_help="Events that came in, and what came of them")
@click.option("--status", type=click.Choice(_STATUSES), help="Only those of this status.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
@click.pass_context
def events(ctx: click.Context, status: str | None, limit: int, as_json: bool) -> None:
    """List events, newest first: what came in from other systems, and what came of it.

    An event is stored first and then acted on, once, however often it comes. One that is held waits for a person in
    the inbox, and is tried again by itself in each billing run and whenever a company folder is applied.
    """
    if ctx.invoked_subcommand is None:
        _list(status, limit, as_json)


def _list(status: str | None, limit: int, as_json: bool) -> None:
    from activities.ledger import events as ledger_events

    wanted = ledger_events.EventStatus(status.replace("-", " ")) if status else None
    with context.ledger().transaction() as tx:
        found = ledger_events.listed(tx, wanted, limit + 1)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        output.document({"events": [_plain(each) for each in shown], "more": more})
        return
    if not shown:
        output.say(f"No event is {status.replace('-', ' ')}." if status else "No event has come in yet.")
        if not status:
            output.hint("Bring one in: billow trigger --event FILE, or by a signed webhook")
        return
    zone = ZoneInfo(context.company().issuers[0].zone)
    for row in shown:
        _print(row, zone)
    if more:
        output.hint(f"There are more than these {limit:,}; see them with --limit {min(limit * 10, 10_000)}")


@events.command("show", short_help="Everything about one event")
@click.argument("source", type=Text())
@click.argument("event", type=Text(), metavar="ID")
@json_option
def show(source: str, event: str, as_json: bool) -> None:
    """Everything about one event. SOURCE and ID are as `billow events` lists them."""
    from activities.ledger import events as ledger_events

    with context.ledger().transaction() as tx:
        row = ledger_events.find(tx, source, event)
    if as_json:
        output.document(_plain(row))
        return
    zone = ZoneInfo(context.company().issuers[0].zone)
    _print(row, zone)
    by = f", brought by {row.brought_by}" if row.brought_by else ""
    output.say(f"  came by {row.channel or 'an earlier version'}{by}")
    if row.acted_at is not None:
        output.say(f"  decided {output.moment(row.acted_at, zone)}")
    if row.attempts > 1:
        output.say(f"  looked at {row.attempts:,} times")
    for key in row.billing_keys:
        output.hint(f"  billow show {shlex.quote(key)}")
    if row.status in (ledger_events.EventStatus.HELD, ledger_events.EventStatus.SET_ASIDE):
        output.hint(f"  billow events retry {shlex.quote(source)} {shlex.quote(event)}")


@events.command("retry", short_help="Act on an event again that was held, set aside or made nothing due")
@click.argument("source", type=Text())
@click.argument("event", type=Text(), metavar="ID")
@json_option
def retry(source: str, event: str, as_json: bool) -> None:
    """Act on an event again that was held, set aside or made nothing due. One that billed something is left alone."""
    from activities.ledger import events as ledger_events

    with context.ledger().transaction() as tx:
        acted = ledger_events.retry(tx, source, event, at=context.now())
        row = ledger_events.find(tx, source, event)
    if as_json:
        output.document(_plain(row))
        return
    output.say(
        f"Event {event} of {source}: {acted.status}" + (f", {acted.outcome}." if acted.outcome else ".")
    )
    for each in acted.invoices:
        output.hint(f"billow show {shlex.quote(each.invoice.billing_key)}")


def _print(row: EventRow, zone: ZoneInfo) -> None:
    from rich.padding import Padding
    from rich.table import Table

    out = output.console()
    head = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    head.add_column(ratio=1, overflow="fold")
    head.add_column(justify="right", no_wrap=True)
    what = row.type.removeprefix("billow.").replace(".", " ").replace("_", " ")
    head.add_row(
        output.styled(f"{row.source} {row.event}", "bold"),
        output.styled(row.status, _STYLES.get(row.status, "")),
    )
    out.print(head)
    about = ", ".join(f"{kind} {name}" for kind, name in row.content.get("data", {}).items())
    lines = [(f"{what}: {about}", ""), (f"received {output.moment(row.received_at, zone)}", "dim")]
    for text, style in [*lines, *([(row.outcome, "")] if row.outcome else [])]:
        out.print(Padding(output.styled(text, style), (0, 0, 0, 2)), overflow="fold")


def _plain(row: EventRow) -> dict[str, Any]:
    return {
        "source": row.source,
        "event": row.event,
        "type": row.type,
        "data": row.content.get("data", {}),
        "time": row.content.get("time"),
        "received_at": row.received_at.isoformat(),
        "channel": row.channel,
        "brought_by": row.brought_by,
        "status": row.status,
        "outcome": row.outcome,
        "billing_keys": row.billing_keys,
        "attempts": row.attempts,
        "acted_at": row.acted_at.isoformat() if row.acted_at else None,
    }


COMMANDS = [events]
