"""`billow ageing`: what is owed, by currency and by how late it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import click

from starter.cli import context, output
from starter.cli.parameters import Text, json_option


@click.command("ageing", short_help="What is owed, and how late it is")
@click.option("--client", type=Text(), metavar="ID", help="Of this client only.")
@json_option
def ageing(client: str | None, as_json: bool) -> None:
    """What is owed, by currency and by how many days late it is; current includes the due date."""
    from activities.ledger import ageing as read_model

    at = context.now()
    with context.ledger().transaction() as tx:
        found = read_model.owed(tx, client, at)
    owed = {
        currency: {name: each.model_dump(mode="json") for name, each in buckets.items()}
        for currency, buckets in found.items()
    }
    if as_json:
        output.document({"as_of": at.isoformat(), "buckets": read_model.BUCKETS, "currencies": owed})
        return
    if not owed:
        output.say("Nothing is owed: every issued invoice is settled, or none is issued yet.")
        return
    for number, (currency, buckets) in enumerate(owed.items()):
        if number:
            output.say("")
        _print(currency, buckets)


def _print(currency: str, buckets: dict[str, dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("DAYS LATE")
    table.add_column("INVOICES", justify="right")
    table.add_column(f"OPEN {currency}", justify="right")
    table.add_column("SHARE", justify="right")
    all_open = Decimal(buckets["all"]["open"])
    for name, bucket in buckets.items():
        share = Decimal(bucket["open"]) / all_open * 100 if all_open else Decimal(0)
        style = (
            "bold" if name == "all" else "dim" if not bucket["invoices"] else "red" if name == "90+" else ""
        )
        table.add_row(
            output.styled(name.replace("-", "–"), style),
            output.styled(f"{bucket['invoices']:,}", style),
            output.styled(f"{Decimal(bucket['open']):,}", style),
            output.styled(f"{share:.0f} %", style),
        )
    output.console().print(table)


COMMANDS = [ageing]
