"""The sample company, applied and simulated from one instant; and a story in which it really bills."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.company import TestCompany
from tests.mail_server import MailServer
from tests.simulation.sample import Sample
from tests.stories.story import Story, telling
from workers.settings import Settings


@pytest.fixture
async def story(
    temporal_env: WorkflowEnvironment, settings: Settings, smtp: MailServer, tmp_path: Path
) -> AsyncIterator[Story]:
    async with telling(temporal_env, settings, smtp, TestCompany(tmp_path / "nobody")) as told:
        yield told


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path / "havelwerk")
