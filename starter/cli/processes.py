"""`billow up`, `migrate`, `worker`, `web` and `rebuild`: what runs, and how it is put right."""

from __future__ import annotations

import logging
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from starter.cli import context, output, temporal
from starter.cli.failures import Failure, WrongUsage
from starter.cli.parameters import json_option

if TYPE_CHECKING:
    from starter.local_stack.up import Stack

_PORT = click.IntRange(1, 65535)
BATCH = 500


@click.command("up", short_help="Everything on this machine, until Ctrl-C")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where all state is kept.  [default: .billow]",
)
@click.option(
    "--company",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The company folder to run.",
)
@click.option("--no-sample", is_flag=True, help="Begin empty, without the sample company.")
@click.option("--web-host", metavar="ADDRESS", help="Where the web app listens.  [default: 127.0.0.1]")
@click.option("--web-port", type=_PORT)
@click.option("--smtp-port", type=_PORT)
@click.option("--postgres-port", type=_PORT)
@click.option("--temporal-port", type=_PORT)
@click.option("--temporal-ui-port", type=_PORT)
@click.pass_context
def up(current: click.Context, /, no_sample: bool, **chosen: object) -> None:
    """Run everything on this machine until Ctrl-C: PostgreSQL, Temporal, a mailbox, the workers, the web app.

    A port that is not given is the usual one, or a free one if that is taken. Nothing else need be installed.
    """
    from starter.local_stack.errors import StackError
    from starter.local_stack.up import StackOptions, bring_up

    try:
        options = StackOptions.from_environment()
    except StackError as error:
        raise WrongUsage(str(error)) from error
    given = {name: value for name, value in chosen.items() if value is not None}
    current.exit(bring_up(replace(options, **given), _nothing if no_sample else _fill))  # type: ignore[arg-type]


def _fill(stack: Stack) -> None:
    from starter.cli.first_run import fill

    fill(stack)


def _nothing(stack: Stack) -> None:
    from activities.ledger import company_records
    from activities.ledger.database import Ledger
    from billing.errors import NotFound

    stack.console.print(f"Billow runs on {stack.settings.web_url}. Ctrl-C stops everything.", highlight=False)
    ledger = Ledger(stack.settings.database_url.get_secret_value())
    try:
        with ledger.transaction() as tx:
            company = company_records.current(tx).company
        stack.console.print(f"{company.name} runs.", highlight=False, markup=False)
    except NotFound:
        stack.console.print(
            "There is no company yet: billow init DIR, then billow apply DIR", highlight=False
        )
    finally:
        ledger.close()


@click.command("migrate", short_help="Bring the database to the newest schema")
def migrate() -> None:
    """Bring the database to the newest schema, before workers and web app of a new version start.

    Safe to call again, and from several machines at once. `billow up` does it by itself.
    """
    from activities.ledger import database

    place = context.database_place()
    database.migrate(context.settings().database_url.get_secret_value())
    output.say(f"The database at {place} has the newest schema.")


@click.command("worker", short_help="Work on one task queue")
@click.option("--queue", type=click.Choice(["invoicing", "rendering"]), required=True)
def worker(queue: str) -> None:
    """Work on one task queue until SIGTERM or Ctrl-C."""
    context.settings()
    from workers.__main__ import run_worker

    with temporal.reached():
        run_worker(queue)


@click.command("web", short_help="The web app")
@click.option("--host", metavar="ADDRESS", help="[default: BILLOW_WEB_HOST or 127.0.0.1]")
@click.option("--port", type=_PORT, help="[default: BILLOW_WEB_PORT or 8080]")
def web(host: str | None, port: int | None) -> None:
    """Serve the web app until SIGTERM or Ctrl-C."""
    settings, ledger = context.settings(), context.ledger()
    import uvicorn

    from starter.web import create_app
    from starter.web.vendor_webhooks import prepare
    from workers.web_secret import still_previous

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if told := still_previous():
        logging.getLogger("billow.web").warning(told)
    app = create_app(settings, ledger)
    threading.Thread(target=prepare, args=(app.state.desk,), daemon=True).start()
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    listening = _listen(host or settings.web_host, port or settings.web_port)
    logging.getLogger("billow.web").info("listening on http://%s:%s", *listening.getsockname()[:2])
    uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Failure(
            f"The web app cannot listen on {host}:{port} ({error.strerror or error}); choose another --port or --host."
        ) from error


@click.command("rebuild", short_help="Start every open invoice again on an empty Temporal")
@json_option
def rebuild(as_json: bool) -> None:
    """Wake every invoice that is not closed; one whose workflow is gone is started again and resumes.

    For a Temporal that was lost or is new. Doing it twice is harmless: an invoice that runs only looks again.
    """
    from sqlalchemy import select

    from activities.ledger import invoices
    from activities.ledger.tables import InvoiceRow

    ledger, at = context.ledger(), context.now()
    woken, last = 0, 0
    query = select(InvoiceRow).where(InvoiceRow.closed_at.is_(None)).order_by(InvoiceRow.id).limit(BATCH)
    while True:
        with ledger.transaction() as tx:
            batch = tx.scalars(query.where(InvoiceRow.id > last)).all()
            for row in batch:
                invoices.wake(tx, row, at)
        woken += len(batch)
        if len(batch) < BATCH:
            break
        last = batch[-1].id
    if as_json:
        output.document({"woken": woken})
    else:
        output.say(
            f"Woke {output.plural(woken, 'invoice')}; the invoicing worker starts them, or does once it runs."
        )


COMMANDS = [up, migrate, worker, web, rebuild]
