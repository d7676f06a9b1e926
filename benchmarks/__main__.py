"""`make bench`: what is measured, one line each."""

from __future__ import annotations

import click

from benchmarks import money


@click.command()
@click.option("--invoices", default=money.INVOICES, show_default=True, type=click.IntRange(min=1))
def main(invoices: int) -> None:
    """Measures how fast invoices are computed on this machine."""
    click.echo(str(money.measure(invoices)))


main()
