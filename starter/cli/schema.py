"""`billow schema`: the files of a company folder as JSON Schema, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from billing.errors import Refused
from starter.cli import output
from starter.cli.parameters import Text


@click.command(short_help="JSON Schema of the company's files, for editors")
@click.argument("file", type=Text(), required=False, metavar="[FILE]")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write those of every file into a folder.",
)
def schema(file: str | None, folder: Path | None) -> None:
    """Print the JSON Schema of a file such as clients.yaml, or write those of all files with -o.

    An editor finds it by a first line: # yaml-language-server: $schema=DIR/clients.schema.json
    """
    from activities.company.schemas import SHAPES, name_of, schema_of

    if (file is None) == (folder is None):
        raise click.UsageError(f"Give either FILE or -o DIR. Files: {', '.join(SHAPES)}.")
    if folder is None:
        click.echo(_text(schema_of(file or "")), nl=False)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in SHAPES:
            (folder / name_of(each)).write_text(_text(schema_of(each)), encoding="utf-8")
    except OSError as error:
        raise Refused(f"{folder} cannot be written: {error.strerror}") from error
    output.say(f"{len(SHAPES)} schemas are in {folder}.")


def _text(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


COMMANDS = [schema]
