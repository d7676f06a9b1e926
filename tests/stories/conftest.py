"""A story for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.company import TestCompany
from tests.mail_server import MailServer
from tests.stories.story import Story, telling
from workers.settings import Settings


@pytest.fixture
def company(tmp_path: Path) -> TestCompany:
    return TestCompany(tmp_path / "company")


@pytest.fixture
async def story(
    request: pytest.FixtureRequest,
    temporal_env: WorkflowEnvironment,
    settings: Settings,
    smtp: MailServer,
    company: TestCompany,
) -> AsyncIterator[Story]:
    async with telling(temporal_env, settings, smtp, company) as told:
        yield told
    request.node.user_properties += [("cost", each) for each in told.costs]
