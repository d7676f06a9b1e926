"""`billow trigger`: making something due by hand."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from starter.cli import context, output
from starter.cli.failures import Failure
from starter.cli.parameters import Text, as_option, json_option

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from activities.company.single_files import FileReading
    from activities.ledger.invoices import Requested

Value = TypeVar("Value")
CHANNEL = "cli"
_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.command("trigger", short_help="Bill an agreement, an event or a one-off now")
@click.option(
    "--agreement", type=Text(), metavar="ID", help="Its oldest unbilled period, milestone or block."
)
@click.option("--item", type=Text(), metavar="ITEM", help="Which milestone or block of the agreement.")
@click.option("--event", type=_FILE, metavar="FILE", help="A CloudEvent as JSON or YAML.")
@click.option("--one-off", type=_FILE, metavar="FILE", help="An invoice no agreement covers, as YAML.")
@click.option("--key", type=Text(), metavar="KEY", help="Identity of a one-off; else its content is.")
@as_option(required=False)
@json_option
def trigger(
    agreement: str | None,
    item: str | None,
    event: Path | None,
    one_off: Path | None,
    key: str | None,
    who: str | None,
    as_json: bool,
) -> None:
    """Bill something now. What is billed already is not billed twice: the invoice there is named instead.

    Exactly one of --agreement, --event and --one-off says what.
    """
    if sum(each is not None for each in (agreement, event, one_off)) != 1:
        raise click.UsageError("give exactly one of --agreement ID, --event FILE and --one-off FILE.")
    if item is not None and agreement is None:
        raise click.UsageError("--item goes with --agreement.")
    if who is not None and event is not None:
        raise click.UsageError(
            "--as goes with --agreement or --one-off; an event says itself where it comes from."
        )
    if key is not None and one_off is None:
        raise click.UsageError("--key goes with --one-off; an agreement or event has its key already.")
    if event is None and who is None:
        raise click.UsageError("say who asks with --as WHO (or set BILLOW_AS): whoever asks cannot approve.")
    by = context.person(who)
    read_event = event_of(event) if event else None
    written = one_off_of(one_off) if one_off else None
    with context.ledger().transaction() as tx:
        asked = _ask(tx, agreement, item, read_event, written, key, by)
    if as_json:
        output.document({"invoices": [_plain(each) for each in asked]})
        return
    for each in asked:
        _tell(each)
    if not asked:
        output.say("The event is noted; it makes nothing due.")


def _ask(
    tx: Session, agreement: str | None, item: str | None, event: Any, one_off: Any, key: str | None, by: str
) -> list[Requested]:
    from activities.ledger import triggers

    at = context.now()
    if agreement is not None:
        return [triggers.by_agreement(tx, agreement, item, by=by, channel=CHANNEL, at=at)]
    if one_off is not None:
        return [triggers.one_off(tx, one_off, key, by=by, channel=CHANNEL, at=at)]
    return triggers.by_event(tx, event, event.model_dump(mode="json"), channel=CHANNEL, at=at)


def event_of(path: Path) -> Any:
    """The event in a file. `Failure` with all that is wrong in it."""
    from activities.company.single_files import read_event

    return _value(read_event(path), path)


def one_off_of(path: Path) -> Any:
    """The one-off in a file. `Failure` with all that is wrong in it."""
    from activities.company.single_files import read_one_off

    return _value(read_one_off(path), path)


def _value(reading: FileReading[Value], path: Path) -> Value:
    if reading.value is None:
        lines = [str(problem) for problem in reading.problems]
        raise Failure(f"{path} cannot be used; nothing was billed:\n  " + "\n  ".join(lines))
    for problem in reading.problems:
        click.echo(str(problem), err=True)
    return reading.value


def _plain(asked: Requested) -> dict[str, Any]:
    row = asked.invoice
    return {
        "new": asked.new,
        "billing_key": row.billing_key,
        "generation": row.generation,
        "number": row.number,
        "client": row.client,
        "document_status": row.document_status,
        "payment_status": row.payment_status,
        "collection_status": row.collection_status,
    }


def _tell(asked: Requested) -> None:
    row = asked.invoice
    name = row.number or row.billing_key
    if asked.new:
        output.say(f"New invoice {row.billing_key} for {row.client}.")
    elif row.document_status == "voided draft":
        output.say(f"Nothing made: {row.billing_key} was voided and waived, so it is not billed again.")
    else:
        state = row.document_status if row.number is None else f"{row.document_status}, {row.payment_status}"
        output.say(f"Nothing made: {row.billing_key} is billed already, by {name} ({state}).")
    output.hint(f"billow show {shlex.quote(name)}")


COMMANDS = [trigger]
