"""Migrations: an empty database becomes what the tables say."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from activities.ledger.database import Ledger, migrate
from activities.ledger.tables import Table
from starter.local_stack.postgres import Cluster
from tests.activities.ledger.conftest import at_once, rows


def differences(ledger: Ledger) -> object:
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return compare_metadata(context, Table.metadata)


def test_from_nothing(ledger: Ledger) -> None:
    """Upgraded from nothing, the database is exactly what the tables say."""
    assert differences(ledger) == []


def test_again(ledger: Ledger) -> None:
    """Upgrading again changes nothing."""
    before = rows(ledger, "select * from alembic_version")
    migrate(ledger.url)
    assert rows(ledger, "select * from alembic_version") == before
    assert differences(ledger) == []


def test_at_once(postgres: Cluster) -> None:
    """Several processes that start at once and find nothing upgrade it once."""
    url = postgres.create_database("migrated_at_once")
    assert at_once(4, lambda _: migrate(url)) == [None] * 4
    ledger = Ledger(url)
    assert differences(ledger) == []
    ledger.close()
