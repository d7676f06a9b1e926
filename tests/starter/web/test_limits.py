"""How often one may ask, and the headers every answer carries."""

from __future__ import annotations

import pytest

from activities.ledger.database import Ledger
from starter.web import create_app
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story
from workers.settings import Settings


@pytest.mark.parametrize(
    ("path", "allowed", "kind"),
    [
        ("/sign-in/provider", 60, "text/html"),
        ("/api/v1/none", 7, "application/problem+json"),
    ],
)
def test_too_often(
    story: Story, ledger: Ledger, settings: Settings, path: str, allowed: int, kind: str
) -> None:
    """Whoever asks too often is told when to ask again; another address, and other pages, are none the worse."""
    app = create_app(settings.model_copy(update={"api_requests_per_minute": 7}), ledger)
    with Visitor(app, base_url="https://billow.test", client=("192.0.2.1", 1)) as visitor:
        assert {visitor.get(path).status_code for _ in range(allowed)} == {404}
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (429, kind)
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert "ask again in" in answer.text
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert visitor.get("/sign-in").status_code == 200
    with Visitor(app, base_url="https://billow.test", client=("192.0.2.2", 1)) as visitor:
        assert visitor.get(path).status_code == 404


@pytest.mark.parametrize(("url", "held"), [("https://billow.test", "max-age=31536000"), (None, None)])
def test_only_https(
    story: Story, ledger: Ledger, settings: Settings, url: str | None, held: str | None
) -> None:
    """A browser that came by https never comes by anything else again; on this machine there is no https."""
    app = create_app(settings.model_copy(update={"public_url": url}), ledger)
    with Visitor(app, base_url=url or "http://127.0.0.1:8080") as visitor:
        headers = visitor.get("/sign-in").headers
        assert headers.get("strict-transport-security") == held
        cookie = headers["set-cookie"].lower()
        assert ("secure" in cookie, cookie.startswith("__host-billow=")) == (bool(url), bool(url))


def test_no_inline_script(story: Story, visitor: Visitor) -> None:
    """No page carries script or style of its own, which the policy would refuse to run."""
    story.asked("one")
    visitor.sign_in("uma")
    for path in (
        "/",
        "/invoices",
        "/invoices/manual/one",
        "/absences",
        "/tokens",
        "/sign-ins",
        "/preferences",
    ):
        answer = visitor.get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
        for forbidden in ("<script>", " onclick=", " onload=", "javascript:", "<style", ' style="'):
            assert forbidden not in answer.text, (path, forbidden)
