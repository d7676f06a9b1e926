"""`billow einvoice`: the XML of an issued invoice as it was sent, and any e-invoice held against the rules."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from billing.errors import WrongState
from starter.cli import context, output
from starter.cli.failures import REFUSED
from starter.cli.parameters import Text, json_option

if TYPE_CHECKING:
    from activities.einvoice.checking import Checked
    from activities.ledger.read_models import DocumentView
    from activities.ledger.views import InvoiceView
    from billing.einvoice.breach import Breach

PLACES = 3
"""So many places of a broken rule are named; all are in --json."""

NOT_ASKED = (
    "Rules of Peppol and XRechnung are held against Billow's own invoices before they "
    "are issued, not against files."
)


@click.command("einvoice", short_help="Write the XML of an issued invoice, or check an e-invoice")
@click.argument("invoice", type=Text(), metavar="[INVOICE]", required=False)
@click.option("--cii", "syntax", flag_value="cii", default="cii", help="The XML inside the PDF.  [default]")
@click.option("--ubl", "syntax", flag_value="ubl", help="The XML beside the PDF.")
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="A file, a folder, or - for stdout.  [default: NUMBER-cii.xml]",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option(
    "--check",
    "given",
    type=click.File("rb"),
    metavar="FILE",
    help="Write nothing: check this CII, UBL or PDF, of Billow or of anybody.",
)
@json_option
@click.pass_context
def einvoice(
    current: click.Context,
    invoice: str | None,
    syntax: str,
    target: str | None,
    force: bool,
    given: BinaryIO | None,
    as_json: bool,
) -> None:
    """Write the XML of an issued invoice to a file, byte for byte as it was sent; INVOICE is its number or billing key,
    or the number of a credit note.

    With --check FILE, hold an e-invoice against its schema, the rules of EN 16931 and those of Factur-X, and name each
    rule that is broken. Exit code 1 if one of them is fatal.
    """
    if (invoice is None) == (given is None):
        raise click.UsageError("give an INVOICE to write, or --check FILE; one of the two.")
    if given is not None:
        if target is not None or force:
            raise click.UsageError("--check writes no file; leave -o and --force out.")
        _check(current, given, as_json=as_json)
    elif invoice is not None:
        _write(invoice, syntax, target, force=force, as_json=as_json)


def _made_with(view: InvoiceView, pdf: str | None, syntax: str) -> DocumentView | None:
    """The newest XML of that syntax; that of a credit note where the PDF is one."""
    found = next((each for each in view.documents if each.sha256 == pdf), None)
    if found is not None and found.kind == "credit note":
        stem = found.name.removesuffix(".pdf")
        return next((each for each in view.documents if each.name == f"{stem}-{syntax}.xml"), None)
    of_syntax = (each for each in view.documents if each.kind == syntax)
    return max(of_syntax, key=lambda each: each.made_at, default=None)


def _write(invoice: str, syntax: str, target: str | None, *, force: bool, as_json: bool) -> None:
    from activities.ledger import views
    from starter.cli.documents import named_document, write_file

    to_stdout = target == "-"
    if to_stdout and as_json:
        raise click.UsageError("--json and -o - would both write to stdout; give one of them.")
    with context.ledger().transaction() as tx:
        view = views.invoice(tx, invoice, context.now())
    number, pdf = named_document(view, invoice)
    made = _made_with(view, pdf, syntax)
    if made is None:
        raise WrongState(_why_none(view))
    if made.erased_at is not None:
        gone = f"the e-invoice of {view.name} was erased on {made.erased_at:%Y-%m-%d}, its retention over"
        raise WrongState(f"{gone}; its SHA-256 was {made.sha256}")
    data = context.documents().get(made.sha256)
    if to_stdout:
        sys.stdout.buffer.write(data)
        return
    path = _path(target, number or view.name, syntax)
    write_file(path, data, force=force)
    if as_json:
        output.document(
            {
                "number": number,
                "syntax": syntax,
                "file": str(path),
                "bytes": len(data),
                "sha256": made.sha256,
            }
        )
    else:
        output.say(f"{path} ({len(data):,} bytes)")


def _why_none(view: InvoiceView) -> str:
    if view.number is None:
        return f"{view.name} has no e-invoice: it is {view.document_status}; only an issued invoice has one"
    if not any(each.current for each in view.documents):
        return f"{view.name} has no e-invoice yet, for it has no document yet; billow pdf says why"
    return (
        f"{view.name} has no e-invoice: it was issued before Billow wrote any, or it bears what EN 16931 has no words "
        "for, such as a tax that is no VAT"
    )


def _path(target: str | None, number: str, syntax: str) -> Path:
    name = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', number)}-{syntax}.xml"
    if target is None:
        return Path(name)
    return Path(target) / name if Path(target).is_dir() else Path(target)


def _check(current: click.Context, given: BinaryIO, *, as_json: bool) -> None:
    from activities.einvoice.checking import MOST_BYTES, check
    from billing.einvoice.breach import fatal

    checked = check(given.read(MOST_BYTES + 1))
    wrong = len(fatal(checked.breaches))
    if as_json:
        output.document(_document(given.name, checked, wrong))
    else:
        _print(given.name, checked, wrong)
    if wrong:
        current.exit(REFUSED)


def _document(name: str, checked: Checked, wrong: int) -> dict[str, Any]:
    return {
        "file": name,
        "syntax": checked.syntax,
        "specification": checked.specification,
        "valid": not wrong,
        "fatal": wrong,
        "warnings": len(checked.breaches) - wrong,
        "breaches": [
            {
                "rule": each.rule,
                "severity": each.severity,
                "rules": each.rules,
                "words": each.words,
                "place": each.place,
            }
            for each in checked.breaches
        ],
    }


def _print(name: str, checked: Checked, wrong: int) -> None:
    output.say(f"{name}: {checked.syntax}, {checked.specification or 'of no specification'}")
    by_rule: dict[tuple[str, str], list[Breach]] = {}
    for each in checked.breaches:
        by_rule.setdefault((each.rule, each.words), []).append(each)
    for found in by_rule.values():
        _print_rule(found)
    warnings = len(checked.breaches) - wrong
    told = [output.plural(wrong, "fatal breach", "fatal breaches")] if wrong else []
    told += [output.plural(warnings, "warning")] if warnings else []
    if not told:
        output.say("No rule is broken.")
    else:
        output.say(f"{' and '.join(told)}." if wrong else f"Valid, with {told[0]}.")
    output.say(NOT_ASKED)


def _print_rule(found: list[Breach]) -> None:
    """A rule with its text once, whoever asks it, and the places where it is broken."""
    first, sets = found[0], ", ".join(dict.fromkeys(each.rules for each in found))
    line = output.styled(f"  {first.severity}", "red" if first.is_fatal else "yellow")
    line.append_text(output.styled(f"  {first.rule}", "bold"))
    line.append_text(output.styled(f"  {sets}", "dim"))
    output.console().print(line)
    places = list(dict.fromkeys(each.place for each in found if each.place))
    more = [f"and {len(places) - PLACES:,} more places"] if len(places) > PLACES else []
    for text in (first.words, *places[:PLACES], *more):
        for part in _folded(text):
            output.console().print(output.styled(f"    {part}"))


def _folded(text: str) -> Iterator[str]:
    """Lines that fit; a path is broken between its steps."""
    width = output.WIDTH - 4
    for line in textwrap.wrap(text, width) if " " in text or len(text) <= width else (text,):
        *steps, last = line.split("/")
        part = ""
        for step in (*(f"{each}/" for each in steps), last):
            if part and len(part) + len(step) > width:
                yield part
                part = ""
            part += step
        yield part


COMMANDS = [einvoice]
