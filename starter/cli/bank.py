"""`billow import-statement` and `bank`: what the bank says came in, and what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from starter.cli import context, output
from starter.cli.failures import Failure
from starter.cli.parameters import Text, as_option, json_option

if TYPE_CHECKING:
    from activities.bank.importing import Imported
    from activities.ledger.tables import BankEntryRow, BankStatementRow

_OUTCOMES = (
    "booked",
    "known already",
    "unmatched",
    "taken back",
    "taken back, of what is unknown",
    "refund",
    "payout",
    "own transfer",
    "charge",
    "outgoing",
    "not booked yet",
)
_STYLES = {
    "booked": "green",
    "unmatched": "yellow",
    "taken back": "red",
    "taken back, of what is unknown": "red",
}


@click.command("import-statement", short_help="Import a bank statement (camt.053)")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE…",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
@as_option(required=True)
@json_option
def import_statement(files: tuple[Path, ...], who: str, as_json: bool) -> None:
    """Import bank statements in camt.053: payments are booked, and what matches no invoice is kept for a person.

    Importing twice changes nothing, nor does a statement that overlaps with another. A file that breaks off, or is of
    an account that is no issuer's, is refused as a whole.
    """
    from activities.bank.importing import import_file
    from billing.approval_policy import Channel
    from billing.errors import Refused

    by, at, ledger = context.person(who), context.now(), context.ledger()
    made: list[tuple[Path, Imported]] = []
    refused: list[str] = []
    for file in files:
        try:
            with file.open("rb") as opened:
                found = import_file(ledger, opened, file_name=file.name, by=by, channel=Channel.CLI, at=at)
        except (Refused, OSError) as error:
            refused.append(f"{file}: {error}")
            continue
        made += [(file, each) for each in found]
    if as_json:
        output.document({"statements": [_imported(file, each) for file, each in made], "refused": refused})
    else:
        for file, each in made:
            _tell(file, each)
    if refused:
        raise Failure("\n".join(refused))


def _imported(file: Path, made: Imported) -> dict[str, Any]:
    return {
        "file": str(file),
        "id": made.id,
        "account": made.account,
        "statement": made.statement,
        "currency": made.currency,
        "until": made.until.isoformat(),
        "new": made.new,
        "entries": made.entries,
        "known": made.known,
        "outcomes": dict(sorted(made.outcomes.items())),
        "problems": list(made.problems),
    }


def _tell(file: Path, made: Imported) -> None:
    zone = ZoneInfo(context.company().issuers[0].zone)
    name = f"Statement {made.statement} of {made.account} ({made.currency})"
    if made.entries and made.known == made.entries:
        output.say(f"{name}: known already. Nothing was changed.")
    else:
        output.say(
            f"{name}, until {output.moment(made.until, zone)}: {output.plural(made.entries, 'entry', 'entries')}."
        )
    counted = dict(sorted(made.outcomes.items()))
    if made.known and made.known < made.entries:
        counted["known from another statement"] = made.known
    for outcome, count in counted.items():
        output.say(f"  {count:>6,}  {outcome}")
    for problem in made.problems:
        output.say(f"  Look: {problem}.")
    output.hint(f"billow bank show {made.id}   # of {file.name}")
    if made.outcomes.get("unmatched"):
        output.hint("billow inbox   # payments that match no invoice")


@click.group("bank", invoke_without_command=True, short_help="Bank statements, and what became of each entry")
@click.option("--account", type=Text(), metavar="IBAN", help="Only those of this account.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@json_option
@click.pass_context
def bank(ctx: click.Context, account: str | None, limit: int, as_json: bool) -> None:
    """List bank statements that were imported, the newest first, and what became of their entries."""
    if ctx.invoked_subcommand is None:
        _list(account, limit, as_json)


def _list(account: str | None, limit: int, as_json: bool) -> None:
    from activities.ledger import bank_statements

    with context.ledger().transaction() as tx:
        found = bank_statements.listed(tx, account=account, limit=limit + 1)
        counted = bank_statements.outcomes(tx, [each.id for each in found])
    shown, more = found[:limit], len(found) > limit
    if as_json:
        plain = [_statement(each, counted[each.id]) for each in shown]
        output.document({"statements": plain, "more": more})
        return
    if not shown:
        output.say(
            f"No statement of {account} was imported." if account else "No bank statement was imported."
        )
        output.hint("billow import-statement FILE --as WHO   # camt.053")
        return
    zone = ZoneInfo(context.company().issuers[0].zone)
    for each in shown:
        _print_statement(each, counted[each.id], zone)
    if more:
        output.hint(f"There are more than these {limit:,}; see them with --limit {min(limit * 10, 10_000)}")


def _statement(row: BankStatementRow, counted: dict[str, int]) -> dict[str, Any]:
    from billing.money import rounded

    def figure(amount: Any) -> str | None:
        return None if amount is None else str(rounded(amount, row.currency))

    return {
        "id": row.id,
        "issuer": row.issuer,
        "account": row.account,
        "currency": row.currency,
        "statement": row.statement,
        "version": row.version,
        "until": row.until.isoformat(),
        "opening": figure(row.opening),
        "closing": figure(row.closing),
        "entries": row.entries,
        "outcomes": counted,
        "problems": [each["said"] for each in row.problems],
        "file": row.file_name,
        "sha256": row.file,
        "imported_at": row.imported_at.isoformat(),
        "imported_by": row.imported_by,
        "complete": row.read_at is not None,
    }


def _print_statement(row: BankStatementRow, counted: dict[str, int], zone: ZoneInfo) -> None:
    from rich.padding import Padding
    from rich.table import Table

    out = output.console()
    head = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    head.add_column(ratio=1, overflow="fold")
    head.add_column(justify="right", no_wrap=True)
    closing = output.money(_rounded(row.closing, row.currency), row.currency)
    head.add_row(output.styled(f"{row.id}  {row.account} · {row.statement}", "bold"), output.styled(closing))
    out.print(head)
    said = ", ".join(f"{count:,} {outcome}" for outcome, count in counted.items()) or "no entries"
    lines = [(f"until {output.moment(row.until, zone)} · {said}", "dim")]
    if row.read_at is None:
        lines.append(("not imported to its end; import the file again", "red"))
    lines += [(each["said"], "yellow") for each in row.problems]
    for text, style in lines:
        out.print(Padding(output.styled(text, style), (0, 0, 0, 4)), overflow="fold")


def _rounded(amount: Any, currency: str) -> Any:
    from billing.money import rounded

    return None if amount is None else rounded(amount, currency)


@bank.command("show", short_help="The entries of one statement, and what became of each")
@click.argument("statement", type=click.IntRange(1), metavar="STATEMENT")
@click.option("--outcome", type=click.Choice(_OUTCOMES), help="Only those of this outcome.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=200, show_default=True)
@json_option
def show(statement: int, outcome: str | None, limit: int, as_json: bool) -> None:
    """The entries of one statement in its order. STATEMENT is its number in `billow bank`."""
    from activities.ledger import bank_statements

    with context.ledger().transaction() as tx:
        row = bank_statements.find(tx, statement)
        counted = bank_statements.outcomes(tx, [row.id])[row.id]
        found = bank_statements.entries(tx, statement=row.id, outcome=outcome, limit=limit + 1)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        entries = [_entry(each) for each in shown]
        output.document(_statement(row, counted) | {"entries_shown": entries, "more": more})
        return
    zone = ZoneInfo(context.company().issuers[0].zone)
    _print_statement(row, counted, zone)
    for each in shown:
        _print_entry(each)
    if more:
        output.hint(f"There are more than these {limit:,}; see them with --limit {min(limit * 10, 100_000)}")


@bank.command("entries", short_help="Entries of all statements, by what became of them")
@click.option("--outcome", type=click.Choice(_OUTCOMES), help="Only those of this outcome.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@json_option
def entries(outcome: str | None, limit: int, as_json: bool) -> None:
    """Entries of all statements, the newest first."""
    from activities.ledger import bank_statements

    with context.ledger().transaction() as tx:
        found = bank_statements.entries(tx, outcome=outcome, limit=limit + 1)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        output.document({"entries": [_entry(each) for each in shown], "more": more})
        return
    if not shown:
        output.say(f"No entry came to: {outcome}." if outcome else "No bank statement was imported.")
        return
    for each in shown:
        _print_entry(each)
    if more:
        output.hint(f"There are more than these {limit:,}; see them with --limit {min(limit * 10, 100_000)}")


def _entry(row: BankEntryRow) -> dict[str, Any]:
    return {
        "statement": row.statement,
        "position": row.position,
        "amount": str(_rounded(row.amount, row.currency)),
        "currency": row.currency,
        "booked_on": row.booked_on.isoformat(),
        "valued_on": row.valued_on.isoformat() if row.valued_on else None,
        "code": row.code,
        "counterparty": row.counterparty,
        "counterparty_account": row.counterparty_account,
        "end_to_end_id": row.end_to_end_id,
        "reference": row.structured_reference,
        "text": row.remittance,
        "outcome": row.outcome,
        "because": row.because,
        "payment": row.unmatched,
        "client": row.client,
    }


def _print_entry(row: BankEntryRow) -> None:
    from rich.padding import Padding
    from rich.table import Table

    out = output.console()
    head = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    head.add_column(ratio=1, overflow="fold")
    head.add_column(justify="right", no_wrap=True)
    who = row.counterparty or row.counterparty_account or "unknown"
    money = output.money(_rounded(row.amount, row.currency), row.currency)
    head.add_row(output.styled(f"{row.position}  {output.day(row.booked_on)}  {who}"), output.styled(money))
    out.print(head)
    text = " ".join(filter(None, (row.structured_reference, row.remittance.replace("\n", " "))))
    why = f"{row.outcome}: {row.because}" if row.because else row.outcome
    lines = [(text, "dim")] if text else []
    lines.append(
        (why + (f" (payment {row.unmatched})" if row.unmatched else ""), _STYLES.get(row.outcome, ""))
    )
    for line, style in lines:
        out.print(Padding(output.styled(line, style), (0, 0, 0, 4)), overflow="fold")


COMMANDS = [import_statement, bank]
