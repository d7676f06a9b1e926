"""The database of tests/activities/ledger."""

from tests.activities.ledger.conftest import database_url, one_database, story

__all__ = ["database_url", "one_database", "story"]
