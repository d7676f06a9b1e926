"""A world of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.ledger.database import Ledger
from tests.invariants.world import World, instrument


@pytest.fixture
def world(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The small company on a fresh ledger; steps are taken by hand."""
    ledger = Ledger(database_url)
    made = World(ledger, tmp_path)
    instrument(monkeypatch, lambda: made)
    yield made
    ledger.close()
