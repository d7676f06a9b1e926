"""`make bench`: what is measured, a section each."""

from __future__ import annotations

import click

from benchmarks import documents, money

SECTIONS = ("money", "documents")


@click.command()
@click.option("--invoices", default=money.INVOICES, show_default=True, type=click.IntRange(min=1))
@click.option("--renders", default=documents.RENDERS, show_default=True, type=click.IntRange(min=1))
@click.option("--only", type=click.Choice(SECTIONS), help="One section.")
def main(invoices: int, renders: int, only: str | None) -> None:
    """Measures how fast invoices are computed, rendered and validated on this machine."""
    if only in (None, "money"):
        click.echo(str(money.measure(invoices)))
    if only in (None, "documents"):
        click.echo(f"\n{documents.measure(renders=renders)}")


main()
