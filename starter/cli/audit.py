"""`billow audit`: proof that the audit trail is as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from starter.cli import context, output
from starter.cli.failures import REFUSED
from starter.cli.parameters import Text, json_option

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 500
NAMED_AT_MOST = 1000
"""So many breaks are named one by one; all are counted."""


@click.group("audit", short_help="Prove that nothing was changed afterwards")
def audit() -> None:
    """The audit trail: for each invoice a chain of events, each hashed with the one before."""


@audit.command("verify", short_help="Check the audit trail of one invoice, or of all")
@click.argument("invoice", type=Text(), metavar="[INVOICE]", required=False)
@json_option
@click.pass_context
def verify(current: click.Context, invoice: str | None, as_json: bool) -> None:
    """Check the audit trail of one invoice, or of all. Exit code 1 if anything does not hold."""
    breaks: list[dict[str, Any]] = []
    invoices, broken = 0, 0
    with _progress(total=_count() if invoice is None else 1) as advance:
        for found in _checked(invoice):
            invoices += 1
            broken += len(found)
            breaks += found[: NAMED_AT_MOST - len(breaks)]
            advance()
    if as_json:
        output.document({"holds": not broken, "invoices": invoices, "break_count": broken, "breaks": breaks})
    else:
        for each in breaks:
            output.say(f"{each['invoice']}, event {each['position']}: {each['reason']}")
        if broken > len(breaks):
            output.say(f"and {broken - len(breaks):,} more")
        _conclude(invoices, broken)
    if broken:
        current.exit(REFUSED)


def _conclude(invoices: int, broken: int) -> None:
    of = f"The audit trail of {output.plural(invoices, 'invoice')}"
    if not invoices:
        output.say("There is no invoice yet, so there is nothing to verify.")
    elif broken:
        output.say(f"{of} does not hold in {output.plural(broken, 'place')}; compare it with a backup.")
    else:
        output.say(f"{of} holds.")


def _checked(invoice: str | None) -> Iterator[list[dict[str, Any]]]:
    """The breaks of one invoice after the other, by id, a batch a transaction: memory stays bounded."""
    from sqlalchemy import select

    from activities.ledger import audit_trail, invoices
    from activities.ledger.tables import InvoiceRow

    ledger = context.ledger()
    columns = select(InvoiceRow.id, InvoiceRow.number, InvoiceRow.billing_key)
    if invoice is not None:
        with ledger.transaction() as tx:
            row = invoices.find(tx, invoice)
            yield _named(audit_trail.verify(tx, row.id), row.number or row.billing_key)
        return
    last = 0
    while True:
        with ledger.transaction() as tx:
            batch = tx.execute(columns.where(InvoiceRow.id > last).order_by(InvoiceRow.id).limit(BATCH)).all()
            for id_, number, billing_key in batch:
                yield _named(audit_trail.verify(tx, id_), number or billing_key)
                last = id_
        if len(batch) < BATCH:
            return


def _named(breaks: list[Any], name: str) -> list[dict[str, Any]]:
    return [{"invoice": name, "position": each.position, "reason": each.reason} for each in breaks]


def _count() -> int:
    from sqlalchemy import func, select

    from activities.ledger.tables import InvoiceRow

    with context.ledger().transaction() as tx:
        return tx.scalar(select(func.count()).select_from(InvoiceRow)) or 0


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr where the work is long and somebody looks on."""
    out = output.console(stderr=True)
    if total < BATCH or not out.is_terminal:
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("Verifying", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)


COMMANDS = [audit]
