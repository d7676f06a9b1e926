"""`billow dispute`, `billow dispute-files`: what a client says is wrong with an invoice, and how it is decided."""

from __future__ import annotations

import re
from pathlib import Path

import click

from billing.errors import NotFound, Refused
from starter.cli import context, output
from starter.cli.collection import done
from starter.cli.parameters import Text, as_option, invoice_argument, json_option

CODES = (
    "price",
    "quantity",
    "quality",
    "not-delivered",
    "not-ordered",
    "duplicate",
    "order-number",
    "tax",
    "other",
)
"""As `DisputeCode` has them; a test compares the two, for the command line starts without the rules."""


@click.command("dispute", short_help="Note that the client disputes an invoice, and how it is decided")
@invoice_argument
@click.option("--reason", type=Text(), metavar="TEXT", help="What the client says.")
@click.option(
    "--code",
    type=click.Choice(CODES),
    default="other",
    metavar="KIND",
    help=f"What kind of dispute it is: {', '.join(CODES)}.",
)
@click.option(
    "--line",
    "lines",
    type=click.IntRange(min=1),
    multiple=True,
    metavar="N",
    help="Only this line of the invoice, counted from 1; may be given again.",
)
@click.option("--tell-client", is_flag=True, help="Mail the client that it was received.")
@click.option("--rejected", type=Text(), metavar="TEXT", help="The claim stands: the answer to the client.")
@click.option("--withdrawn", is_flag=True, help="The client disputes it no longer.")
@as_option(required=True)
@json_option
def dispute(
    invoice: str,
    reason: str | None,
    code: str,
    lines: tuple[int, ...],
    tell_client: bool,
    rejected: str | None,
    withdrawn: bool,
    who: str,
    as_json: bool,
) -> None:
    """Note that the client disputes an invoice: reminders rest until somebody has decided.

    With --line only these lines are disputed, and the rest stays due. Where the client is right, credit it (billow
    credit); with --rejected the claim stands: the client is mailed the answer, and reminders go on where they stood
    once it has had time to pay.
    """
    from activities.ledger import dispute_commands
    from billing.approval_policy import Channel
    from billing.dispute import DisputeCode

    if [reason is not None, rejected is not None, withdrawn].count(True) != 1:
        raise click.UsageError(
            "give either --reason, or --rejected or --withdrawn for a dispute that is over."
        )
    at, ledger = context.now(), context.ledger()
    if rejected is not None:
        name = dispute_commands.end_dispute(
            ledger, invoice, answer=rejected, by=who, channel=Channel.CLI, at=at
        )
        said = f"{name}: the claim stands, and the client is told; reminders go on where they stood."
        done(name, "dispute rejected", as_json, said, by=who, answer=rejected)
        return
    if withdrawn:
        name = dispute_commands.withdraw_dispute(ledger, invoice, by=who, channel=Channel.CLI, at=at)
        said = f"{name} is no longer disputed; reminders go on where they stood."
        done(name, "dispute withdrawn", as_json, said, by=who)
        return
    name = dispute_commands.dispute(
        ledger,
        invoice,
        reason=reason or "",
        code=DisputeCode(code),
        lines=lines,
        tell_client=tell_client,
        by=who,
        channel=Channel.CLI,
        at=at,
    )
    _tell(name, as_json, who)


def _tell(name: str, as_json: bool, who: str) -> None:
    from activities.ledger import disputes, invoices

    with context.ledger().transaction() as tx:
        row = invoices.find(tx, name)
        found = disputes.of_invoice(tx, row)[-1]
        amount = disputes.amount_of(row)
        zone = context.issuer_zone(row.issuer)
    lines = [each["line"] for each in found.lines]
    what = f"{name} is disputed: reminders rest"
    if found.amount is not None:
        named = f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}"
        what = f"{name}: {amount} is disputed ({named}), the rest stays due"
    said = f"{what}. {context.company().person_name(found.owner)} decides by {output.moment(found.deadline, zone)}."
    facts = {"reason": found.reason, "code": found.code, "lines": lines, "owner": found.owner}
    done(
        name, "disputed", as_json, said, by=who, amount=str(amount.amount), decide_by=found.deadline, **facts
    )


@click.command("dispute-files", short_help="Save the files a client sent with disputes")
@invoice_argument
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Made if it is not there.  [default: NUMBER-disputes]",
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
@json_option
def dispute_files(invoice: str, target: Path | None, force: bool, as_json: bool) -> None:
    """Save the files a client sent with disputes about an invoice.

    They were made elsewhere and only looked at for their type: open them as you would a mail from a stranger.
    """
    from activities.ledger import views
    from starter.cli.documents import write_file

    with context.ledger().transaction() as tx:
        view = views.invoice(tx, invoice, context.now())
    there = [(each.id, file) for each in view.disputes for file in each.files if file.erased_at is None]
    if not there:
        raise NotFound(f"no file was sent with a dispute of {view.name}, or its retention is over")
    folder = target or Path(f"{safe(view.name)}-disputes")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{folder} cannot be made: {(error.strerror or str(error)).lower()}") from error
    saved = []
    for dispute, file in there:
        path = folder / f"{dispute}-{file.sha256[:8]}-{safe(file.name)}"
        write_file(path, context.documents().get(file.sha256), force=force)
        saved.append({"dispute": dispute, "name": file.name, "sha256": file.sha256, "file": str(path)})
        if not as_json:
            output.say(f"{path} ({file.size:,} bytes)")
    if as_json:
        output.document({"number": view.number, "files": saved})


def safe(name: str) -> str:
    """A name that leads nowhere else, whatever a client called the file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".") or "-"


COMMANDS = [dispute, dispute_files]
