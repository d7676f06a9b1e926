"""`billow import-opening-items`: open invoices of the system before, whose money Billow now collects."""

from __future__ import annotations

from pathlib import Path

import click

from starter.cli import context, output
from starter.cli.failures import Failure
from starter.cli.parameters import as_option, json_option


@click.command("import-opening-items", short_help="Take over open invoices of the system before")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@as_option(required=True)
@json_option
def import_opening_items(file: Path, who: str, as_json: bool) -> None:
    """Take over the open invoices in FILE: all of them, or none if anything is wrong.

    Taking over twice is harmless: what is here already is left as it is.
    """
    from activities.company.opening_items import read_opening_items
    from activities.ledger import company_records, opening_items

    by, at = context.person(who), context.now()
    reading = read_opening_items(file)
    problems = [str(problem) for problem in reading.problems]
    if reading.value is None:
        raise Failure(f"{file} cannot be used; nothing was taken over:\n  " + "\n  ".join(problems))
    for problem in problems:
        click.echo(problem, err=True)
    new: list[str] = []
    known: list[str] = []
    with context.ledger().transaction() as tx:
        current = company_records.current(tx)
        for item in reading.value:
            taken = opening_items.import_opening_item(
                tx, item, current.company, current.version, by=by, at=at
            )
            (new if taken else known).append(item.number)
    if as_json:
        output.document({"taken_over": new, "known": known})
        return
    output.say(f"Took over {output.plural(len(new), 'invoice')}; {len(known):,} were here already.")
    if new:
        output.hint("billow invoices --status open")


COMMANDS = [import_opening_items]
