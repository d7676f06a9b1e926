"""`billow preview`: how documents look, before anybody gets one."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billing.errors import NotFound, Refused
from billing.looks import Look, LookName
from starter.cli import context, output
from starter.cli.failures import REFUSED, Failure
from starter.cli.parameters import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from activities.company.problems import Problem
    from activities.documents.look import LookFiles
    from activities.documents.pool import RenderingPool
    from activities.documents.preview import Previewed, Wanted
    from billing.document import InvoiceDocument
    from billing.parties import Buyer, Issuer

DOCUMENTS = (
    *(
        "invoice",
        "credit-note",
        "corrected-invoice",
        "prepayment-invoice",
        "final-invoice",
        "pro-forma-invoice",
    ),
    *("courtesy-note", "reminder-1", "reminder-2", "reminder-3", "statement", "receipt", "interest"),
)
"""What can be shown with sample data; the names of `activities.documents.sample_documents.PAGES`."""

_SECONDS = 90.0
_EVERY = 0.2
"""Seconds between two looks at the folder."""


@dataclass(frozen=True)
class _Options:
    folder: Path | None
    document: str
    issuer: str | None
    client: str | None
    invoice: str | None
    look: str | None
    language: str | None
    target: Path
    png: bool
    force: bool


@click.command("preview", short_help="Show how documents look, with sample or real data")
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option(
    "--document", type=click.Choice(DOCUMENTS), default="invoice", metavar="KIND",
    help=f"What to show: {', '.join(DOCUMENTS)}.  [default: invoice]",
)  # fmt: skip
@click.option("--issuer", type=Text(), metavar="ID", help="Whose look.  [default: the first]")
@click.option(
    "--client", type=Text(), metavar="ID", help="To whom: a client of the CRM files.  [default: made up]"
)
@click.option(
    "--invoice", type=Text(), metavar="INVOICE", help="An invoice of the ledger, draft or issued, as it is."
)
@click.option(
    "--look",
    type=click.Choice([each.value for each in LookName]),
    help="Based on this look instead of its own.",
)
@click.option(
    "--language", metavar="XX", help="In this language.  [default: the client's, else the issuer's]"
)
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), metavar="FILE", default=Path("preview.pdf"),
    help="Where to.  [default: preview.pdf]",
)  # fmt: skip
@click.option("--png", is_flag=True, help="A picture of each page beside it (needs pdftoppm).")
@click.option("--force", is_flag=True, help="Write over a file that is no preview.")
@click.option("--watch", is_flag=True, help="Again whenever a file of DIR is saved, until Ctrl-C.")
def preview(
    folder: Path | None, target: Path, watch: bool, png: bool, force: bool, **chosen: str | None
) -> None:
    """Show how documents look, marked as previews: with sample data, or an invoice of the ledger.

    DIR is a company folder, with its looks as they are saved; without it, the company that runs. Nothing is issued,
    stored or sent. Faults of templates are told by file and line.
    """
    options = _Options(
        folder=folder,
        document=chosen["document"] or "invoice",
        issuer=chosen["issuer"],
        client=chosen["client"],
        invoice=chosen["invoice"],
        look=chosen["look"],
        language=chosen["language"],
        target=target / "preview.pdf" if target.is_dir() else target,
        png=png,
        force=force,
    )
    if watch and folder is None:
        raise click.UsageError(
            "--watch looks at the files of a company folder; name it: billow preview DIR --watch"
        )
    if png and shutil.which("pdftoppm") is None:
        raise Failure("--png needs pdftoppm; install it (Debian: poppler-utils), or leave --png out.")
    _may_be_written(options)
    from activities.documents.pool import RenderingPool

    with ExitStack() as stack:
        pool = stack.enter_context(RenderingPool(1, seconds=_SECONDS))
        if watch and folder is not None:
            _watch(folder, options, pool)
        elif not _show(options, pool):
            raise click.exceptions.Exit(REFUSED)


COMMANDS = [preview]


def _watch(folder: Path, options: _Options, pool: RenderingPool) -> None:
    """Renders now and at each change, whatever is wrong with the folder, until Ctrl-C."""
    output.hint(f"Watching {folder}; Ctrl-C ends it.")
    try:
        seen = None
        while True:
            stamps = {path: path.stat().st_mtime_ns for path in _watched(folder)}
            if stamps != seen:
                seen = stamps
                try:
                    _show(options, pool)
                except (Failure, Refused, NotFound) as error:
                    output.say(f"{_clock()}  {error}")
            time.sleep(_EVERY)
    except KeyboardInterrupt:
        output.say("")


def _watched(folder: Path) -> Iterator[Path]:
    """The files that decide how documents look; one that vanishes meanwhile is left out."""
    for path in (folder / "issuers.yaml", *sorted((folder / "templates").rglob("*"))):
        if path.is_file() and not path.name.startswith("."):
            yield path


def _show(options: _Options, pool: RenderingPool) -> bool:
    """One preview: rendered, written, told; False if there is none."""
    from activities.documents.preview import preview as render
    from billing.errors import BillowError

    began = time.perf_counter()
    wanted, problems = _wanted(options)
    for problem in problems:
        output.say(str(problem))
    if wanted is None:
        output.say(f"{_clock()}  not rendered: correct what is named above")
        return False
    try:
        made = pool.run(render, wanted)
    except BillowError as error:
        output.say(f"{_clock()}  not rendered: {error}")
        return False
    _tell(made)
    if made.pdf is None:
        return False
    _write(options, made.pdf)
    ms = round((time.perf_counter() - began) * 1000)
    output.say(f"{_clock()}  {options.target}  {ms:,} ms, {made.milliseconds:,} of it rendering")
    return True


def _tell(made: Previewed) -> None:
    for fault in made.faults:
        output.say(f"{fault.file}:{fault.line}: {fault.message}")
    for warning in made.warnings:
        output.say(f"warning: {warning}")


def _wanted(options: _Options) -> tuple[Wanted | None, list[Problem]]:
    """What to render, unless something is wrong with the looks themselves."""
    from activities.company.problems import errors
    from activities.documents.look import PLAIN, LookFiles
    from activities.documents.preview import Wanted
    from activities.documents.sample_documents import BUYER, Parties

    issuers, looks, problems = _source(options)
    if errors(problems):
        return None, problems
    real = _real(options.invoice) if options.invoice else None
    key = real.draft.issuer.id if real else options.issuer
    issuer = issuers.get(key) if key else next(iter(issuers.values()), None)
    if issuer is None:
        known = ", ".join(issuers) or "none that can be read"
        raise Refused(f"there is no issuer {key!r}; there is: {known}" if key else "there is no issuer yet")
    look = looks.get(issuer.id, PLAIN)
    if options.look:
        base = look.look or Look(id=issuer.id)
        look = LookFiles(base.model_copy(update={"based_on": LookName(options.look)}), look.files)
    buyer, language, currency = _client(options)
    parties = Parties(
        issuer, buyer or BUYER, options.language or language or issuer.language, currency or "EUR"
    )
    if real is not None and options.language:
        real = real.model_copy(update={"draft": real.draft.model_copy(update={"language": options.language})})
    return Wanted(look, options.document, parties, real), problems


def _source(options: _Options) -> tuple[Mapping[str, Issuer], Mapping[str, LookFiles], list[Problem]]:
    """Issuers and looks: as they are saved in the folder, else as they run."""
    if options.folder is not None:
        from activities.company.folder import read_folder

        reading = read_folder(options.folder, try_out=False)
        ours = [each for each in reading.problems if each.file.startswith(("templates/", "issuers.yaml"))]
        return {each.id: each for each in reading.issuers}, reading.looks, ours
    from activities.ledger import company_records, looks

    with context.ledger().transaction() as tx:
        version = company_records.current(tx)
        issuers = {each.id: each for each in version.company.issuers}
        return issuers, {key: looks.of_issuer(tx, version.version, key) for key in issuers}, []


def _client(options: _Options) -> tuple[Buyer | None, str | None, str | None]:
    """The client as the CRM knows it, its language and currency."""
    if options.client is None:
        return None, None, None
    from activities.company.folder import read_folder
    from activities.invoicing.effects import client_record
    from activities.ledger.company_records import CompanyVersion
    from billing.parties import Buyer

    if options.folder is not None:
        company = read_folder(options.folder, try_out=False).company
        if company is None:
            raise Refused("the folder has errors, so its clients cannot be read; see: billow check")
        version = CompanyVersion(0, company, str(options.folder.resolve()))
    else:
        from activities.ledger import company_records

        with context.ledger().transaction() as tx:
            version = company_records.current(tx)
    client, record = version.company.client(options.client), client_record(version, options.client)
    if client is None or record is None or record.billing_contact is None:
        raise NotFound(f"the CRM knows no client {options.client!r} with a billing contact; see clients.yaml")
    buyer = Buyer(
        name=record.name, address=record.address, vat_id=record.vat_id, contact=record.billing_contact
    )
    return buyer, client.language, client.currency


def _real(reference: str) -> InvoiceDocument:
    """An invoice of the ledger: as it was issued, or as its draft would be issued now."""
    from activities.invoicing.account_documents import invoice_document

    with context.ledger().transaction() as tx:
        from activities.ledger import invoices

        return invoice_document(tx, invoices.find(tx, reference), context.now())


def _may_be_written(options: _Options) -> None:
    from activities.documents.preview import is_preview

    path = options.target
    if not path.parent.is_dir():
        raise Failure(f"there is no folder {path.parent}; make it, or name another file with -o.")
    if path.exists() and not options.force and not is_preview(path.read_bytes()):
        raise Failure(f"{path} is there already and is no preview; give --force to write over it, or -o.")


def _write(options: _Options, pdf: bytes) -> None:
    from starter.cli.documents import write_file

    write_file(options.target, pdf, force=True)
    if not options.png:
        return
    stem = options.target.with_suffix("")
    for old in stem.parent.glob(f"{stem.name}-*.png"):
        old.unlink(missing_ok=True)
    subprocess.run(["pdftoppm", "-r", "110", "-png", str(options.target), str(stem)], check=True)
    for each in sorted(stem.parent.glob(f"{stem.name}-*.png")):
        output.say(f"          {each}")


def _clock() -> str:
    return f"{context.now().astimezone():%H:%M:%S}"
