"""A group of commands whose modules are loaded one at a time: `billow --help` loads none."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NamedTuple

import click

from starter.cli import output
from starter.cli.failures import told

_DEBUG = "billow.debug"


class Entry(NamedTuple):
    """A command: its name, its module here (which lists it in COMMANDS), and its one line of help."""

    name: str
    module: str
    line: str


class CommandTable(click.Group):
    """Commands by section, in the order of the table; whatever one raises ends as one line and exit code."""

    def __init__(self, *, table: Mapping[str, Sequence[Entry]], **settings: Any) -> None:
        super().__init__(**settings)
        self.table = table
        self._entries = {entry.name: entry for entries in table.values() for entry in entries}

    def __call__(self, *args: Any, **settings: Any) -> Any:
        """The whole process: it ends with the command's exit code, whatever threads still hold on to Python.

        Threads of Temporal's client that let go of the interpreter while it is taken down abort the process
        (temporalio/sdk-python#300), which makes a failure of a command that has done its work. So the last of the exit
        handlers, that is the first to register, ends the process before the interpreter is taken down.
        """
        code: list[int] = [1]
        atexit.register(_end, code)
        try:
            return super().__call__(*args, **settings)
        except SystemExit as end:
            code[0] = end.code if isinstance(end.code, int) else int(end.code is not None)
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        commands: Sequence[click.Command] = import_module(f"starter.cli.{entry.module}").COMMANDS
        return next((command for command in commands if command.name == cmd_name), None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self._entries and not args[0].startswith("-"):
            raise click.exceptions.NoSuchCommand(args[0], possibilities=list(self._entries), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        width = max(map(len, self._entries))
        for section, entries in self.table.items():
            with formatter.section(section):
                formatter.write_dl([(f"{entry.name:<{width}}", entry.line) for entry in entries])

    def invoke(self, ctx: click.Context) -> Any:
        output.make_ready()
        with told(debug=ctx.meta.get(_DEBUG, False)):
            return super().invoke(ctx)


def _end(code: Sequence[int]) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code[0])


def remember_debug(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Callback of the option `--debug`."""
    context.meta[_DEBUG] = wanted
