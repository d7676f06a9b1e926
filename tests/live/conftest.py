"""Real products other companies make, installed and started by the tests where that may be."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import NOT_RUN
from tests.live.redmine_server import NotRunning, RedmineServer

REQUIRED = "BILLOW_LIVE_REDMINE"
"""Set to `required`, it makes a Redmine that does not run a failure."""


@pytest.fixture(scope="session")
def redmine() -> Iterator[RedmineServer]:
    """A running Redmine with standard data and nothing else; without one the tests are left out, loudly."""
    with tempfile.TemporaryDirectory(prefix="billow-redmine-") as folder, ExitStack() as running:
        try:
            server = running.enter_context(RedmineServer(Path(folder)))
        except NotRunning as why:
            message = f"{NOT_RUN} live Redmine: {why}"
            if os.environ.get(REQUIRED) == "required":
                pytest.fail(message)
            pytest.skip(message)
        yield server
