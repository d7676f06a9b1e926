"""`billow credit`: what was issued wrongly is taken back with a credit note."""

from __future__ import annotations

import hashlib
import re
import shlex
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from starter.cli import context, output
from starter.cli.parameters import Amount, Text, as_option, invoice_argument, json_option

if TYPE_CHECKING:
    from activities.ledger.crediting import Asked
    from activities.ledger.views import InvoiceView
    from billing.credit_note import CreditedLine, Selection
    from billing.draft import Draft

_LINE = re.compile(r"([1-9][0-9]{0,4})(?::(-?[0-9]{1,12}(?:\.[0-9]{1,4})?)(x?))?")


class Line(click.ParamType["CreditedLine"]):
    """A line by its position: all that is left of it, so much of its net, or so much of its quantity."""

    name = "line"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> CreditedLine:
        from billing.credit_note import CreditedLine

        found = _LINE.fullmatch(str(value).strip())
        figure = Decimal(found[2]) if found and found[2] else None
        if found is None or figure == 0 or (found[3] and figure is not None and figure < 0):
            self.fail(
                f"{value!r} is no line; write 2 for all of line 2, 2:150.00 for so much of its net, "
                "2:1.5x for so much of its quantity",
                param,
                ctx,
            )
        if found[3]:
            return CreditedLine(position=int(found[1]), quantity=figure)
        return CreditedLine(position=int(found[1]), net=figure)


@click.command("credit", short_help="Credit an issued invoice, in whole or in part")
@invoice_argument
@click.option(
    "--line",
    "lines",
    type=Line(),
    multiple=True,
    metavar="LINE",
    help="2, or 2:150.00 of its net, or 2:1.5x of its quantity; may be repeated.",
)
@click.option("--amount", type=Amount(), help="An amount with tax instead of lines.")
@click.option(
    "--reason", type=Text(), required=True, metavar="TEXT", help="Stands on it, so in the client's language."
)
@click.option("--dry-run", is_flag=True, help="Show what it would say, and change nothing.")
@click.option(
    "--bill-again", is_flag=True, help="What lines credited in full bill may be billed anew; else never."
)
@click.option("--dispute-goes-on", is_flag=True, help="It does not decide the dispute.")
@click.option(
    "--key", type=Text(), metavar="KEY", help="Identity of it; else invoice, content and reason are."
)
@as_option(required=True)
@json_option
def credit(
    invoice: str,
    lines: tuple[CreditedLine, ...],
    amount: Decimal | None,
    reason: str,
    dry_run: bool,
    bill_again: bool,
    dispute_goes_on: bool,
    key: str | None,
    who: str,
    as_json: bool,
) -> None:
    """Credit an issued invoice: all that is left of it, lines of it, or an amount with tax.

    The credit note gets its number at once, is made and mailed to the client, and decides a dispute. Above what the
    company lets one credit alone, another person must agree first. The same again is the same credit note.
    """
    from activities.ledger import credit_commands, views
    from billing.approval_policy import Channel

    selection = _selection(lines, amount)
    ledger, at = context.ledger(), context.now()
    if dry_run:
        number, draft = credit_commands.preview(ledger, invoice, selection=selection, reason=reason)
        _show(number, draft, as_json=as_json)
        return
    by = context.person(who)
    asked = credit_commands.credit(
        ledger,
        invoice,
        selection=selection,
        reason=reason,
        key=key or _key(invoice, selection, reason),
        bill_again=bill_again,
        dispute_goes_on=dispute_goes_on,
        by=by,
        channel=Channel.CLI,
        at=at,
    )
    with ledger.transaction() as tx:
        view = views.invoice(tx, invoice, at)
    if as_json:
        output.document(_document(asked, view))
    else:
        _tell(asked, view)


def _selection(lines: tuple[CreditedLine, ...], amount: Decimal | None) -> Selection:
    from billing.credit_note import Selection

    if lines and amount is not None:
        raise click.UsageError("give either --line or --amount; with neither, all that is left is credited.")
    if amount is not None and amount <= 0:
        raise click.UsageError("--amount is more than nothing.")
    if len({each.position for each in lines}) < len(lines):
        raise click.UsageError("name each --line once.")
    return Selection(lines=lines, gross=amount)


def _key(invoice: str, selection: Selection, reason: str) -> str:
    """The same content for the same reason is the same credit note."""
    content = hashlib.sha256(f"{selection.model_dump_json()}\n{reason}".encode()).hexdigest()[:12]
    return f"cli/{invoice}/{content}"


def _show(number: str, draft: Draft, *, as_json: bool) -> None:
    if as_json:
        said = draft.model_dump(mode="json", include={"lines", "allowances", "charges", "taxes", "note"})
        sums = {each: str(getattr(draft, each)) for each in ("net", "tax", "gross", "rounding", "due")}
        output.document({"invoice": number, "currency": draft.currency, **sums, **said})
        return
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for line in draft.lines:
        table.add_row(output.styled(line.description), f"{line.net:,}")
    for off in draft.allowances:
        table.add_row(output.styled(off.reason or "Allowance"), f"{-off.amount:,}")
    for on in draft.charges:
        table.add_row(output.styled(on.reason or "Charge"), f"{on.amount:,}")
    for tax in draft.taxes:
        table.add_row(output.styled(f"{tax.name} {tax.rate.normalize():f} %"), f"{tax.tax:,}")
    if draft.rounding:
        table.add_row("Rounding", f"{draft.rounding:,}")
    output.say(f"The credit note for {number} would be over {output.money(draft.due, draft.currency)}:")
    output.console().print(table)
    output.say("Nothing was changed.")


def _document(asked: Asked, view: InvoiceView) -> dict[str, Any]:
    from billing.money import rounded

    note, waits = asked.note, asked.waits
    return {
        "new": asked.new,
        "invoice": view.number,
        "status": "issued" if note else "asked",
        "number": note.number if note else None,
        "item": waits.id if waits else None,
        "gross": str(rounded(note.gross, note.currency)) if note else str(waits.amount) if waits else "",
        "currency": view.currency,
        "open": str(view.open),
        "document_status": view.document_status,
        "payment_status": view.payment_status,
    }


def _tell(asked: Asked, view: InvoiceView) -> None:
    from billing.money import rounded

    name = shlex.quote(view.name)
    if asked.note is None:
        if asked.waits is not None:
            amount = output.money(asked.waits.amount, asked.waits.currency)
            before = "" if asked.new else " already"
            output.say(
                f"Asked for{before}: a credit note over {amount} for {view.number}, no. {asked.waits.id}."
            )
            output.say("Another person must agree before it is issued.")
            output.hint(f"billow agree {asked.waits.id} --as WHO")
        return
    note = asked.note
    amount = output.money(rounded(note.gross, note.currency), note.currency)
    if not asked.new:
        output.say(f"Credited already: {note.number} over {amount}. Nothing was changed.")
        output.hint("Another credit note with the same content needs a --key of its own.")
        return
    output.say(
        f"Issued credit note {note.number} over {amount} for {view.number}; it is made and mailed now."
    )
    owed = view.open or Decimal(0)
    if owed < 0:
        output.say(f"{output.money(-owed, view.currency)} are paid too much now: refund or use them.")
        output.hint(f"billow refund {name} --reason … --as WHO")
    else:
        output.say(f"{output.money(owed, view.currency)} of {view.number} are open.")
    output.hint(f"billow show {name}")


COMMANDS = [credit]
