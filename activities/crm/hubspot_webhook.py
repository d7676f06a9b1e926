"""HubSpot's webhooks: the stage of a deal has changed. A deal may have moved on, so it is read again before it counts.

The signature (version 3) covers method, address, body and time. An event's `eventId` is not promised to be unique, so
what it says belongs to its id, too; how often it was tried does not. HubSpot tries again for a day, each time with a
signature of that moment.

SOURCE: https://developers.hubspot.com/docs/api/webhooks and
https://developers.hubspot.com/docs/api/webhooks/validating-requests (versions, five minutes); computed by the official
library, `hubspot.utils.signature`.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.providers.provider import Delivery, NotGenuine, Received
from billing.events import BillingEvent, EventData, EventType

WINDOW = timedelta(minutes=5)
"""Into the past and into the future; the library looks into the past only."""

_IDENTITY = ("portalId", "appId", "subscriptionId", "eventId", "objectId", "occurredAt")
_DEALS = "0-3"


class HubSpotWebhook:
    """Verifies and reads what HubSpot delivers."""

    media_types: tuple[str, ...] = ("application/json",)
    answer = ""

    def verify(self, received: Received, secrets: Sequence[str], now: datetime) -> tuple[Delivery, ...]:
        """The events, if signed with one of the client secrets within five minutes. Else `NotGenuine`."""
        from hubspot.utils.signature import (
            Signature,
        )  # it takes most of a second, which no other command needs

        signature = received.headers.get("x-hubspot-signature-v3", "")
        stamp = received.headers.get("x-hubspot-request-timestamp", "")
        if not signature or not stamp:
            raise NotGenuine("there is no X-HubSpot-Signature-v3 with its X-HubSpot-Request-Timestamp")
        _check_time(stamp, now)
        try:
            body = received.body.decode()
        except UnicodeDecodeError as error:
            raise NotGenuine("the body is not UTF-8") from error
        signed = [
            Signature.get_signature(each, body, "v3", received.url, received.method, stamp)
            for each in secrets
        ]
        if not any(hmac.compare_digest(each.encode(), signature.encode()) for each in signed):
            raise NotGenuine(
                "the signature in X-HubSpot-Signature-v3 is not one of the client secret for this address"
            )
        return tuple(Delivery(_id(each), each) for each in _events(body))

    def events(self, delivery: Delivery, adapter: Any) -> tuple[BillingEvent, ...]:
        """A deal that was moved to another stage and is won now; nothing for whatever else happened."""
        said = delivery.content
        kind = said.get("subscriptionType")
        of_a_deal = kind == "deal.propertyChange" or (
            kind == "object.propertyChange" and said.get("objectTypeId") == _DEALS
        )
        deal = str(said.get("objectId", ""))
        if not of_a_deal or said.get("propertyName") != adapter.stage_property or not adapter.is_won(deal):
            return ()
        return (
            BillingEvent(
                specversion="1.0",
                id=f"deal/{deal}",
                source=adapter.source,
                type=EventType.DEAL_WON,
                data=EventData(deal=deal),
            ),
        )


def _check_time(stamp: str, now: datetime) -> None:
    try:
        at = datetime.fromtimestamp(int(stamp) / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise NotGenuine("X-HubSpot-Request-Timestamp is not a time in milliseconds") from error
    if abs(now - at) > WINDOW:
        raise NotGenuine(f"it is stale: signed at {at.isoformat(timespec='seconds')}")


def _events(body: str) -> list[dict[str, Any]]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotGenuine("the body is not JSON") from error
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise NotGenuine("the body is not a list of events")
    if any("subscriptionType" not in each or "objectId" not in each for each in content):
        raise NotGenuine("an event lacks subscriptionType or objectId")
    return content


def _id(event: dict[str, Any]) -> str:
    return "/".join(str(event.get(each, "")) for each in _IDENTITY)
