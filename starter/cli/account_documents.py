"""`billow statement`, `receipt`, `reminder-letter`: documents about a client's account, that are no invoices."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from starter.cli import context, output
from starter.cli.parameters import Day, Text, invoice_argument, json_option

if TYPE_CHECKING:
    from billing.receipt import Receipt
    from billing.reminder_letter import ReminderLetter
    from billing.statement_of_account import Account, StatementOfAccount

Command = TypeVar("Command", bound=Callable[..., Any])
_PARTIES = {"issuer", "buyer"}


def _file_options(command: Command) -> Command:
    """-o FILE and --force."""
    command = click.option("--force", is_flag=True, help="Write over a file that is there.")(command)
    return click.option(
        "-o",
        "--output",
        "target",
        type=click.Path(allow_dash=True),
        metavar="FILE",
        help="Write it as PDF: a file, a folder, or - for stdout.",
    )(command)


@click.command("statement", short_help="A client's account: what moved, what is open, how late")
@click.argument("client", type=Text(), metavar="CLIENT")
@click.option(
    "--from",
    "since",
    type=Day(),
    metavar="DAY",
    help="From this day.  [default: the first of the month, two months before]",
)
@click.option("--to", "until", type=Day(), metavar="DAY", help="Up to this day, included.  [default: today]")
@click.option("--issuer", type=Text(), metavar="ID", help="With this issuer.  [default: the client's]")
@_file_options
@json_option
def statement(
    client: str,
    since: date | None,
    until: date | None,
    issuer: str | None,
    target: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """A client's account between two days: what moved it, what is open at the end, how late that is.

    CLIENT is its id in clients.yaml. Days are those at the client; each currency is an account of its own.
    """
    from activities.invoicing import account_documents

    with context.ledger().transaction() as tx:
        found = account_documents.statement_of_account(tx, client, since, until, context.now(), issuer)
        look = account_documents.look_now(tx, found.issuer)

    def rendered() -> bytes:
        from activities.documents.statement_of_account import render_statement_of_account

        return render_statement_of_account(found, look)

    written = _written(target, f"statement-{client}-{found.until}", rendered, force=force, as_json=as_json)
    if as_json:
        accounts = [
            {
                **each.model_dump(mode="json"),
                "ageing": {name: str(amount) for name, amount in each.ageing.items()},
                "late": str(each.late),
            }
            for each in found.accounts
        ]
        output.document({**_data(found), "client": client, "accounts": accounts, "file": written})
    elif target != "-":
        _print_statement(found)
        _say_written(written)


@click.command("receipt", short_help="Confirm what was paid for an invoice")
@invoice_argument
@_file_options
@json_option
def receipt(invoice: str, target: str | None, force: bool, as_json: bool) -> None:
    """What was paid for an invoice, and what of it is open; INVOICE is its number or its billing key."""
    from activities.invoicing import account_documents
    from activities.ledger import invoices

    with context.ledger().transaction() as tx:
        found = account_documents.receipt(tx, invoices.find(tx, invoice), context.now())
        look = account_documents.look_now(tx, found.issuer)

    def rendered() -> bytes:
        from activities.documents.receipt import render_receipt

        return render_receipt(found, look)

    written = _written(target, f"receipt-{found.number}", rendered, force=force, as_json=as_json)
    if as_json:
        sums = {
            "received": str(found.received.amount),
            "waived": str(found.waived),
            "open": str(found.open.amount),
        }
        output.document({**_data(found), **sums, "file": written})
    elif target != "-":
        _print_receipt(found)
        _say_written(written)


@click.command("reminder-letter", short_help="A reminder of an invoice, as a letter")
@invoice_argument
@click.option(
    "--level",
    type=click.IntRange(0, 99),
    metavar="N",
    help="0 is the note before the due date.  [default: the last one sent, else what fits]",
)
@_file_options
@json_option
def reminder_letter(invoice: str, level: int | None, target: str | None, force: bool, as_json: bool) -> None:
    """A reminder as a letter to print; INVOICE is a number or a billing key. Nothing is sent or recorded by it.

    It tells what is open now, and the interest where the dunning policy has reminders tell it.
    """
    from activities.invoicing import account_documents
    from activities.ledger import invoices

    with context.ledger().transaction() as tx:
        found = account_documents.reminder_letter(tx, invoices.find(tx, invoice), level, context.now())
        look = account_documents.look_now(tx, found.issuer)

    def rendered() -> bytes:
        from activities.documents.reminder_letter import render_reminder_letter

        return render_reminder_letter(found, look)

    name = f"reminder-{found.level}-{found.invoices[0].number}"
    written = _written(target, name, rendered, force=force, as_json=as_json)
    if as_json:
        output.document({**_data(found), "file": written})
    elif target != "-":
        _print_reminder(found)
        _say_written(written)


COMMANDS = [statement, receipt, reminder_letter]


def _written(
    target: str | None, name: str, rendered: Callable[[], bytes], *, force: bool, as_json: bool
) -> str | None:
    """Writes the PDF if it is asked for, and returns where."""
    from starter.cli.documents import write_file

    if target is None:
        return None
    if target == "-":
        if as_json:
            raise click.UsageError("--json and -o - would both write to stdout; give one of them.")
        if sys.stdout.isatty():
            raise click.UsageError("a PDF would garble the terminal; write it to a file, or into a pipe.")
        sys.stdout.buffer.write(rendered())
        return None
    file_name = name.replace("/", "-").replace("\\", "-") + ".pdf"
    path = Path(target) / file_name if Path(target).is_dir() else Path(target)
    write_file(path, rendered(), force=force)
    return str(path)


def _say_written(path: str | None) -> None:
    if path:
        output.say(f"{path} written.")


def _data(found: StatementOfAccount | Receipt | ReminderLetter) -> dict[str, Any]:
    return {"issuer": found.issuer.id, **found.model_dump(mode="json", exclude=_PARTIES)}


def _print_statement(found: StatementOfAccount) -> None:
    days = f"{output.day(found.since)} to {output.day(found.until)}"
    output.say(f"{found.client_name}, account with {found.issuer.name}, {days}")
    if not found.accounts:
        output.say("Nothing moved, and nothing is open.")
    for account in found.accounts:
        _print_account(account, found)


def _print_account(account: Account, found: StatementOfAccount) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("DAY", "WHAT"):
        table.add_column(name, overflow="fold")
    for name in (f"AMOUNT {account.currency}", "BALANCE"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row(output.day(found.since), "brought forward", "", f"{account.brought_forward:,}")
    for entry in account.entries:
        what = output.styled(f"{entry.kind} {entry.number}")
        table.add_row(output.day(entry.on), what, f"{entry.amount:,}", f"{entry.balance:,}")
    output.say("")
    output.console().print(table)
    if not account.items:
        output.say(f"Nothing is open in {account.currency}.")
        return
    items = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    items.add_column("OPEN ITEM", overflow="fold")
    items.add_column("DUE")
    for name in ("DAYS LATE", f"OPEN {account.currency}"):
        items.add_column(name, justify="right", no_wrap=True)
    for item in account.items:
        late = output.styled(str(item.days_late or "–"), "red" if item.days_late else "")
        items.add_row(output.styled(item.number), output.day(item.due_date), late, f"{item.open:,}")
    output.say("")
    output.console().print(items)
    ageing = ", ".join(
        f"{name.replace('-', '–')}: {amount:,}" for name, amount in account.ageing.items() if amount
    )
    output.say(f"Balance {output.money(account.balance, account.currency)} ({ageing})")


def _print_receipt(found: Receipt) -> None:
    currency = found.due.currency
    output.say(f"{found.number}, {found.client_name}: {output.money(found.due.amount, currency)}")
    for each in found.movements:
        output.say(f"  {output.day(each.on)}  {each.kind}  {output.money(each.amount, currency)}")
    left = found.open.amount
    rest = (
        f"paid too much: {output.money(-left, currency)}"
        if left < 0
        else f"open: {output.money(left, currency)}"
    )
    output.say(f"Received: {output.money(found.received.amount, currency)}; {rest}")


def _print_reminder(found: ReminderLetter) -> None:
    what = f"Reminder {found.level}" if found.level else "Note before the due date"
    output.say(f"{what} to {found.client_name}, {output.day(found.day)}")
    for each in found.invoices:
        late = each.days_late(found.day)
        since = f"{output.plural(late, 'day')} late" if late else f"due {output.day(each.due_date)}"
        output.say(f"  {each.number}  {output.money(each.open.amount, each.open.currency)}  {since}")
    beside = [*found.interest, *found.compensation]
    if beside:
        output.say(f"Beside them, for late payment: {' + '.join(map(str, beside))}")
