"""The web app on a ledger of the test's own, with a browser's cookies but without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from activities.ledger.database import Ledger
from starter.web import create_app
from tests.starter.web.story import Story
from workers.settings import Settings

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@pytest.fixture
def story(ledger: Ledger) -> Story:
    """The company, applied; invoices are made now, since the app asks the clock."""
    return Story(ledger, datetime.now(UTC))


class Visitor(TestClient):
    """Somebody before the pages, who fills in forms as a browser does."""

    signed_in = False

    def token(self, path: str = "/sign-in") -> str:
        """The token of the forms on a page."""
        found = _TOKEN.search(self.get(path).text)
        assert found, f"no form on {path}"
        return str(found[1])

    def sign_in(self, person: str) -> Visitor:
        """Chooses a person."""
        answer = self.post("/session", data={"csrf": self.token(), "person": person})
        assert answer.status_code == 200
        self.signed_in = True
        return self

    def give(self, name: str, *, back: str = "/", **fields: str) -> str:
        """Gives a command and returns the page it leads to."""
        token = self.token("/?for=all")
        answer = self.post(f"/commands/{name}", data={"csrf": token, "back": back} | fields)
        assert answer.status_code == 200, answer.text
        return str(answer.text)


@pytest.fixture
def visitor(settings: Settings, ledger: Ledger) -> Iterator[Visitor]:
    """A visitor of the app in development."""
    app = create_app(settings, ledger)
    with Visitor(app, base_url="https://billow.test", raise_server_exceptions=False) as made:
        yield made
