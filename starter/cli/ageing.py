"""`billow ageing`: what is owed, by currency and by how late it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from starter.cli import context, output
from starter.cli.parameters import Text, json_option

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
"""Days since the due date."""


@click.command("ageing", short_help="What is owed, and how late it is")
@click.option("--client", type=Text(), metavar="ID", help="Of this client only.")
@json_option
def ageing(client: str | None, as_json: bool) -> None:
    """What is owed, by currency and by how many days late it is; current includes the due date."""
    at = context.now()
    with context.ledger().transaction() as tx:
        owed = _owed(tx, client, at)
    if as_json:
        output.document({"as_of": at.isoformat(), "buckets": BUCKETS, "currencies": owed})
        return
    if not owed:
        output.say("Nothing is owed: every issued invoice is settled, or none is issued yet.")
        return
    for number, (currency, buckets) in enumerate(owed.items()):
        if number:
            output.say("")
        _print(currency, buckets)


def _owed(tx: Session, client: str | None, at: datetime) -> dict[str, dict[str, dict[str, Any]]]:
    """For each currency and bucket, and for all together: how many invoices, and what is open."""
    from sqlalchemy import case, func, select

    from activities.ledger.tables import InvoiceRow
    from billing.money import rounded
    from billing.status import DocumentStatus, PaymentStatus

    bucket = case(
        (InvoiceRow.late_from > at, BUCKETS[0]),
        *[(InvoiceRow.late_from > at - timedelta(days=30 * n), BUCKETS[n]) for n in (1, 2, 3)],
        else_=BUCKETS[4],
    )
    query = (
        select(InvoiceRow.currency, bucket, func.count(), func.sum(InvoiceRow.open_amount))
        .where(
            InvoiceRow.number.is_not(None),
            InvoiceRow.document_status.in_([DocumentStatus.ISSUED, DocumentStatus.DOCUMENT_PENDING]),
            InvoiceRow.payment_status.in_([PaymentStatus.UNPAID, PaymentStatus.PARTLY_PAID]),
        )
        .group_by(InvoiceRow.currency, bucket)
        .order_by(InvoiceRow.currency)
    )
    if client is not None:
        query = query.where(InvoiceRow.client == client)
    found: dict[str, dict[str, tuple[int, Decimal]]] = {}
    for currency, name, count, amount in tx.execute(query):
        found.setdefault(currency, {})[name] = (count, rounded(amount, currency))
    return {currency: _filled(buckets, currency) for currency, buckets in found.items()}


def _filled(found: dict[str, tuple[int, Decimal]], currency: str) -> dict[str, dict[str, Any]]:
    from billing.money import Money

    nothing = (0, Money.zero(currency).amount)
    whole = {name: found.get(name, nothing) for name in BUCKETS}
    whole["all"] = (
        sum(count for count, _ in found.values()),
        sum((each for _, each in found.values()), nothing[1]),
    )
    return {name: {"invoices": count, "open": str(amount)} for name, (count, amount) in whole.items()}


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
