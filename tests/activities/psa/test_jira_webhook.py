"""Jira's webhooks: genuine ones mean what is still so, others are refused with the reason."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.providers.provider import NotGenuine, Received
from activities.psa.jira import Jira
from activities.psa.jira_webhook import JiraWebhook
from billing.connections import Connection
from billing.events import EventType
from tests.activities.psa.jira_site import EMAIL, TOKEN, JiraSite

SECRET = "It's a Secret to Everybody"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def body(event: str = "jira:version_released", at: datetime | None = NOW, **content: Any) -> bytes:
    version = {"id": "10001", "name": "V1", "archived": False, "released": True, "projectId": 10000}
    said = {} if at is None else {"timestamp": int(at.timestamp() * 1000)}
    return json.dumps({**said, "webhookEvent": event, "version": version, **content}).encode()


def received(content: bytes, secret: str = SECRET, **headers: str) -> Received:
    signature = "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    given = {"content-type": "application/json", "x-hub-signature": signature, **headers}
    return Received("POST", "https://billow.test/webhooks/jira", given, content)


def test_the_published_vector() -> None:
    """The worked example of an HMAC of this kind comes out as published."""
    digest = "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    found = Received("POST", "", {"x-hub-signature": f"sha256={digest}"}, b"Hello World!")
    with pytest.raises(NotGenuine, match="not JSON"):  # past the signature
        JiraWebhook().verify(found, [SECRET], NOW)


@pytest.mark.parametrize("secrets", [[SECRET], ["new", SECRET], [SECRET, "old"]])
def test_genuine(secrets: list[str]) -> None:
    """Signed by one of the secrets: one message, of one id however often it comes."""
    (first,) = JiraWebhook().verify(received(body()), secrets, NOW)
    (again,) = JiraWebhook().verify(
        received(body(), **{"x-atlassian-webhook-retry": "1"}), secrets, NOW + timedelta(hours=1)
    )
    (other,) = JiraWebhook().verify(received(body(at=NOW - timedelta(seconds=1))), secrets, NOW)
    assert first.id == again.id != other.id
    assert first.content["webhookEvent"] == "jira:version_released"


@pytest.mark.parametrize(
    ("delivery", "why"),
    [
        (received(body(), secret="another"), "not one of the secret"),
        (Received("POST", "", {}, body()), "no signature"),
        (received(body(), **{"x-hub-signature": "sha1=00"}), "no signature sha256"),
        (received(body(), **{"x-hub-signature": "sha256="}), "no signature"),
        (received(body(), **{"x-hub-signature": "sha256=ümlaut"}), "not one of the secret"),
        (Received("POST", "", received(body()).headers, body()[:-1]), "not one of the secret"),
        (Received("POST", "", received(body()).headers, body() + b" "), "not one of the secret"),
        (received(body()[:-1]), "not JSON"),
        (received(b"\xff\xfe"), "not JSON"),
        (received(b"[]"), "no webhookEvent"),
        (received(b'{"webhookEvent": 3}'), "no webhookEvent"),
        (received(body(at=NOW - timedelta(days=1, seconds=1))), "stale"),
        (received(body(at=NOW + timedelta(minutes=6))), "stale"),
        (received(body(at=None, timestamp="soon")), "timestamp"),
        (received(body(at=None, timestamp=10**30)), "timestamp"),
    ],
)
def test_not_genuine(delivery: Received, why: str) -> None:
    """Forged, changed, cut off, stale or unreadable: refused, and the reason says which."""
    with pytest.raises(NotGenuine, match=why):
        JiraWebhook().verify(delivery, [SECRET], NOW)


def test_no_secret() -> None:
    """Without a secret nothing is genuine, not even what was signed with an empty one."""
    with pytest.raises(NotGenuine):
        JiraWebhook().verify(received(body(), secret=""), [], NOW)


@pytest.fixture
def site() -> Iterator[JiraSite]:
    site = JiraSite()
    site.project("ACME")
    site.project("OLD", archived=True, archivedDate="2026-11-20T10:00:00.000+0000")
    site.version("ACME", "10001", released=True, releaseDate="2026-11-22")
    site.version("ACME", "10002")
    with site.server:
        yield site


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        (body(), [(EventType.MILESTONE_SIGNED_OFF, "milestone/ACME/10001")]),
        (body(version={"id": "10002", "projectId": 10000, "released": True}), []),
        (body(version={"id": "10003", "projectId": 10000}), []),
        (body(version={"id": "10001", "projectId": 99999}), []),
        (body(version=None), []),
        (body("project_archived", project={"key": "OLD"}), [(EventType.PROJECT_COMPLETED, "project/OLD")]),
        (body("project_archived", project={"key": "ACME"}), []),
        (body("jira:issue_updated"), []),
    ],
    ids=[
        "released",
        "taken back",
        "deleted",
        "no project",
        "no version",
        "archived",
        "restored",
        "something else",
    ],
)
def test_what_it_means(site: JiraSite, content: bytes, meant: list[tuple[EventType, str]]) -> None:
    """What is so still when the record is read again becomes an event, under the id the poll gives it, too."""
    record = {"id": "js", "provider": "jira", "port": "psa", "base_url": site.server.url}
    psa = Jira(Connection.model_validate(record), {"email": EMAIL, "api_token": TOKEN})
    (delivery,) = JiraWebhook().verify(received(content), [SECRET], NOW)
    found = JiraWebhook().events(delivery, psa)
    assert [(each.type, each.id) for each in found] == meant
    assert {each.source for each in found} <= {"/integrations/js"}
