"""A system for each test, of each adapter of the port the test is about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from billing.connections import Port
from tests.contract.systems import ALL, Subject, System


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "subject" in metafunc.fixturenames:
        port: Port | None = getattr(metafunc.module, "PORT", None)
        subjects = [each for each in ALL if port in (None, each.port)]
        metafunc.parametrize("subject", subjects, ids=str)


@pytest.fixture
def system(subject: Subject, tmp_path: Path) -> Iterator[System]:
    with subject.start(tmp_path) as system:
        yield system
