"""A ledger of the test's own, and a company whose sources lie on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.ledger.database import Ledger
from tests.company import TestCompany


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    made = Ledger(database_url)
    yield made
    made.close()


@pytest.fixture
def company(tmp_path: Path) -> TestCompany:
    return TestCompany(tmp_path / "company")
