"""How a command fails: one line on stderr that says what to do next, and an exit code. Never a traceback."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

from billing.errors import BillowError
from starter.cli.plain_text import plain
from workers.settings import NotConfigured

REFUSED, WRONG_USAGE, STOPPED, FAULT = 1, 2, 130, 70


class Failure(click.ClickException):
    """Ends the command with a message on stderr and exit code 1."""

    exit_code = REFUSED

    def __init__(self, message: str) -> None:
        super().__init__(plain(message, lines=True))


class WrongUsage(Failure):
    """The command, or the environment it runs in, must be put right first."""

    exit_code = WRONG_USAGE


class Fault(Failure):
    """The program itself is wrong."""

    exit_code = FAULT


@contextmanager
def told(*, debug: bool) -> Iterator[None]:
    """Turns what is raised inside into a `Failure`; with `debug` the traceback is printed first."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        click.echo(err=True)
        raise click.exceptions.Exit(STOPPED) from None
    except Exception as error:  # noqa: BLE001 every failure ends as one line
        if debug:
            traceback.print_exc(file=sys.stderr)
        raise _failure(error) from None


def _failure(error: Exception) -> Failure:
    if isinstance(error, BillowError):
        return Failure(str(error))
    if isinstance(error, NotConfigured):
        return WrongUsage(str(error))
    if type(error).__module__.startswith("sqlalchemy."):
        from starter.cli.database_failures import explained

        message = explained(error)
        if message is not None:
            return Failure(message)
    if isinstance(error, OSError) and error.filename is not None:
        return Failure(f"{error.filename}: {error.strerror}")
    first_line = next(iter(str(error).splitlines()), "")
    return Fault(
        f"This should not have happened ({type(error).__name__}: {first_line[:200]}). "
        "Run it again with `billow --debug …` to see where, and report it."
    )
