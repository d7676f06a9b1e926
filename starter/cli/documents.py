"""`billow pdf`, `billow documents`: the documents of issued invoices, byte for byte as they were sent."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billing.errors import Refused, WrongState
from starter.cli import context, output
from starter.cli.failures import REFUSED
from starter.cli.parameters import invoice_argument, json_option
from starter.cli.progress import progress

if TYPE_CHECKING:
    from activities.archive.rendered_again import Proof
    from activities.archive.stored import Fault
    from activities.ledger.views import InvoiceView

NAMED_AT_MOST = 1000
"""So many faults are named one by one; all are counted."""


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
@click.option("--verify", is_flag=True, help="Write nothing: prove the stored document instead.")
@json_option
@click.pass_context
def pdf(
    current: click.Context, invoice: str, target: str | None, force: bool, verify: bool, as_json: bool
) -> None:
    """Write the PDF of an issued invoice to a file; INVOICE is its number, its billing key, or the number of a
    credit note.

    With --verify it is rendered again, in the look and with the versions of then, and compared byte for byte. Where
    these have moved on, that is said, and the stored bytes are checked against their SHA-256. Exit code 1 on a
    difference.
    """
    from activities.ledger import views

    if verify:
        if target is not None or force:
            raise click.UsageError("--verify writes no file; leave -o and --force out.")
        _verify(current, invoice, as_json=as_json)
        return
    to_stdout = target == "-"
    if to_stdout and as_json:
        raise click.UsageError("--json and -o - would both write to stdout; give one of them.")
    if to_stdout and sys.stdout.isatty():
        raise click.UsageError("a PDF would garble the terminal; write it to a file, or into a pipe.")
    with context.ledger().transaction() as tx:
        view = views.invoice(tx, invoice, context.now())
    number, wanted = named_document(view, invoice)
    document = next((each for each in view.documents if each.sha256 == wanted), None)
    if document is None or number is None:
        raise WrongState(_why_none(view))
    sha256 = document.sha256
    if document.erased_at is not None:
        gone = f"the document of {number} was erased on {document.erased_at:%Y-%m-%d}, its retention over"
        raise WrongState(f"{gone}; its SHA-256 was {sha256}")
    data = context.documents().get(sha256)
    if to_stdout:
        sys.stdout.buffer.write(data)
        return
    path = _path(target, number)
    write_file(path, data, force=force)
    if as_json:
        output.document({"number": number, "file": str(path), "bytes": len(data), "sha256": sha256})
    else:
        output.say(f"{path} ({len(data):,} bytes)")


def named_document(view: InvoiceView, reference: str) -> tuple[str | None, str | None]:
    """Number and SHA-256 of the PDF that is meant: that of the credit note with that number, else of the invoice."""
    for note in view.credit_notes:
        if note.number == reference.strip():
            return note.number, note.document
    return view.number, next((each.sha256 for each in view.documents if each.current), None)


def _verify(current: click.Context, invoice: str, *, as_json: bool) -> None:
    from activities.archive.rendered_again import prove

    proof = prove(context.ledger(), context.documents(), invoice)
    if as_json:
        output.document(_proof_document(proof))
    else:
        _print_proof(proof)
    if proof.differences:
        current.exit(REFUSED)


def _proof_document(proof: Proof) -> dict[str, Any]:
    return {
        "number": proof.number,
        "holds": not proof.differences,
        "sha256": proof.sha256,
        "made_at": proof.made_at,
        "rendered_again": proof.same_bytes is not None,
        "same_bytes": proof.same_bytes,
        "moved_on": [{"what": each.what, "then": each.then, "now": each.now} for each in proof.moved],
        "checked": list(proof.checked),
        "differences": list(proof.differences),
    }


def _print_proof(proof: Proof) -> None:
    for each in proof.checked:
        output.say(f"  {each}")
    if proof.same_bytes:
        output.say("  rendered again, every byte is the same")
    if proof.moved:
        output.say("Not rendered again, for what made it has moved on since:")
        for moved in proof.moved:
            if moved.what == "look":
                output.say(f"  look {moved.then or 'not recorded'}: it is not known here")
            else:
                output.say(f"  {moved.what} {moved.then or 'none'}, now {moved.now or 'none'}")
    for difference in proof.differences:
        output.say(difference)
    if proof.differences:
        places = output.plural(len(proof.differences), "place")
        output.say(f"The document of {proof.number} does not hold in {places}; compare it with a backup.")
    else:
        output.say(f"The document of {proof.number} holds: SHA-256 {proof.sha256}.")


@click.group("documents", short_help="Check every stored document against its hash")
def documents() -> None:
    """The documents that are stored: PDFs, and the XML beside them."""


@documents.command("verify", short_help="Check every stored document against its hash")
@json_option
@click.pass_context
def verify_all(current: click.Context, as_json: bool) -> None:
    """Read every stored document and compare it with its SHA-256. Exit code 1 if any is missing or was changed."""
    from activities.archive import stored

    ledger, store = context.ledger(), context.documents()
    faults: list[Fault] = []
    count, wrong = 0, 0
    with progress("Reading", stored.to_check(ledger)) as advance:
        for fault in stored.check(ledger, store):
            count += 1
            if fault is not None:
                wrong += 1
                faults += [fault] * (len(faults) < NAMED_AT_MOST)
            advance()
    if as_json:
        rows = [
            {
                "sha256": each.document.sha256,
                "kind": each.document.kind,
                "of": each.document.of,
                "reason": each.reason,
            }
            for each in faults
        ]
        output.document(
            {
                "holds": not wrong,
                "place": store.place,
                "documents": count,
                "fault_count": wrong,
                "faults": rows,
            }
        )
    else:
        for each in faults:
            output.say(f"{each.document.of}, {each.document.kind}: {each.reason}")
        if wrong > len(faults):
            output.say(f"and {wrong - len(faults):,} more")
        _conclude(count, wrong, store.place)
    if wrong:
        current.exit(REFUSED)


def _conclude(count: int, wrong: int, place: str) -> None:
    if not count:
        output.say("No document is stored yet, so there is nothing to verify.")
    elif wrong:
        of = output.plural(count, "document")
        output.say(f"{wrong:,} of {of} in {place} {'does' if wrong == 1 else 'do'} not hold.")
    else:
        holds = "holds" if count == 1 else "hold"
        output.say(f"{output.plural(count, 'document')} in {place} {holds}: each has its SHA-256.")


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
    """Writes the file whole or not at all. `Refused` if it is there already and `force` is not given, or cannot be."""
    if path.exists() and not force:
        raise Refused(f"{path} is there already; give --force to write over it, or -o another file")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".billow-", suffix=".pdf")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Refused(
            f"{path} cannot be written: {reason}; name one in a folder that is there and open to you"
        ) from error
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


COMMANDS = [pdf, documents]
