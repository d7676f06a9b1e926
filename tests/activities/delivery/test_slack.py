"""Slack is sent what it takes; what it refuses is for a person, what it puts off for later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from activities.delivery.chat import ChatBusy, ChatNotice
from activities.delivery.slack import Slack
from billing.connections import Connection
from billing.errors import SourceFaulty, SourceUnavailable
from tests.activities.delivery.slack_workspace import Workspace

NOTICE = ChatNotice(
    event="approval-request",
    title="Approval wanted",
    link="https://billow.test/invoices/acme-care/fee/2026-11-01",
    person="noor",
    name="Noor Haas",
    details=("acme-care/fee/2026-11-01, client acme", "until 2026-11-24 10:00 CET"),
)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    workspace = Workspace()
    with workspace.server:
        yield workspace
    assert workspace.server.refused == []


def slack(url: str, **settings: str) -> Slack:
    record = {"id": "chat", "provider": "slack", "port": "chat", "settings": settings}
    return Slack(Connection.model_validate(record), {"webhook_url": url})


def notice(**changes: Any) -> ChatNotice:
    return ChatNotice(**{**NOTICE.__dict__, **changes})


def test_posted(workspace: Workspace) -> None:
    """For whom, what, until when, and where it is decided."""
    assert slack(workspace.url).post(NOTICE)
    assert workspace.texts == [
        (
            "Noor Haas: *Approval wanted*\nacme-care/fee/2026-11-01, client acme\nuntil 2026-11-24 10:00 CET\n"
            "<https://billow.test/invoices/acme-care/fee/2026-11-01|Look and decide>"
        )
    ]
    assert workspace.messages[0]["blocks"][0]["text"]["text"] == workspace.texts[0]


def test_members(workspace: Workspace) -> None:
    """Somebody whose member id is known is mentioned, which rings."""
    slack(workspace.url, members="noor=U012AB3CD; otto=U999").post(NOTICE)
    assert workspace.texts[0].startswith("<@U012AB3CD>: *Approval wanted*")


def test_events(workspace: Workspace) -> None:
    """Only the events that are asked for are told; one that does not exist is refused by name."""
    chat = slack(workspace.url, events="exception, hand-over")
    assert not chat.post(NOTICE) and chat.post(notice(event="exception"))
    assert len(workspace.messages) == 1
    with pytest.raises(SourceFaulty, match="there is no event 'paid'; there are approval-request"):
        slack(workspace.url, events="paid")


@pytest.mark.parametrize(
    "text",
    [
        "<!channel> & <@U1> <https://x.example|click>",
        "&" * 5000,
        "<" * 2999,
        "x" * 2990 + "&&&&&",
        "line\nbreak\u2028and\0nul",
        "&amp; is not &",
    ],
)
def test_text_of_strangers(workspace: Workspace, text: str) -> None:
    """Text is text: it mentions nobody, links nowhere, begins no line, and is cut at Slack's limit, the link kept."""
    slack(workspace.url).post(notice(title=text, name=text, details=(text,)))
    assert workspace.texts[0].endswith("|Look and decide>") and workspace.texts[0].count("\n") <= 2
    assert "<!" not in workspace.texts[0] and "<@" not in workspace.texts[0]


@pytest.mark.parametrize(
    ("status", "word", "says"),
    [
        (404, "no_service", "make a new incoming webhook"),
        (403, "invalid_token", "make a new incoming webhook"),
        (404, "channel_not_found", "the channel is gone"),
        (410, "channel_is_archived", "bring the channel back"),
        (403, "action_prohibited", "an administrator of the workspace forbids it"),
        (400, "invalid_payload", "tell who maintains Billow"),
        (302, "", "make a new incoming webhook"),
        (410, "<html>" + "x" * 100_000, "make a new incoming webhook"),
    ],
)
def test_refused(workspace: Workspace, status: int, word: str, says: str) -> None:
    """What only a person can mend says what to do, and never the webhook's address."""
    workspace.next(status, word)
    with pytest.raises(
        SourceFaulty, match=rf"Slack \(chat\) refuses notices: HTTP {status}.*{says}"
    ) as refused:
        slack(workspace.url).post(NOTICE)
    assert "XXXX" not in str(refused.value) and len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("7", 7.0), ("", 30.0), ("soon", 30.0), ("999999", 3600.0)]
)
def test_too_many(workspace: Workspace, retry_after: str, seconds: float) -> None:
    """As long as Slack asks for, within an hour, nothing is sent."""
    workspace.next(429, "rate_limited", Retry_After=retry_after)
    with pytest.raises(ChatBusy) as busy:
        slack(workspace.url).post(NOTICE)
    assert busy.value.seconds == seconds


def test_away(workspace: Workspace) -> None:
    """A server in trouble, or none, is for later; its address, which is the secret, is in no message."""
    workspace.next(503, "rollup_error")
    with pytest.raises(SourceUnavailable, match="HTTP 503"):
        slack(workspace.url).post(NOTICE)
    away = slack("http://127.0.0.1:9/services/T0/B0/SECRET")
    with pytest.raises(SourceUnavailable, match="does not answer") as error:
        away.post(NOTICE)
    assert "SECRET" not in str(error.value) and error.value.__cause__ is None and "SECRET" not in repr(away)


@pytest.mark.parametrize(
    "url", ["http://hooks.slack.example/services/T/B/X", "hooks.slack.example", "ftp://x"]
)
def test_an_address_for_everybody_to_read(url: str) -> None:
    """Without encryption the secret goes nowhere but to this machine."""
    with pytest.raises(SourceFaulty, match="must begin with https://") as refused:
        slack(url)
    assert url not in str(refused.value)
