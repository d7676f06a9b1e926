"""`make bench`: what is measured, a section each."""

from __future__ import annotations

import sys

import click

from benchmarks import documents, money, pages

SECTIONS = ("money", "documents", "pages")


@click.command()
@click.option("--invoices", default=money.INVOICES, show_default=True, type=click.IntRange(min=1))
@click.option("--renders", default=documents.RENDERS, show_default=True, type=click.IntRange(min=1))
@click.option("--among", default=pages.INVOICES, show_default=True, type=click.IntRange(min=1000))
@click.argument("only", type=click.Choice(SECTIONS), required=False)
def main(invoices: int, renders: int, among: int, only: str | None) -> None:
    """Measures how fast invoices are computed, rendered and validated, and pages shown, on this machine."""
    if only in (None, "money"):
        click.echo(str(money.measure(invoices)))
    if only in (None, "documents"):
        click.echo(f"\n{documents.measure(renders=renders)}")
    if only in (None, "pages"):
        measured = pages.measure(among)
        click.echo(f"\n{measured}")
        if measured.over:
            sys.exit(1)


main()
