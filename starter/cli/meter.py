"""`billow meter`, `billow meters`: hours, spend and progress taken in by hand, and where every meter stands."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from starter.cli import context, meter_view, output
from starter.cli.failures import Failure
from starter.cli.parameters import Text, as_option, json_option

if TYPE_CHECKING:
    from activities.ledger.crossings import Crossing
    from activities.ledger.meters import Intake
    from billing.agreements import Agreement
    from billing.company import Company
    from billing.meter_entries import MeterEntry
    from billing.metering import MeterStanding

CHANNEL = "cli"
_LONG = 2000
"""Entries from which on a bar shows how far the taking in is."""

_SHOWN = 20


@click.command("meter", short_help="Take in hours, spend or progress from a file")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@as_option(required=True)
@json_option
def meter(file: Path, who: str, as_json: bool) -> None:
    """Take in the entries of FILE, CSV or JSON: all of them, or none if anything is wrong.

    An entry is known by source and id: taken in twice it counts once, and a later one with the same id corrects it.
    Every line that is crossed is billed at once. The columns are source, id, agreement, measure (hours, spend or
    progress), day, quantity, role, person, milestone, revision, deleted and note; the first three, day and quantity
    are needed.
    """
    from activities.ledger import company_records, meters

    by, at = context.person(who), context.now()
    company = context.company()
    entries = _entries(file, company)
    with _bar(len(entries)) as progress, context.ledger().transaction() as tx:
        company = company_records.current(tx).company
        intake = meters.take_in(tx, entries, company, by=by, channel=CHANNEL, at=at, progress=progress)
        standings = {
            each: meters.standings(tx, agreement, company, at)
            for each in sorted(intake.stored.agreements)
            if (agreement := company.agreement(each)) is not None
        }
    if as_json:
        output.document(_plain_intake(intake, standings))
        return
    _tell(intake, standings, company)


def _entries(file: Path, company: Company) -> list[MeterEntry]:
    """The entries of the file. `Failure` with all that is wrong in it, by line."""
    from activities.company.meter_files import read_meter_file
    from activities.company.problems import Problem
    from activities.ledger import meters

    read = read_meter_file(file)
    problems = list(read.problems)
    refused = meters.refusals(read.entries, company, at=context.now())
    for position, why in refused.items():
        problems.append(Problem(file.name, read.lines[position], read.entries[position].id, why))
    if problems:
        lines = [str(each) for each in sorted(problems)]
        more = [f"and {len(lines) - _SHOWN:,} more"] if len(lines) > _SHOWN else []
        said = "\n  ".join([*lines[:_SHOWN], *more])
        raise Failure(f"{file} cannot be used; nothing was taken in:\n  {said}")
    return read.entries


@contextmanager
def _bar(entries: int) -> Iterator[Callable[[int], None]]:
    """Shows how far a long file is, where somebody watches."""
    if entries < _LONG or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import Progress

    with Progress(console=output.console(stderr=True), transient=True) as progress:
        task = progress.add_task("Taking in", total=entries)
        yield lambda done: progress.update(task, completed=done)


def _tell(intake: Intake, standings: dict[str, list[MeterStanding]], company: Company) -> None:
    stored = intake.stored
    counts = {
        "new": stored.new,
        "edited": stored.edited,
        "deleted": stored.deleted,
        "known already": stored.known,
        "older than what is here": stored.late,
    }
    said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    output.say(f"Took in {output.plural(sum(counts.values()), 'entry', 'entries')}: {said}.")
    for crossing in intake.crossings:
        output.say(_crossed(crossing))
    meter_view.held(intake.held)
    if any(standings.values()):
        output.say("")
        meter_view.table([each for found in standings.values() for each in found], company)
    made = [each.billing_key for each in intake.crossings if each.new and each.billing_key]
    if made:
        output.hint(f"billow show {shlex.quote(made[0])}")


def _crossed(crossing: Crossing) -> str:
    name = f"{crossing.agreement}: {crossing.line.name} reached"
    if crossing.new:
        return f"{name}; new invoice {crossing.billing_key}."
    if crossing.billing_key is None:
        return f"{name}; {crossing.outcome}. See `billow inbox`."
    return f"{name}; {crossing.outcome}, by {crossing.billing_key}."


@click.command("meters", short_help="Where every meter stands, and its next line")
@click.option("--agreement", type=Text(), metavar="ID", help="Of this agreement only, with what is held.")
@click.option("--client", type=Text(), metavar="ID", help="Of this client only.")
@json_option
def meters_(agreement: str | None, client: str | None, as_json: bool) -> None:
    """Where the meter of every agreement stands: what is used and left, and the line that comes next."""
    from activities.ledger import company_records, meters, triggers

    at = context.now()
    with context.ledger().transaction() as tx:
        company = company_records.current(tx).company
        wanted: list[Agreement] = list(company.agreements)
        if agreement is not None:
            wanted = [triggers.agreement_of(company, agreement)]
        chosen = [each for each in wanted if client is None or each.client == client]
        found = [each for one in chosen for each in meters.standings(tx, one, company, at)]
    if as_json:
        output.document(
            {"as_of": at.isoformat(), "meters": [meter_view.plain(each, company) for each in found]}
        )
        return
    if not found:
        which = f"Agreement {agreement!r} has no meter" if agreement else "No agreement has a meter"
        output.say(f"{which}: nothing is billed or told by hours, spend or progress.")
        return
    meter_view.table(found, company)


def _plain_intake(intake: Intake, standings: dict[str, list[MeterStanding]]) -> dict[str, Any]:
    stored = intake.stored
    return {
        "new": stored.new,
        "edited": stored.edited,
        "deleted": stored.deleted,
        "known": stored.known,
        "older": stored.late,
        "crossings": [
            {
                "agreement": each.agreement,
                "line": each.line.name,
                "value": str(each.line.value),
                "threshold": str(each.line.threshold),
                "outcome": each.outcome,
                "billing_key": each.billing_key,
                "new": each.new,
            }
            for each in intake.crossings
        ],
        "held": [
            {"agreement": entry.agreement, "source": entry.source, "id": entry.id, "because": why.why}
            for entry, why in intake.held
        ],
        "meters": [
            meter_view.plain(each, context.company()) for found in standings.values() for each in found
        ],
    }


COMMANDS = [meter, meters_]
