"""The portal before programs, and clients with invoices to look at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from activities.ledger.database import Ledger
from starter.web import create_app
from tests.starter.web.portal.clients import Clients
from tests.starter.web.story import Story
from workers.settings import Settings


@pytest.fixture
def clients(settings: Settings, ledger: Ledger) -> Clients:
    return Clients(settings, Story(ledger, datetime.now(UTC)))


@pytest.fixture
def browser(settings: Settings, ledger: Ledger) -> Iterator[TestClient]:
    app = create_app(settings, ledger)
    with TestClient(app, base_url="https://billow.test", raise_server_exceptions=False) as made:
        yield made
