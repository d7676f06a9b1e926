"""`billow pdf`: the document of an issued invoice, byte for byte as it was sent."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billing.errors import Refused, WrongState
from starter.cli import context, output
from starter.cli.parameters import invoice_argument, json_option

if TYPE_CHECKING:
    from activities.ledger.views import InvoiceView


@click.command("pdf", short_help="Write the PDF of an issued invoice to a file")
@invoice_argument
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="A file, a folder, or - for stdout.  [default: NUMBER.pdf]",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
def pdf(invoice: str, target: str | None, force: bool, as_json: bool) -> None:
    """Write the PDF of an issued invoice to a file; INVOICE is its number or its billing key."""
    from activities.ledger import views

    to_stdout = target == "-"
    if to_stdout and as_json:
        raise click.UsageError("--json and -o - would both write to stdout; give one of them.")
    if to_stdout and sys.stdout.isatty():
        raise click.UsageError("a PDF would garble the terminal; write it to a file, or into a pipe.")
    with context.ledger().transaction() as tx:
        view = views.invoice(tx, invoice, context.now())
    sha256 = next((each.sha256 for each in view.documents if each.current), None)
    if sha256 is None or view.number is None:
        raise WrongState(_why_none(view))
    data = context.documents().get(sha256)
    if to_stdout:
        sys.stdout.buffer.write(data)
        return
    path = _path(target, view.number)
    write_file(path, data, force=force)
    if as_json:
        output.document({"number": view.number, "file": str(path), "bytes": len(data), "sha256": sha256})
    else:
        output.say(f"{path} ({len(data):,} bytes)")


def _why_none(view: InvoiceView) -> str:
    if view.number is None:
        waits = f" and waits for {view.waits_for}" if view.waits_for else ""
        state = f"{view.name} has no document: it is {view.document_status}{waits}"
        return f"{state}; only an issued invoice has one"
    if view.trigger == "opening item":
        return f"{view.name} was issued by the system before Billow; its document is there"
    open_exceptions = [each for each in view.exceptions if each.resolved_at is None]
    if open_exceptions:
        first = open_exceptions[0]
        return f"{view.name} has no document yet: {first.message} (exception {first.id}, with {first.owner})"
    return f"{view.name} has no document yet: it is being rendered, or no worker runs; try again in a moment"


def _path(target: str | None, number: str) -> Path:
    name = number.replace("/", "-").replace(os.sep, "-") + ".pdf"
    if target is None:
        return Path(name)
    return Path(target) / name if Path(target).is_dir() else Path(target)


def write_file(path: Path, data: bytes, *, force: bool) -> None:
    """Writes the file whole or not at all. `Refused` if it is there already and `force` is not given."""
    if path.exists() and not force:
        raise Refused(f"{path} is there already; give --force to write over it, or -o another file")
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".billow-", suffix=".pdf")
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


COMMANDS = [pdf]
