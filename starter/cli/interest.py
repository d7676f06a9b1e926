"""`billow interest`: what late payment of an invoice has cost; a statement of it, never a new invoice."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billing.errors import Refused
from starter.cli import context, output
from starter.cli.parameters import Day, invoice_argument, json_option

if TYPE_CHECKING:
    from billing.interest.accrual import Interest, Segment


@click.command("interest", short_help="What late payment of an invoice has cost so far")
@invoice_argument
@click.option(
    "--as-of", type=Day(), metavar="DAY", help="Up to this day, included.  [default: today at the client's]"
)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a statement, as PDF.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
def interest(invoice: str, as_of: date | None, target: Path | None, force: bool, as_json: bool) -> None:
    """What late payment of an invoice has cost so far; INVOICE is its number or its billing key.

    By the law of the client's dunning policy (interest_law, else the issuer's country) or the late fee of its contract.
    Nothing is booked, and the invoice stays as it is.
    """
    from activities.documents.look import PLAIN
    from activities.invoicing import account_documents, late_payment
    from activities.ledger import collection, company_records, invoices
    from billing.interest.accrual import InterestUnknown

    with context.ledger().transaction() as tx:
        row = invoices.find(tx, invoice)
        company = company_records.current(tx).company
        day = as_of or collection.client_today(row, company, context.now())
        found = late_payment.interest(tx, row, company, day)
        if isinstance(found, InterestUnknown):
            raise Refused(found.reason)
        if target and not found.segments and not found.compensation:
            raise Refused(
                f"{row.number} owes nothing for late payment up to {day}: there is nothing to state"
            )
        statement = late_payment.statement(tx, row, company, found) if target else None
        look = account_documents.look_now(tx, statement.issuer) if statement else PLAIN
    if target and statement:
        from activities.documents.interest_statement import render_statement
        from starter.cli.documents import write_file

        write_file(target, render_statement(statement, look), force=force)
    if as_json:
        output.document(_as_data(row.number, found, target))
        return
    _print(row.name, found)
    if target:
        output.say(f"{target} written.")


def _print(name: str, found: Interest) -> None:
    from rich.table import Table

    out = output.console()
    if not found.segments and not found.compensation:
        output.say(f"{name}: nothing is owed for late payment up to {output.day(found.as_of)}.")
        return
    output.say(f"{name}: owed for late payment up to {output.day(found.as_of)}, beside the invoice")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name_, right in (("FROM", False), ("TO", False), ("DAYS", True), ("OPEN", True), ("RATE", True)):
        table.add_column(name_, justify="right" if right else "left", no_wrap=True)
    table.add_column("INTEREST", justify="right", no_wrap=True)
    for each in found.segments:
        table.add_row(*_cells(each, found.currency))
    if found.segments:
        out.print(table)
        output.say(f"Interest {output.money(found.total.amount, found.currency)}")
    if found.per_day.amount:
        output.say(f"Each further day {output.money(found.per_day.amount, found.currency)}")
    if found.compensation:
        fixed = output.money(found.compensation.amount, found.compensation.currency)
        output.say(f"Fixed compensation {fixed}")
    output.hint(f"By {found.law}." + (f" {found.note}" if found.note else ""))
    for warning in found.warnings:
        output.hint(f"warning: {warning}")


def _cells(segment: Segment, currency: str) -> tuple[str, ...]:
    return (
        output.day(segment.since),
        output.day(segment.until),
        str(segment.days),
        output.money(segment.principal, currency),
        f"{segment.rate.normalize():f} %",
        output.money(segment.amount, currency),
    )


def _as_data(number: str | None, found: Interest, target: Path | None) -> dict[str, Any]:
    return {
        "invoice": number,
        **found.model_dump(mode="json"),
        "total": found.total.model_dump(mode="json"),
        "file": str(target) if target else None,
    }


COMMANDS = [interest]
