"""The company folder from the command line: `init`, `check`, `apply`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from activities.company.folder import Reading, read_folder
from activities.company.problems import Problem, did_you_mean, errors
from starter.cli import context, output
from starter.cli.failures import REFUSED, Failure
from starter.cli.parameters import as_option, json_option
from starter.cli.plain_text import plain
from workers.web_secret import still_previous

if TYPE_CHECKING:
    from activities.ledger.company_records import Change
    from billing.company import Company

_THE_FOLDER = "."
"""The file of a problem that lies in no file: the message names the folder itself."""

_NOT_CONTENT = {".git", ".gitignore", ".DS_Store"}
_KINDS = {
    "people": "person",
    "issuers": "issuer",
    "clients": "client",
    "agreements": "agreement",
    "dunning": "dunning policy",
    "discounts": "discount",
    "looks": "look",
    "company": "setting",
}
_SIGNS = {"add": ("+", "green"), "change": ("~", "yellow"), "retire": ("-", "red")}
_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.command()
@_folder
@click.option("--sample", is_flag=True, help="A whole made-up IT firm, to try things out.")
def init(folder: Path, *, sample: bool) -> None:
    """Write a company folder to begin with: the smallest one that can bill, with comments that guide.

    DIR is made if it is not there, and must be empty.
    """
    from activities.company.sample import write_sample, write_starter

    if folder.exists() and not folder.is_dir():
        raise Failure(f"{folder} is a file; name a folder that is empty or not there yet.")
    if folder.is_dir() and any(each.name not in _NOT_CONTENT for each in folder.iterdir()):
        raise Failure(f"{folder} is not empty, and nothing in it is overwritten; name another folder.")
    (write_sample if sample else write_starter)(folder, context.now().astimezone().date())
    what = "the sample company Havelwerk IT" if sample else "a company with one client and one agreement"
    output.say(f"Wrote {what} to {folder}.")
    if not sample:
        output.say("Put your own data into its files; the comments say what belongs where.")
    output.hint(f"  billow check {shlex.quote(str(folder))}")
    output.hint(f"  billow apply {shlex.quote(str(folder))}")


@click.command()
@_folder
@click.option("--live", is_flag=True, help="Try out every system it connects to; nothing is written to any.")
@click.option("--readiness", is_flag=True, help="List what is missing before clients can be billed.")
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --readiness: write the list as CSV.",
)
@json_option
def check(folder: Path, *, live: bool, readiness: bool, file: Path | None, as_json: bool) -> None:
    """Name every problem of a company folder: file, line, what is wrong, what to write instead.

    Changes nothing and needs no server. Warnings alone let the folder through. With --live, every system is asked: each
    field with its source, a value, and what is wrong. With --readiness, every client: what it lacks before it can be
    billed. Exit code 1 if something is wrong or missing.
    """
    if live and readiness:
        raise click.UsageError(
            "--live asks the systems, --readiness looks at the clients; ask for one at a time."
        )
    if file is not None and not readiness:
        raise click.UsageError("-o takes the list of --readiness.")
    reading = read_folder(folder, context.now().date())
    if live or readiness:
        if reading.company is None:
            _refuse_to_ask(reading, folder, as_json=as_json)
        _ask_systems(reading.company, reading, folder, readiness=readiness, file=file, as_json=as_json)
        return
    if as_json:
        output.document({"folder": str(folder), **_as_data(reading)})
    else:
        _print_problems(reading.problems)
        output.say(_summary(reading, folder))
    if told := still_previous():
        output.console(stderr=True).print(told)
    if errors(reading.problems):
        raise click.exceptions.Exit(REFUSED)


@click.command()
@_folder
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@json_option
@as_option(required=False)
def apply(folder: Path, *, dry_run: bool, as_json: bool, who: str | None) -> None:
    """Make a company folder the one that runs: shows what is added, changed and retired, and takes it over.

    Invoices that have been triggered keep the rules they were triggered under.
    """
    reading = read_folder(folder)
    if reading.company is None:
        _refuse(reading, folder, as_json=as_json)
    by = _applying(reading.company, who)
    from activities.ledger import deliveries, events
    from activities.ledger.company_records import apply_company, plan_changes

    changes = plan_changes(context.ledger(), reading.company, reading.looks)
    version, acted = None, 0
    if not dry_run:
        version = apply_company(
            context.ledger(), reading.company, str(folder.resolve()), by, context.now(), reading.looks
        )
        acted = events.act_on_waiting(context.ledger(), context.now())
        with context.ledger().transaction() as tx:
            deliveries.queue_held(tx, at=context.now())
    if as_json:
        rows = [{"action": each.action, "kind": each.kind, "key": each.key} for each in changes]
        output.document({"applied": not dry_run, "version": version, "changes": rows, **_as_data(reading)})
        return
    _print_problems(reading.problems)
    _print_plan(changes)
    output.say(_outcome(changes, version))
    if acted:
        output.say(
            f"{output.plural(acted, 'event')} that waited for this {'is' if acted == 1 else 'are'} acted on."
        )
        output.hint("billow events")
    if changes and not dry_run:
        output.hint("billow sync-schedules   # bills by the calendar from now on")


COMMANDS = [init, check, apply]


def _refuse(reading: Reading, folder: Path, *, as_json: bool) -> NoReturn:
    if as_json:
        output.document({"applied": False, "version": None, "changes": [], **_as_data(reading)})
        raise click.exceptions.Exit(REFUSED)
    _print_problems(reading.problems)
    raise Failure(f"{_summary(reading, folder)} Nothing was applied; correct the folder first.")


def _refuse_to_ask(reading: Reading, folder: Path, *, as_json: bool) -> NoReturn:
    if as_json:
        output.document({"folder": str(folder), **_as_data(reading)})
        raise click.exceptions.Exit(REFUSED)
    _print_problems(reading.problems)
    raise Failure(f"{_summary(reading, folder)} No system was asked; correct the folder first.")


def _ask_systems(
    company: Company, reading: Reading, folder: Path, *, readiness: bool, file: Path | None, as_json: bool
) -> None:
    """What is asked for outside the folder; modules that do are loaded only then."""
    if readiness:
        from starter.cli import readiness_list

        languages = {issuer: tuple(look.languages) for issuer, look in reading.looks.items()}
        right = readiness_list.told(folder, company, languages, file, as_json=as_json)
    else:
        from starter.cli import live_check

        right = live_check.told(folder, company, as_json=as_json)
    if not right:
        raise click.exceptions.Exit(REFUSED)


def _applying(company: Company, who: str | None) -> str:
    """Who applies: a person of the folder, for the first one is applied before any company runs."""
    known = list(company.people_by_id)
    if who is not None and who not in known:
        close = did_you_mean(who, known) or "; name somebody in people.yaml"
        raise Failure(f"{who!r} is not a person of this company{close}")
    return who or context.OURSELVES


def _print_problems(problems: list[Problem]) -> None:
    from rich.table import Table

    if not problems:
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 1, 0))
    table.add_column(overflow="fold", max_width=32)
    table.add_column(overflow="fold")
    for problem in problems:
        in_a_file = problem.file != _THE_FOLDER
        place = output.styled(f"{problem.file}:{problem.line}" if in_a_file else "", "bold")
        if problem.where:
            place.append("\n").append(plain(problem.where), "not bold dim")
        kind = output.styled("warning: ", "yellow") if problem.warning else output.styled("error: ", "red")
        table.add_row(place, kind + output.styled(problem.message))
    output.console().print(table)


def _print_plan(changes: list[Change]) -> None:
    for change in changes:
        sign, colour = _SIGNS[change.action]
        words = f"{sign} {change.action:<7} {_KINDS.get(change.kind, change.kind)} {change.key}"
        output.console().print(output.styled(words, colour), overflow="fold")


def _outcome(changes: list[Change], version: int | None) -> str:
    if version is None:
        planned = output.plural(len(changes), "change") if changes else "No changes"
        return f"{planned}; nothing was applied (--dry-run)."
    if not changes:
        return f"Nothing has changed: version {version} runs."
    return f"{output.plural(len(changes), 'change')} applied: version {version} runs."


def _summary(reading: Reading, folder: Path) -> str:
    wrong = len(errors(reading.problems))
    warned = len(reading.problems) - wrong
    counts = [output.plural(wrong, "error")] * bool(wrong) + [output.plural(warned, "warning")] * bool(warned)
    found = " and ".join(counts) or "No problems"
    place = "this folder" if folder == Path() else str(folder)
    if reading.company is None:
        return f"{found} in {place}."
    clients = output.plural(len(reading.company.clients), "client")
    return f"{found} in {place}: {clients}, {output.plural(len(reading.company.agreements), 'agreement')}."


def _as_data(reading: Reading) -> dict[str, Any]:
    wrong = len(errors(reading.problems))
    return {
        "errors": wrong,
        "warnings": len(reading.problems) - wrong,
        "problems": [
            {
                "file": problem.file,
                "line": problem.line,
                "where": problem.where,
                "message": problem.message,
                "warning": problem.warning,
            }
            for problem in reading.problems
        ],
    }
