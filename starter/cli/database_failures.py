"""What a person is told when the database does not answer as expected."""

from __future__ import annotations

import psycopg
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from starter.cli import context


def explained(error: Exception) -> str | None:
    """The failure of a database in one line with what to do next; None if it is a fault of the program."""
    if isinstance(error, PoolTimeout):
        return "The database is busy: no connection became free. Try again in a moment."
    if not isinstance(error, DBAPIError):
        return None
    cause = error.orig
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return "Somebody else has been working on this invoice for half a minute. Try again in a moment."
    if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return (
            f"The database at {context.database_place()} has no tables of ours, or those of another version of Billow. "
            "Make them with `billow migrate`, or correct BILLOW_DATABASE_URL."
        )
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return f"The database at {context.database_place()} refuses: {_reason(cause)}. Grant access to it."
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return (
            f"The database at {context.database_place()} cannot be used ({_reason(cause)}). "
            "Start everything with `make run`, or correct BILLOW_DATABASE_URL."
        )
    return None


def _reason(cause: BaseException | None) -> str:
    """What the server or the network said, without address and advice."""
    said = next(iter(str(cause).strip().splitlines()), "") or "it does not answer"
    for mark in ("FATAL:", "failed:", "ERROR:"):
        said = said.rpartition(mark)[2].strip()
    return said.removesuffix(".")
