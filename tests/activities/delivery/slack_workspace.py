"""A Slack workspace inside the test process: one incoming webhook, which takes what Slack's pages say it takes.

SOURCE: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, …/reference/block-kit/blocks and
…/messaging/formatting-message-text.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.activities.psa.counterpart import Answer, Asked, Counterpart

PATH = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
_MARKUP = re.compile(r"<(@[UW][A-Z0-9]+|https?://[^<>|]+(\|[^<>|]+)?)>")


class Workspace:
    """The messages it was sent, in order."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.server = Counterpart(self._answer)

    @property
    def url(self) -> str:
        return self.server.url + PATH

    @property
    def texts(self) -> list[str]:
        return [each["text"] for each in self.messages]

    def next(self, status: int, word: str, **headers: str) -> None:
        """The next message is answered like this, in plain text, as Slack does."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        self.server.next_answers.append(
            Answer(status, raw=word.encode(), headers={"Content-Type": "text/html"} | said)
        )

    def _answer(self, asked: Asked) -> Answer:
        if asked.path != PATH:
            return Answer(404, raw=b"no_service", headers={"Content-Type": "text/html"})
        assert asked.method == "POST" and asked.headers["content-type"].startswith("application/json")
        message = json.loads(asked.body)
        assert set(message) <= {"text", "blocks"}, "another field"
        _text(message["text"], 40_000)
        assert 1 <= len(message["blocks"]) <= 50
        for block in message["blocks"]:
            assert set(block) == {"type", "text"} and block["type"] == "section"
            assert set(block["text"]) == {"type", "text"} and block["text"]["type"] == "mrkdwn"
            _text(block["text"]["text"], 3000)
        self.messages.append(message)
        return Answer(200, raw=b"ok", headers={"Content-Type": "text/html"})


def _text(text: str, most: int) -> None:
    """Not too long, and nothing in it but escaped text, links and mentions of members."""
    assert 1 <= len(text) <= most
    rest = _MARKUP.sub("", text)
    assert "<" not in rest and ">" not in rest, rest
    assert not re.search(r"&(?!(amp|lt|gt);)", text), text
