"""`billow export`: one zip with everything an auditor asks for."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billing.errors import NotFound, Refused
from starter.cli import context, output
from starter.cli.failures import REFUSED
from starter.cli.parameters import Day, Text, json_option
from starter.cli.progress import progress

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from activities.archive.export import Exported

SHOWN = 20


@click.command(short_help="One zip with everything an auditor asks for")
@click.option("--issuer", type=Text(), metavar="ID", help="Whose invoices.  [default: the only issuer]")
@click.option("--from", "since", type=Day(), required=True, metavar="DATE", help="First issue date.")
@click.option("--to", "until", type=Day(), required=True, metavar="DATE", help="Last issue date.")
@click.option("--client", type=Text(), metavar="ID", help="Of this client only.")
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.zip",
    help="The zip.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
@click.pass_context
def export(
    current: click.Context,
    issuer: str | None,
    since: date,
    until: date,
    client: str | None,
    target: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Write all documents, audit trails, numbers, payments and records of a time into one zip.

    The same ledger gives the same bytes. Exit code 1 if something is missing in it, which is said, here and inside.
    """
    from activities.archive import export as exporting

    if until < since:
        raise click.UsageError(f"--to {until} lies before --from {since}; exchange them.")
    if target.exists() and not force:
        raise Refused(f"{target} is there already; give --force to write over it, or -o another file")
    if target.is_dir() or not target.parent.is_dir():
        raise Refused(f"{target} is no file that can be written; name one in a folder that is there")
    with context.ledger().transaction() as tx:
        scope = exporting.Scope(_issuer(tx, issuer), since, until, client)
        if client is not None:
            _known_client(tx, client)
        total = exporting.to_export(tx, scope)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".billow-", suffix=".zip")
    try:
        with (
            os.fdopen(descriptor, "wb") as file,
            progress("Exporting", total) as advance,
            context.ledger().transaction() as tx,
        ):
            found = exporting.export(tx, context.documents(), scope, file, advance)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if as_json:
        output.document(
            {
                "file": str(target),
                "bytes": found.size,
                "invoices": found.invoices,
                "documents": found.documents,
                "from_before": found.from_before,
                "missing": found.missing,
                "number_problems": found.number_problems,
            }
        )
    else:
        _print(found, target)
    if found.missing or found.number_problems:
        current.exit(REFUSED)


def _print(found: Exported, target: Path) -> None:
    for each in found.missing[:SHOWN]:
        output.say(f"missing: {each}")
    if len(found.missing) > SHOWN:
        output.say(f"and {len(found.missing) - SHOWN:,} more, named in the zip")
    if found.number_problems:
        output.say(
            f"The numbers do not hold in {output.plural(found.number_problems, 'place')}; see numbers.json."
        )
        output.hint("billow audit numbers")
    if found.from_before:
        has = "has its document" if found.from_before == 1 else "have their documents"
        output.say(f"{output.plural(found.from_before, 'opening item')} {has} in the system before.")
    of = f"{output.plural(found.invoices, 'invoice')} with {output.plural(found.documents, 'document')}"
    output.say(f"{of} in {target} ({found.size:,} bytes).")


def _issuer(tx: Session, issuer: str | None) -> str:
    """`NotFound` unless somebody by that name issues invoices, or once did."""
    from sqlalchemy import select

    from activities.ledger import company_records
    from activities.ledger.tables import InvoiceRow

    now = [each.id for each in company_records.current(tx).company.issuers]
    if issuer is None and len(now) == 1:
        return now[0]
    if issuer is None:
        raise click.UsageError(f"say whose invoices, with --issuer: {', '.join(now[:12])}.")
    once = select(InvoiceRow.id).where(InvoiceRow.issuer == issuer).limit(1)
    if issuer not in now and tx.scalar(once) is None:
        raise NotFound(f"there is no issuer {issuer!r}; there are: {', '.join(now[:12])}")
    return issuer


def _known_client(tx: Session, client: str) -> None:
    from sqlalchemy import select

    from activities.company.problems import did_you_mean
    from activities.ledger import company_records
    from activities.ledger.tables import InvoiceRow

    company = company_records.current(tx).company
    billed = tx.scalar(select(InvoiceRow.id).where(InvoiceRow.client == client).limit(1))
    if company.client(client) is None and billed is None:
        hint = did_you_mean(client, [each.id for each in company.clients]) or ""
        raise NotFound(f"there is no client {client!r}{hint}")


COMMANDS = [export]
