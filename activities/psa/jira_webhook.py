"""Jira's webhooks, as an administrator registers them with a secret: a version is released, a project archived.

The signature covers the whole body and nothing else, so the body's own fingerprint is the id of a delivery: it is the
same for each repetition. Jira tries again within hours; what says it is older than a day is not taken. A version may be
taken back meanwhile, so the record is read again before anything is billed.

SOURCE: https://developer.atlassian.com/cloud/jira/platform/webhooks/ (section "secure admin webhooks"), and WebSub,
section 8: `X-Hub-Signature: sha256=<hex HMAC-SHA256 of the body>`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.providers.provider import Delivery, NotGenuine, Received
from activities.psa import finished
from billing.events import BillingEvent

VERSION_RELEASED = "jira:version_released"
PROJECT_ARCHIVED = "project_archived"

_OLDEST = timedelta(days=1)
_AHEAD = timedelta(minutes=5)


class JiraWebhook:
    """Verifies and reads what Jira delivers."""

    media_types: tuple[str, ...] = ("application/json",)
    answer = ""

    def verify(self, received: Received, secrets: Sequence[str], now: datetime) -> tuple[Delivery, ...]:
        """The message, if one of the secrets has signed it and it is not older than a day. Else `NotGenuine`."""
        method, _, signature = received.headers.get("x-hub-signature", "").partition("=")
        if method != "sha256" or not signature:
            raise NotGenuine("there is no signature sha256=… in X-Hub-Signature")
        signed = (hmac.new(each.encode(), received.body, hashlib.sha256).hexdigest() for each in secrets)
        if not signature.isascii() or not any(
            hmac.compare_digest(each, signature.lower()) for each in signed
        ):
            raise NotGenuine("the signature in X-Hub-Signature is not one of the secret")
        try:
            content = json.loads(received.body)
        except ValueError as error:
            raise NotGenuine("the body is not JSON") from error
        if not isinstance(content, dict) or not isinstance(content.get("webhookEvent"), str):
            raise NotGenuine("the body names no webhookEvent")
        self._fresh(content, now)
        return (Delivery(hashlib.sha256(received.body).hexdigest(), content),)

    def events(self, delivery: Delivery, adapter: Any) -> tuple[BillingEvent, ...]:
        """A milestone signed off for a version that is released still, a project completed for one that is archived
        still; nothing for whatever else happened."""
        kind = delivery.content["webhookEvent"]
        if kind == VERSION_RELEASED:
            version = _part(delivery, "version")
            number, project = version.get("id"), version.get("projectId")
            if number is None or project is None or not adapter.is_released(str(number)):
                return ()
            key = adapter.key_of(str(project))
            return (finished.signed_off(adapter.source, key, str(number)),) if key else ()
        if kind == PROJECT_ARCHIVED:
            found = adapter.project(str(_part(delivery, "project").get("key", "")))
            return (finished.completed(adapter.source, found.id),) if found and found.completed else ()
        return ()

    def _fresh(self, content: Mapping[str, Any], now: datetime) -> None:
        said = content.get("timestamp")
        if said is None:
            return
        try:
            at = datetime.fromtimestamp(float(said) / 1000, UTC)
        except (TypeError, ValueError, OverflowError, OSError) as error:
            raise NotGenuine("the timestamp is not one") from error
        if not now - _OLDEST <= at <= now + _AHEAD:
            raise NotGenuine(f"it is stale: from {at.isoformat(timespec='seconds')}")


def _part(delivery: Delivery, name: str) -> Mapping[str, Any]:
    part = delivery.content.get(name)
    return part if isinstance(part, Mapping) else {}
