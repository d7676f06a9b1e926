"""`billow trigger`: making something due by hand."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from starter.cli import context, output
from starter.cli.failures import Failure
from starter.cli.parameters import Day, Text, as_option, json_option

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from activities.company.single_files import FileReading
    from activities.ledger.invoices import Requested
    from billing.events import BillingEvent
    from billing.one_off import OneOff

Value = TypeVar("Value")
CHANNEL = "cli"
_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.command("trigger", short_help="Bill an agreement, an event or a one-off now")
@click.option(
    "--agreement", type=Text(), metavar="ID", help="Its oldest unbilled period, milestone or block."
)
@click.option("--item", type=Text(), metavar="ITEM", help="Which milestone or block of the agreement.")
@click.option("--until", type=Day(), metavar="DAY", help="Bill the running period up to this day, early.")
@click.option("--event", type=_FILE, metavar="FILE", help="A CloudEvent as JSON or YAML.")
@click.option("--one-off", type=_FILE, metavar="FILE", help="An invoice no agreement covers, as YAML.")
@click.option("--key", type=Text(), metavar="KEY", help="Identity of a one-off; else its content is.")
@click.option("--corrects", type=Text(), metavar="NUMBER", help="The disputed invoice the one-off corrects.")
@as_option(required=False)
@click.option(
    "--reason",
    type=Text(may_be_empty=True),
    default="",
    metavar="TEXT",
    help="Why; needed for what is billed early or corrected, and shown to those who approve.",
)
@json_option
def trigger(
    agreement: str | None,
    item: str | None,
    until: date | None,
    event: Path | None,
    one_off: Path | None,
    key: str | None,
    corrects: str | None,
    who: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Bill something now. What is billed already is not billed twice: the invoice there is named instead.

    Exactly one of --agreement, --event and --one-off says what. An event that cannot be acted on is kept, and
    somebody is asked.
    """
    if sum(each is not None for each in (agreement, event, one_off)) != 1:
        raise click.UsageError("give exactly one of --agreement ID, --event FILE and --one-off FILE.")
    if agreement is None and (item is not None or until is not None):
        raise click.UsageError(f"{'--until' if item is None else '--item'} goes with --agreement.")
    if event is not None and (who is not None or reason):
        raise click.UsageError(
            f"{'--as' if who else '--reason'} goes with --agreement or --one-off; "
            "an event says itself where it comes from."
        )
    if one_off is None and (key is not None or corrects is not None):
        raise click.UsageError(
            "--key goes with --one-off; an agreement or event has its key already."
            if key is not None
            else "--corrects goes with --one-off: the lines as they should have been."
        )
    if key is not None and corrects is not None:
        raise click.UsageError("a corrected invoice has its key already; leave out --key.")
    if event is not None:
        _take_in(event_of(event), as_json)
        return
    if who is None:
        raise click.UsageError("say who asks with --as WHO (or set BILLOW_AS): whoever asks cannot approve.")
    by = context.person(who)
    written = one_off_of(one_off) if one_off else None
    with context.ledger().transaction() as tx:
        asked = _ask(tx, agreement, item, until, written, key, corrects, by, reason)
    if as_json:
        output.document({"invoices": [_plain(asked)]})
        return
    _tell(asked)
    if written is not None and (corrects or written.corrects):
        number = corrects or written.corrects
        output.say(f"{number} stays disputed, and nobody is reminded of it, until it is credited.")


def _ask(
    tx: Session,
    agreement: str | None,
    item: str | None,
    until: date | None,
    written: OneOff | None,
    key: str | None,
    corrects: str | None,
    by: str,
    reason: str,
) -> Requested:
    from activities.ledger import triggers

    said = {"by": by, "channel": CHANNEL, "reason": reason}
    at = context.now()
    if written is None:
        return triggers.by_agreement(tx, agreement or "", item, until=until, **said, at=at)
    if corrects is not None:
        return triggers.corrected(tx, written, corrects, **said, at=at)
    return triggers.one_off(tx, written, key, **said, at=at)


def _take_in(event: BillingEvent, as_json: bool) -> None:
    from activities.ledger import events

    acted = events.take_in(context.ledger(), event, channel=CHANNEL, at=context.now())
    if as_json:
        output.document(
            {
                "source": event.source,
                "event": event.id,
                "status": acted.status,
                "outcome": acted.outcome,
                "invoices": [_plain(each) for each in acted.invoices],
            }
        )
        return
    for each in acted.invoices:
        _tell(each)
    name = f"Event {event.id} of {event.source}"
    if acted.status is events.EventStatus.HELD:
        output.say(f"{name} is kept and held: {acted.outcome}.")
        output.hint("billow inbox")
    elif not acted.invoices:
        output.say(f"{name} is kept; {acted.status}" + (f": {acted.outcome}." if acted.outcome else "."))


def event_of(path: Path) -> BillingEvent:
    """The event in a file. `Failure` with all that is wrong in it."""
    from activities.company.single_files import read_event

    return _value(read_event(path), path)


def one_off_of(path: Path) -> OneOff:
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
    name = row.name
    if asked.new:
        output.say(f"New invoice {row.billing_key} for {row.client}.")
    elif row.document_status == "voided draft":
        output.say(f"Nothing made: {row.billing_key} was voided and waived, so it is not billed again.")
    elif row.number is None:
        output.say(f"Nothing made: {row.billing_key} was asked for already ({row.document_status}).")
    else:
        state = f"{row.document_status}, {row.payment_status}"
        output.say(f"Nothing made: {row.billing_key} is billed already, by {name} ({state}).")
    output.hint(f"billow show {shlex.quote(name)}")


COMMANDS = [trigger]
