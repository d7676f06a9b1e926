"""A world of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.ledger.database import Ledger
from tests.invariants.world import World


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """The small company on a fresh ledger; steps are taken by hand."""
    ledger = Ledger(database_url)
    made = World(ledger, tmp_path)
    yield made
    ledger.close()
