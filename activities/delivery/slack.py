"""Notices in Slack, through an incoming webhook.

SOURCE: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (payload, errors),
https://docs.slack.dev/messaging/formatting-message-text (escaping), https://docs.slack.dev/apis/web-api/rate-limits
(one message a second, 429 with Retry-After), https://docs.slack.dev/reference/block-kit/blocks/section-block (3,000
characters). Slack knows no key by which a repetition could be told from a second message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx
from pydantic import Field, field_validator

from activities.delivery.chat import ChatBusy, ChatNotice
from activities.delivery.mail import STAFF_EVENTS
from activities.providers.field_map import Names, Pairs, settings_of
from activities.providers.provider import FieldSample, Provider
from billing.connections import Connection, Port
from billing.errors import SourceFaulty, SourceUnavailable
from billing.parties import Strict

TITLE = "Slack"
LONGEST_BLOCK = 3000
TIMEOUT = 10.0
_LARGEST_ANSWER = 4096
_LONGEST_WAIT = 3600.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_GONE = "make a new incoming webhook and set its address in the environment"
_WHAT_TO_DO = {
    "no_service": _GONE,
    "no_service_id": _GONE,
    "no_active_hooks": _GONE,
    "no_team": _GONE,
    "invalid_token": _GONE,
    "team_disabled": "the workspace is switched off; connect another one",
    "channel_not_found": "the channel is gone; make an incoming webhook for another one",
    "channel_is_archived": "bring the channel back, or make an incoming webhook for another one",
    "action_prohibited": "an administrator of the workspace forbids it; have it allowed",
    "posting_to_general_channel_denied": "an administrator keeps that channel to few; choose another one",
    "user_not_found": "correct the setting members in integrations.yaml",
    "invalid_payload": "tell who maintains Billow",
}


class Settings(Strict):
    """Which events are told, all if none is named, and what our people are called in Slack."""

    events: Names = Field(default=(), description="such as: approval-request, exception")
    members: Pairs = Field(default_factory=dict, description="person=member id; person=member id")

    @field_validator("events")
    @classmethod
    def _are_told(cls, events: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [each for each in events if each not in STAFF_EVENTS]:
            raise ValueError(f"there is no event {unknown[0]!r}; there are {', '.join(STAFF_EVENTS)}")
        return events


class Slack:
    """The adapter. The address of the webhook is its secret, and stands in no message."""

    def __init__(self, connection: Connection, secrets: Mapping[str, str]) -> None:
        self._name, self._url = f"{TITLE} ({connection.id})", secrets["webhook_url"]
        self._settings = settings_of(connection, Settings, TITLE)
        at = urlsplit(self._url)
        if not (at.scheme == "https" or (at.scheme == "http" and at.hostname in _LOOPBACK)):
            raise SourceFaulty(
                f"{self._name}: the webhook_url must begin with https://; copy it again from Slack"
            )

    def post(self, notice: ChatNotice) -> bool:
        """Posts the notice, unless it is of an event that is not asked for."""
        if self._settings.events and notice.event not in self._settings.events:
            return False
        self._check(*self._answer(json.dumps(self.payload(notice))))
        return True

    def samples(self) -> Sequence[FieldSample]:
        """Whether Slack knows the webhook: it is sent what is no message, which it refuses, so nobody sees anything.

        SOURCE: https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks (invalid_payload).
        """
        status, retry_after, word = self._answer("{")
        if status != httpx.codes.BAD_REQUEST or not word.startswith(("invalid_payload", "no_text")):
            self._check(status, retry_after, word)
            raise SourceFaulty(f"{self._name} takes what is no message: it is not Slack; {_GONE}")
        return (FieldSample("notices", "webhook_url", "Slack knows it; nothing was posted"),)

    def _answer(self, content: str) -> tuple[int, str, str]:
        """The status, how long to wait if it says so, and the word."""
        try:
            with (
                httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client,
                client.stream(
                    "POST", self._url, content=content, headers={"Content-Type": "application/json"}
                ) as response,
            ):
                word = b"".join(_beginning(response)).decode("utf-8", "replace").strip()
        except (httpx.TransportError, httpx.InvalidURL) as error:  # whose text may name the address
            raise SourceUnavailable(f"{self._name} does not answer ({type(error).__name__})") from None
        return response.status_code, response.headers.get("retry-after", ""), word

    def payload(self, notice: ChatNotice) -> dict[str, object]:
        """The message in Slack's form: one section, and the same as text for notifications."""
        member = self._settings.members.get(notice.person)
        to = f"<@{escaped(member)}>" if member else escaped(notice.name)
        lines = [f"{to}: *{escaped(notice.title)}*", *map(escaped, notice.details)]
        link = f"\n<{escaped(notice.link)}|Look and decide>"
        said = _shortened("\n".join(lines), LONGEST_BLOCK - len(link)) + link
        return {"text": said, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": said}}]}

    def _check(self, status: int, retry_after: str, word: str) -> None:
        if status == httpx.codes.OK:
            return
        if status == httpx.codes.TOO_MANY_REQUESTS:
            seconds = float(retry_after) if retry_after.strip().isdigit() else 30.0
            raise ChatBusy(
                f"{self._name} takes no more messages for {seconds:g} s", min(seconds, _LONGEST_WAIT)
            )
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise SourceUnavailable(f"{self._name} answers HTTP {status}; it is tried again later")
        known = next((each for each in _WHAT_TO_DO if each in word), "")
        advice = _WHAT_TO_DO.get(known, _GONE)
        raise SourceFaulty(f"{self._name} refuses notices: HTTP {status} {known}".rstrip() + f"; {advice}")


def escaped(text: str) -> str:
    """Text that Slack takes for nothing else: no links, no mentions."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shortened(text: str, most: int) -> str:
    """Cut, but not in the middle of an escaped character."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    start = cut.rfind("&")
    return (cut[:start] if start > len(cut) - 6 and ";" not in cut[start:] else cut) + "…"


def _beginning(response: httpx.Response) -> list[bytes]:
    found, size = [], 0
    for chunk in response.iter_bytes():
        found.append(chunk)
        size += len(chunk)
        if size > _LARGEST_ANSWER:
            break
    return found


PROVIDER = Provider(
    name="slack",
    title=TITLE,
    ports=frozenset({Port.CHAT}),
    base_url="",
    settings=Settings,
    secrets=("webhook_url",),
    fields=(),
    build=Slack,
)
