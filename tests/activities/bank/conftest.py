"""The ledger of tests/activities/ledger."""

from tests.activities.ledger.conftest import database_url, ledger, one_database, story

__all__ = ["database_url", "ledger", "one_database", "story"]
