"""`make bench`: what is measured, a section each."""

from __future__ import annotations

import json
import sys

import click

from benchmarks import documents, life, money, pages

SECTIONS = ("money", "documents", "life", "pages")


@click.command()
@click.option("--invoices", default=money.INVOICES, show_default=True, type=click.IntRange(min=1))
@click.option("--renders", default=documents.RENDERS, show_default=True, type=click.IntRange(min=1))
@click.option("--among", default=pages.INVOICES, show_default=True, type=click.IntRange(min=1000))
@click.option(
    "--ending", "endings", multiple=True, type=click.Choice(list(life.ENDINGS)), help="Of life, only these."
)
@click.option("--json", "as_json", is_flag=True, help="Of life, one JSON document.")
@click.argument("only", type=click.Choice(SECTIONS), required=False)
def main(
    invoices: int, renders: int, among: int, endings: tuple[str, ...], as_json: bool, only: str | None
) -> None:
    """Measures how fast invoices are computed, rendered and validated, what their lives cost, and how fast pages
    are shown, on this machine. Exit code 1 if a life or a page is over its budget."""
    if (endings or as_json) and only != "life":
        raise click.UsageError("--ending and --json are of life: python -m benchmarks life --json")
    over = False
    if only in (None, "money"):
        click.echo(str(money.measure(invoices)))
    if only in (None, "documents"):
        click.echo(f"\n{documents.measure(renders=renders)}")
    if only in (None, "life"):
        lives = life.measure(endings)
        click.echo(json.dumps(lives.as_data, indent=2) if as_json else f"\n{lives}")
        over = bool(lives.failed)
    if only in (None, "pages"):
        shown = pages.measure(among)
        click.echo(f"\n{shown}")
        over = over or bool(shown.over)
    if over:
        sys.exit(1)


main()
