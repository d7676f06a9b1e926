"""A ledger of the test's own, and a company whose sources lie on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.company import TestCompany


@pytest.fixture
def company(tmp_path: Path) -> TestCompany:
    return TestCompany(tmp_path / "company")
