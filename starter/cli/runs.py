"""`billow run` and `billow runs`: bill what is due now, and look at billing runs."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import click

from starter.cli import context, output, temporal
from starter.cli.failures import STOPPED, Failure
from starter.cli.parameters import Text, as_option, json_option

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from temporalio.client import Client

    from activities.ledger.billing_run_records import RunItem, RunView
    from activities.ledger.database import Ledger

LOOK_EVERY, ASK_EVERY = 0.25, 2.0
"""Seconds between two looks at the ledger, and between two questions to Temporal whether the run still lives."""

UNTAKEN = 5.0
"""Seconds after which somebody should know that no worker has taken the run."""

MOST_LISTED = 20
MOST_ITEMS = 100_000


@click.command("run", short_help="Bill every period that is due now, and watch it")
@click.option(
    "--agreement",
    "agreements",
    type=Text(),
    multiple=True,
    metavar="ID",
    help="Only this one; again for more.",
)
@click.option(
    "--client",
    "clients",
    type=Text(),
    multiple=True,
    metavar="ID",
    help="Only agreements of this client; again for more.",
)
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Watch the run until it is finished, or only start it.  [default: wait]",
)
@as_option(required=False)
@json_option
@click.pass_context
def run(
    current: click.Context,
    agreements: tuple[str, ...],
    clients: tuple[str, ...],
    wait: bool,
    who: str | None,
    as_json: bool,
) -> None:
    """Start a billing run now: every period that is due and unbilled becomes an invoice, each once.

    The schedule does the same by itself; running twice bills nothing twice. Ctrl-C leaves the run going.
    """
    from workers import schedules
    from workflows.messages import BillingRunInput

    _check_names(agreements, clients)
    asked = BillingRunInput(requested_by=context.person(who), agreements=agreements, clients=clients)
    ledger, at = context.ledger(), context.now()

    async def begin_and_follow(client: Client) -> str:
        name = await schedules.start_run(client, asked, at)
        if wait:
            with _shown(as_json=as_json) as show:
                await _follow(client, ledger, name, show)
        return name

    try:
        with temporal.reached():
            name = temporal.ask(begin_and_follow)
    except KeyboardInterrupt:
        output.console(stderr=True).print("The run goes on; nothing is lost.")
        click.echo(f"billow runs show {_name_at(at)}", err=True)
        current.exit(STOPPED)
    if not wait:
        _started(name, as_json=as_json)
        return
    _report(name, as_json=as_json, held_only=False, limit=MOST_LISTED)


def _name_at(at: Any) -> str:
    from workflows.identifiers import manual_run_id

    return manual_run_id(at)


def _check_names(agreements: Sequence[str], clients: Sequence[str]) -> None:
    from activities.company.problems import did_you_mean
    from billing.errors import NotFound

    company = context.company()
    for kind, names, known in (
        ("agreement", agreements, [each.id for each in company.agreements]),
        ("client", clients, [each.id for each in company.clients]),
    ):
        for name in names:
            if name not in known:
                raise NotFound(f"there is no {kind} {name!r}{did_you_mean(name, known)}")


def _started(name: str, *, as_json: bool) -> None:
    if as_json:
        output.document({"run": name})
        return
    output.say("The billing run is started.")
    output.hint(f"billow runs show {name}")


async def _follow(client: Client, ledger: Ledger, name: str, show: _Show) -> None:
    """Returns once the run is finished; a run that ended otherwise is a `Failure` that says why."""
    loop = asyncio.get_running_loop()
    began = asked = loop.time()
    while True:
        view = await asyncio.to_thread(_find, ledger, name)
        show(view)
        if view is not None and view.finished_at is not None:
            return
        if view is None and loop.time() - began > UNTAKEN:
            show.untaken()
        if loop.time() - asked > ASK_EVERY:
            asked = loop.time()
            await _must_live(client, ledger, name)
        await asyncio.sleep(LOOK_EVERY)


def _find(ledger: Ledger, name: str) -> RunView | None:
    from activities.ledger import billing_run_records

    with ledger.transaction() as tx:
        return billing_run_records.find_run(tx, name)


async def _must_live(client: Client, ledger: Ledger, name: str) -> None:
    from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError

    handle = client.get_workflow_handle(name)
    status = (await handle.describe()).status
    if status in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW):
        return
    view = await asyncio.to_thread(_find, ledger, name)
    if view is not None and view.finished_at is not None:
        return
    why: object = str(status.name if status else "ended").lower()
    try:
        await handle.result()
    except WorkflowFailureError as error:
        cause: BaseException | None = error.cause
        while cause is not None and cause.__cause__ is not None:
            cause = cause.__cause__
        why = cause or why
    raise Failure(
        f"The billing run has ended before it was finished: {why}. What it asked for stands; "
        "another `billow run` goes on from there."
    )


class _Show(Protocol):
    def __call__(self, view: RunView | None) -> None: ...

    def untaken(self) -> None: ...


@contextlib.contextmanager
def _shown(*, as_json: bool) -> Iterator[_Show]:
    """A bar on a terminal, a line every tenth elsewhere; on stderr, so that stdout stays what was asked for."""
    if as_json or not sys.stderr.isatty():
        yield _Lines(silent=as_json)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=output.console(stderr=True), transient=True) as progress:
        yield _Bar(progress)


class _Bar:
    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._task = progress.add_task("waits for a worker", total=None)

    def __call__(self, view: RunView | None) -> None:
        if view is not None:
            said = _asked(view) + (", waits" if view.waits_for else "")
            self._progress.update(
                self._task, description=said, total=view.agreements or None, completed=view.looked_at
            )

    def untaken(self) -> None:
        self._progress.update(self._task, description="no invoicing worker has taken it")


class _Lines:
    def __init__(self, *, silent: bool) -> None:
        self._silent, self._told, self._warned = silent, -10, False

    def __call__(self, view: RunView | None) -> None:
        if view is None or self._silent or view.percent < self._told + 10:
            return
        self._told = view.percent - view.percent % 10
        click.echo(f"{view.looked_at:,} of {view.agreements:,} agreements, {_doing(view)}", err=True)

    def untaken(self) -> None:
        if not self._warned:
            self._warned = True
            click.echo("No invoicing worker has taken the run yet; start one with `make run`.", err=True)


def _asked(view: RunView) -> str:
    return output.plural(view.triggered, "invoice") + (f", {view.held:,} held" if view.held else "")


def _doing(view: RunView) -> str:
    return _asked(view) + (f"; {view.waits_for}" if view.waits_for else "")


@click.group(
    "runs", short_help="Billing runs: how far they are, and what they did", invoke_without_command=True
)
@click.option("--all", "everything", is_flag=True, help="Also those that found nothing to do.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@json_option
@click.pass_context
def runs(current: click.Context, everything: bool, limit: int, as_json: bool) -> None:
    """Billing runs, newest first: how far they are, and what they did."""
    if current.invoked_subcommand is not None:
        return
    from activities.ledger import billing_run_records

    with context.ledger().transaction() as tx:
        found = billing_run_records.runs(tx, limit + 1, with_work=not everything)
        last = billing_run_records.last_moved(tx)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        output.document(
            {"runs": [each.model_dump(mode="json") for each in shown], "more": more, "last": last}
        )
        return
    if not shown:
        output.say(
            f"No billing run has found anything to do; the last one was {output.moment(last, _zone())}."
            if last
            else "There was no billing run yet."
        )
        output.hint("billow runs --all" if last else "billow run")
        return
    _list(shown)
    if more:
        output.hint(f"There are more than these {limit:,}; see them with --limit {min(limit * 10, 10_000)}")


def _list(found: Sequence[RunView]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("RUN", overflow="fold")
    table.add_column("STATE", no_wrap=True)
    for name in ("INVOICES", "CAUGHT UP", "HELD"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        state = each.state if each.finished_at else f"{each.percent} %"
        style = "green" if each.finished_at else "red" if each.state == "stands still" else "yellow"
        held = output.styled(f"{each.held:,}", "red" if each.held else "dim")
        table.add_row(
            output.styled(each.run),
            output.styled(state, style),
            f"{each.triggered:,}",
            f"{each.caught_up:,}",
            held,
        )
    output.console().print(table)


@runs.command("show", short_help="What one billing run did")
@click.argument("name", type=Text(), metavar="RUN")
@click.option("--held", "held_only", is_flag=True, help="Only what it held.")
@click.option("--limit", type=click.IntRange(1, MOST_ITEMS), default=50, show_default=True)
@json_option
def show(name: str, held_only: bool, limit: int, as_json: bool) -> None:
    """What one billing run did: invoices it asked for, what it caught up, what it held and why."""
    _report(name, as_json=as_json, held_only=held_only, limit=limit)


def _report(name: str, *, as_json: bool, held_only: bool, limit: int) -> None:
    from activities.ledger import billing_run_records
    from activities.ledger.billing_run_records import Outcome

    with context.ledger().transaction() as tx:
        view = billing_run_records.run_of(tx, name)
        outcome = Outcome.HELD if held_only else None
        items = billing_run_records.items(tx, name, outcome, MOST_ITEMS if as_json else limit)
        oldest = billing_run_records.oldest_caught_up(tx, name)
    if as_json:
        output.document(
            view.model_dump(mode="json")
            | {"oldest_caught_up": oldest, "items": [each.model_dump(mode="json") for each in items]}
        )
        return
    _head(view, oldest)
    _items(items)
    left = (view.held if held_only else view.held + view.triggered) - len(items)
    if left > 0:
        output.hint(f"and {left:,} more; billow runs show {name} --limit {min(limit * 10, MOST_ITEMS)}")


def _head(view: RunView, oldest: date | None) -> None:
    """The run in a few sentences."""
    by = f", started by {view.requested_by}" if view.requested_by else ""
    output.say(f"{view.run}, as of {output.moment(view.as_of, _zone())}{by}")
    looked = output.plural(view.looked_at, "agreement")
    if view.finished_at is None:
        waits = f"; {view.waits_for}" if view.waits_for else ""
        output.say(f"{view.state.capitalize()}: {view.percent} %, {looked} of {view.agreements:,}{waits}.")
        if view.state == "stands still":
            output.hint(
                "Nobody works on it: is an invoicing worker running? The next run finds all the rest."
            )
    if not view.triggered and not view.held:
        output.say(f"Looked at {looked}: nothing is due that is not billed.")
        return
    held = f", {view.held:,} held" if view.held else ""
    output.say(f"Looked at {looked}: {output.plural(view.triggered, 'invoice')} asked for{held}.")
    if view.caught_up:
        since = f", {'the oldest ' if view.caught_up > 1 else ''}due since {output.day(oldest)}"
        output.say(f"Caught up {output.plural(view.caught_up, 'period')}{since}.")


def _items(items: Sequence[RunItem]) -> None:
    """What was held, by its reason, then what was asked for."""
    held = [each for each in items if each.outcome == "held"]
    for because, count in Counter(each.because for each in held).items():
        keys = [each.billing_key for each in held if each.because == because]
        output.say("")
        out = output.console()
        out.print(output.styled(f"held: {because}", "red"), overflow="fold")
        for key in keys[:count]:
            out.print(output.styled(f"  {key}"), soft_wrap=True)
    asked = [each for each in items if each.outcome != "held"]
    if asked:
        output.say("")
    for each in asked:
        line = output.styled(each.billing_key)
        if each.because:
            line.append(f"  {each.because}", "yellow")
        output.console().print(line, soft_wrap=True)


def _zone() -> ZoneInfo:
    from zoneinfo import ZoneInfo

    from billing.errors import NotFound

    try:
        issuers = context.company().issuers
    except NotFound:
        return ZoneInfo("UTC")
    return ZoneInfo(issuers[0].zone if issuers else "UTC")


COMMANDS = [run, runs]
