"""The connection to the ledger, its transactions, and its migrations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from billing.errors import BillowError

ITS_OWN_FAULT = (
    *(BillowError, ArithmeticError, LookupError, TypeError, ValueError),
    *(DataError, IntegrityError),
)
"""What one record nobody can make sense of raises, here or in the database; a server that is away raises something
else. Whoever goes over many records holds the one and goes on."""

_MIGRATIONS = Path(__file__).parent / "migrations"

_POOL_SIZE = 24
"""Connections a process may hold: a worker's activity threads plus the outbox."""

_STATEMENT_LIMITS = "-c lock_timeout=75000 -c idle_in_transaction_session_timeout=120000 -c timezone=UTC"
"""A lock is waited for as long as a mail server may take for the content (a minute at the most) and a bit; nobody sits
in a transaction for minutes."""


class Ledger:
    """Transactions on one database. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = create_engine(
            url,
            pool_size=_POOL_SIZE,
            max_overflow=_POOL_SIZE,
            pool_pre_ping=True,
            connect_args={"options": _STATEMENT_LIMITS, "connect_timeout": 10},
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back if anything is raised."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        self.engine.dispose()


@cache
def newest_schema() -> str:
    """The schema this version of the program needs: `0001` and on, later ones sort behind."""
    return str(ScriptDirectory(str(_MIGRATIONS)).get_current_head())


def is_behind(tx: Session) -> bool:
    """Whether `billow migrate` has still to be called for this version. One that is ahead is another version's."""
    return str(tx.scalar(text("select max(version_num) from alembic_version"))) < newest_schema()


def migrate(url: str) -> None:
    """Brings the database to the newest schema. Safe to call again, and from several processes at once."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            # Several processes may start at once; the lock lets one of them migrate and the others see it done.
            connection.execute(text("select pg_advisory_lock(7220417)"))
            connection.commit()
            try:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                connection.commit()
            finally:
                connection.rollback()
                connection.execute(text("select pg_advisory_unlock(7220417)"))
                connection.commit()
    finally:
        engine.dispose()
