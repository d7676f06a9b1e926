"""`billow tax explain`: which tax a sale bears, why, by which article, from which facts of which records."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from billing.taxes.facts import ServiceKind
from starter.cli import context, output
from starter.cli.parameters import Day, Text, json_option

if TYPE_CHECKING:
    from rich.table import Table

    from billing.tax_explanation import Explanation

_MEANINGS = {
    "S": "charged",
    "AE": "reverse charge: the client is liable",
    "O": "outside the scope of the tax",
    "Z": "zero-rated",
    "E": "exempt",
    "G": "export, free of tax",
}


@click.group("tax")
def tax() -> None:
    """Which tax a sale bears, and why."""


@tax.command("explain")
@click.argument("invoice", type=Text(), required=False)
@click.option("--agreement", type=Text(), metavar="ID", help="Service under this agreement.")
@click.option("--client", type=Text(), metavar="ID", help="A sale to this client.")
@click.option("--issuer", type=Text(), metavar="ID", help="By this issuer.  [default: the client's]")
@click.option(
    "--service", type=click.Choice([each.value for each in ServiceKind]), help="[default: consulting]"
)
@click.option("--in", "performed_in", type=Text(), metavar="COUNTRY", help="Where it takes place, or online.")
@click.option("--on", "day", type=Day(), metavar="DAY", help="Day of the service.  [default: today]")
@json_option
def explain(
    invoice: str | None,
    agreement: str | None,
    client: str | None,
    issuer: str | None,
    service: str | None,
    performed_in: str | None,
    day: date | None,
    as_json: bool,
) -> None:
    """Which tax a sale bears and why: of INVOICE (number or billing key), an agreement, or a client.

    Decided afresh from what the records say now; an invoice that is issued keeps the tax that stands on it.
    """
    if sum(each is not None for each in (invoice, agreement, client)) != 1:
        raise click.UsageError("name one of: INVOICE, --agreement ID, --client ID")
    if client is None and (issuer or service or performed_in):
        raise click.UsageError("--issuer, --service and --in go with --client; agreements say theirs")
    if invoice is not None and day is not None:
        raise click.UsageError("--on goes with --agreement or --client; an invoice has its own days")
    from activities.invoicing import taxing
    from activities.ledger import invoices
    from billing.sales import Question

    when = day or context.now().date()
    with context.ledger().transaction() as tx:
        if invoice is not None:
            found = taxing.of_invoice(tx, invoices.find(tx, invoice), when)
        elif agreement is not None:
            found = taxing.of_agreement(tx, agreement, when)
        else:
            question = Question(client or "", ServiceKind(service or "consulting"), performed_in or "")
            found = taxing.of_question(tx, question, issuer, when)
    if as_json:
        output.document(found.model_dump(mode="json"))
        return
    _print(found)


COMMANDS = [tax]


def _print(found: Explanation) -> None:
    from rich.rule import Rule

    out = output.console()
    out.print(output.styled("; ".join(_taxes(found)), "bold" if found.known else "bold red"))
    out.print(Rule(style="dim"))
    told = _grid()
    for name, value in _reasons(found):
        told.add_row(output.styled(name, "dim"), output.styled(value))
    out.print(told)
    out.print()
    out.print(output.styled("From these facts", "bold"))
    facts = _grid(3)
    for fact in found.facts:
        shown = output.styled(fact.value) if fact.value else output.styled("missing", "yellow")
        facts.add_row(output.styled(fact.name, "dim"), shown, output.styled(fact.origin, "dim"))
    out.print(facts)


def _taxes(found: Explanation) -> list[str]:
    if not found.known:
        return ["Stops for a person"]
    told = []
    for each in found.taxes:
        part = f" of {each.share.normalize():f} % of the net" if each.share != 100 else ""
        rate = f" {each.rate.normalize():f} %{part}" if each.category == "S" else ""
        told.append(f"{each.name}{rate} ({each.category}): {_MEANINGS.get(each.category, '')}")
    return told


def _reasons(found: Explanation) -> list[tuple[str, str]]:
    rule = found.rule
    days = f" (from {rule.since}{f' to {rule.until}' if rule.until else ''})" if rule else ""
    rows = [
        ("Why", found.why),
        ("Missing", "" if found.known else found.missing),
        ("What to do", found.next_step),
        ("Article", found.article),
        ("Taxable in", found.jurisdiction),
        ("On paper", found.note),
        ("Rule", f"{rule.id}{days}: {rule.reason}" if rule else ""),
        ("Sources", "; ".join(found.sources)),
        ("Tax point", f"{found.tax_point}: {found.tax_point_article}"),
    ]
    return [(name, value) for name, value in rows if value]


def _grid(columns: int = 2) -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    for _ in range(columns - 1):
        table.add_column(overflow="fold")
    return table
