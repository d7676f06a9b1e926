"""`billow invoices`, `show` and `timeline`: looking at invoices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from starter.cli import context, output
from starter.cli.parameters import Text, invoice_argument, json_option
from starter.cli.plain_text import plain

if TYPE_CHECKING:
    from rich.text import Text as RichText
    from sqlalchemy.orm import Session

    from activities.ledger.views import InvoiceSummary

_GAP = 2
_NARROWEST_CLIENT = 8


class StatusName(click.ParamType[str]):
    """A status of any axis, or open, late, waiting."""

    name = "status"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from activities.company.problems import did_you_mean
        from activities.ledger.views import STATUSES

        wanted = " ".join(str(value).lower().replace("-", " ").split())
        known = list(map(str, STATUSES))
        if wanted in known:
            return wanted
        meant = did_you_mean(wanted, known) or f"; it is one of: {', '.join(known)}"
        return self.fail(f"there is no status {value!r}{meant}", param, ctx)


@click.command("invoices", short_help="List invoices, newest first")
@click.option(
    "--status",
    type=StatusName(),
    metavar="STATUS",
    help="waiting (for a person), open, late, or a status: draft, awaiting-approval, issued, paid, …",
)
@click.option("--client", type=Text(), metavar="ID", help="Of this client only.")
@click.option("--search", type=Text(), metavar="TEXT", help="With this in number, key, client or title.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
def invoices(status: str | None, client: str | None, search: str | None, limit: int, as_json: bool) -> None:
    """List invoices, newest first."""
    from activities.ledger import views

    wanted = views.InvoiceFilter(status=status, client=client, text=search or "", limit=limit + 1)
    with context.ledger().transaction() as tx:
        found = views.invoices(tx, wanted, context.now())
        shown, more = found[:limit], len(found) > limit
        names = {} if as_json else _names(tx, shown)
    if as_json:
        output.document({"invoices": [each.model_dump(mode="json") for each in shown], "more": more})
        return
    if not shown:
        _none_found(filtered=bool(status or client or search), client=client)
        return
    _list(shown, names)
    if more:
        output.hint(f"There are more than these {limit:,}; see them with --limit {min(limit * 10, 10_000)}")


def _none_found(*, filtered: bool, client: str | None) -> None:
    if not filtered:
        output.say("There is no invoice yet.")
        output.hint("Make one: billow trigger --agreement ID")
        return
    output.say("No invoice matches.")
    known = [each.id for each in context.company().clients] if client else []
    if client and client not in known:
        from activities.company.problems import did_you_mean

        output.hint(f"There is no client {client!r}{did_you_mean(client, known)}")


def _list(found: list[InvoiceSummary], names: Mapping[str, str]) -> None:
    """One row an invoice; a billing key that does not fit stands on the line before, whole, to be copied."""
    from rich.table import Table

    clients = [names.get(each.client, each.client_name) for each in found]
    amounts = [output.money(each.gross, each.currency) for each in found]
    states = [state(each) for each in found]
    gross, situation = max(5, *map(len, amounts)), min(max(5, *map(len, states)), 18)
    room = output.console().width - gross - situation - 3 * _GAP
    longest = max(7, *(len(each.name) for each in found))
    client = min(max(6, *map(len, clients)), max(room - longest, 20), room - min(longest, 16))
    if client < _NARROWEST_CLIENT:
        client = 0
    name = min(longest, room - client if client else room + _GAP)

    def table(*, header: bool) -> Table:
        made = Table(
            box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim", show_header=header
        )
        made.add_column("INVOICE", no_wrap=True, width=name)
        if client:
            made.add_column("CLIENT", overflow="fold", width=client)
        made.add_column("GROSS", justify="right", no_wrap=True, width=gross)
        made.add_column("STATE", overflow="fold", width=situation)
        return made

    out, rows = output.console(), table(header=True)
    for each, whose, amount, situated in zip(found, clients, amounts, states, strict=True):
        head = output.styled(each.name, "bold" if each.number else "")
        if len(head) > name:
            if rows.show_header or rows.row_count:
                out.print(rows)
            out.print(head, soft_wrap=True)
            rows, head = table(header=False), output.styled("")
        rows.add_row(head, *([output.styled(whose)] if client else []), amount, situated)
    out.print(rows)


def _names(tx: Session, found: list[InvoiceSummary]) -> Mapping[str, str]:
    """The names, as last billed, of the clients that are only known by their id where they stand."""
    from sqlalchemy import select
    from sqlalchemy.dialects.postgresql import distinct_on

    from activities.ledger.tables import InvoiceRow

    unnamed = {each.client for each in found if each.client_name == each.client}
    if not unnamed:
        return {}
    query = (
        select(InvoiceRow.client, InvoiceRow.draft["buyer"]["name"].astext)
        .where(InvoiceRow.client.in_(unnamed), InvoiceRow.draft.is_not(None))
        .ext(distinct_on(InvoiceRow.client))
        .order_by(InvoiceRow.client, InvoiceRow.requested_at.desc())
    )
    return {client: name for client, name in tx.execute(query) if name}


def state(invoice: InvoiceSummary) -> RichText:
    """Where an invoice stands, in two or three words: the axis that matters most now."""
    if invoice.number is None:
        return output.status(invoice.document_status)
    if invoice.document_status == "credited" or invoice.payment_status in ("paid", "overpaid", "written off"):
        return output.status("credited" if invoice.document_status == "credited" else invoice.payment_status)
    if invoice.collection_status == "blocked":
        return output.styled("on hold", output.STYLES["blocked"])
    if invoice.collection_status in ("disputed", "promised", "handed over"):
        return output.status(invoice.collection_status)
    if invoice.document_status != "issued":
        return output.status(invoice.document_status)
    if invoice.late:
        days = output.plural(invoice.days_late, "day") + " " if invoice.days_late else ""
        return output.styled(f"{days}late", "red")
    return output.styled(f"due {output.day(invoice.due_date)}", "green")


@click.command("show", short_help="Everything about one invoice")
@invoice_argument
@click.option(
    "--generation", type=click.IntRange(1), metavar="N", help="An earlier draft with the same billing key."
)
@json_option
def show(invoice: str, generation: int | None, as_json: bool) -> None:
    """Everything about one invoice; INVOICE is its number or its billing key."""
    from activities.ledger import company_records, dealings, views
    from activities.ledger.tables import InvoiceRow

    with context.ledger().transaction() as tx:
        view = views.invoice(tx, invoice, context.now(), generation)
        company = company_records.current(tx).company
        dealt = dealings.of(tx, tx.get_one(InvoiceRow, view.id), company)
    if as_json:
        said = {
            name: [each.model_dump(mode="json") for each in found]
            for name, found in (
                ("parts", dealt.parts),
                ("promises", dealt.promises),
                ("given_up", dealt.given_up),
            )
        }
        output.document({**view.model_dump(mode="json"), **said, "plan_reason": dealt.plan_reason})
        return
    from starter.cli.card import print_card

    print_card(view, dealt, context.issuer_zone(view.issuer))


@click.command("timeline", short_help="What happened to an invoice, and who did it")
@invoice_argument
@click.option(
    "--generation", type=click.IntRange(1), metavar="N", help="An earlier draft with the same billing key."
)
@json_option
def timeline(invoice: str, generation: int | None, as_json: bool) -> None:
    """What happened to an invoice, and who did it; times are in the issuer's zone."""
    from activities.ledger import views

    with context.ledger().transaction() as tx:
        view = views.invoice(tx, invoice, context.now(), generation)
        entries = views.timeline(tx, view.billing_key, view.generation)
    if as_json:
        output.document(
            {"billing_key": view.billing_key, "events": [each.model_dump(mode="json") for each in entries]}
        )
        return
    from rich.padding import Padding

    zone, out = context.issuer_zone(view.issuer), output.console()
    out.print(
        output.styled(f"{view.name} · {view.client_name} · times in {zone.key}", "dim"), overflow="fold"
    )
    for each in entries:
        head = output.styled(f"{each.at.astimezone(zone):%Y-%m-%d %H:%M}  ", "dim")
        head.append(plain(each.event), "bold").append(f" · {plain(each.actor)}", "default")
        out.print(head, overflow="fold")
        if each.line:
            out.print(Padding(output.styled(each.line), (0, 0, 0, 18)), overflow="fold")


COMMANDS = [invoices, show, timeline]
