"""`billow integrations`: how connected systems fare, and asking them now what is new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from starter.cli import context, output
from starter.cli.failures import Failure
from starter.cli.parameters import Text, json_option

if TYPE_CHECKING:
    from activities.ledger.integration_views import IntegrationView

_STYLES = {
    "works": "green",
    "fails": "red",
    "held": "red",
    "not set up": "red",
    "taken out": "red",
    "not used yet": "dim",
}


@click.group(
    "integrations", invoke_without_command=True, short_help="How connected systems fare; ask them now"
)
@json_option
@click.pass_context
def integrations(ctx: click.Context, as_json: bool) -> None:
    """How every connected system fares: last contact, last error, lag, what waits, where it delivers to.

    Whether an endpoint is on depends on the environment of this command; the web app has its own.
    """
    if ctx.invoked_subcommand is None:
        _list(as_json)


def _list(as_json: bool) -> None:
    from activities.ledger import integration_views

    company, settings = context.company(), context.settings()
    with context.ledger().transaction() as tx:
        views = integration_views.all_of(tx, company, settings.web_url, context.now())
    if as_json:
        output.document({"integrations": [_plain(each) for each in views]})
        return
    zone = ZoneInfo(company.issuers[0].zone)
    for view in views:
        _print(view, zone)
    if not company.connections:
        output.hint("No system is connected: integrations.yaml names them, docs/integrations.md shows how")
    else:
        output.hint("billow integrations poll   # ask now; billow deliveries lists what came in")


@integrations.command("poll", short_help="Ask systems now what is new")
@click.argument("connection", type=Text(), required=False)
@json_option
def poll(connection: str | None, as_json: bool) -> None:
    """Ask CONNECTION, or every system that can be asked, now what is new; without waiting for the workers' turn."""
    from activities.invoicing import polling

    company = context.company()
    if connection is not None and connection not in {each.id for each in company.connections}:
        raise Failure(f"There is no connection {connection!r}; `billow integrations` lists those there are.")
    asked = [
        each
        for each in polling.due(context.ledger(), context.now(), at_once=True)
        if connection in (None, each.id)
    ]
    if connection is not None and not asked:
        raise Failure(f"{connection} is not asked: it delivers by itself; see `billow deliveries`.")
    found = [polling.poll(context.ledger(), each, context.now()) for each in asked]
    if as_json:
        output.document(
            {"polled": [{"connection": f.connection, "new": f.events, "problem": f.problem} for f in found]}
        )
    elif not found:
        output.say("No connected system is asked: those there are deliver by themselves.")
    else:
        for each in found:
            output.say(
                f"{each.connection}: {output.plural(each.events, 'new event')}"
                + (f"; {each.problem}" if each.problem else "")
            )
    if any(each.problem for each in found):
        raise click.exceptions.Exit(1)


def _print(view: IntegrationView, zone: ZoneInfo) -> None:
    from rich.padding import Padding
    from rich.table import Table

    out = output.console()
    head = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    head.add_column(ratio=1, overflow="fold")
    head.add_column(justify="right", no_wrap=True)
    serves = f", {view.serves}" if view.serves else ""
    head.add_row(
        output.styled(f"{view.connection}: {view.title}{serves}", "bold"),
        output.styled(view.state, _STYLES.get(view.state, "")),
    )
    out.print(head)
    for text, style in _facts(view, zone):
        out.print(Padding(output.styled(text, style), (0, 0, 0, 2)), overflow="fold")


def _facts(view: IntegrationView, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    if view.problem:
        yield view.problem, "red"
    if view.last_contact_at:
        yield f"last contact {output.moment(view.last_contact_at, zone)}", ""
    if view.last_error and view.last_error_at:
        since = f", failing since {output.moment(view.failing_since, zone)}" if view.failing_since else ""
        yield (
            f"last error {output.moment(view.last_error_at, zone)}{since}: {view.last_error}",
            "red" if view.failing_since else "dim",
        )
    if view.polled:
        pause = output.plural(view.poll_minutes or 0, "minute")
        yield f"asked every {pause}, last {output.moment(view.polled_at, zone)}", ""
    if view.endpoint is not None:
        off = "" if view.endpoint.on else f" is off: {view.endpoint.variable} is not set"
        yield f"{view.endpoint.url}{off}", "" if view.endpoint.on else "dim"
    yield from _counts(view, zone)


def _counts(view: IntegrationView, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    if view.received:
        waits = f", {view.waiting:,} waiting" if view.waiting else ""
        held = f", {view.held:,} held" if view.held else ""
        yield f"{output.plural(view.received, 'delivery', 'deliveries')}{waits}{held}", ""
    if view.lag is not None:
        yield f"lag {duration(view.lag)}", ""
    if view.refused:
        last = output.moment(view.last_refused_at, zone)
        what = output.plural(view.refused, "delivery was", "deliveries were")
        yield f"{what} refused, the last {last}: {view.last_refusal}", "yellow"
    if view.write_backs:
        yield (
            f"{output.plural(view.write_backs, 'invoice is', 'invoices are')} still to be shown there",
            "yellow",
        )


def duration(length: timedelta) -> str:
    """`3 d 4 h`, `12 min`, `8 s`: the two largest units that are not nothing."""
    seconds = max(0, int(length.total_seconds()))
    parts = (
        (seconds // 86400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "min"),
        (seconds % 60, "s"),
    )
    said = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(said[:2]) or "0 s"


def _plain(view: IntegrationView) -> dict[str, Any]:
    from dataclasses import asdict

    found = asdict(view)
    found["lag_seconds"] = int(view.lag.total_seconds()) if view.lag is not None else None
    del found["lag"]
    return {name: each.isoformat() if hasattr(each, "isoformat") else each for name, each in found.items()}


COMMANDS = [integrations]
