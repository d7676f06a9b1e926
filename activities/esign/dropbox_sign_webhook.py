"""Dropbox Sign's callbacks: everybody has signed.

The hash covers time and type of an event, and nothing else of the body: so the request is fetched again before anything
is billed. There is no time window in the scheme, and a delivery is tried again for three days under the hash of the
first try; what is older than four days is not taken. The hash is made with the account's primary API key.

SOURCE: https://developers.hellosign.com/docs/events/walkthrough/ (multipart form with a field `json`, the answer, the
retries); verified by the vendor's library, `dropbox_sign.EventCallbackHelper`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import HTTP
from typing import Any

from activities.providers.provider import Delivery, NotGenuine, Received
from billing.events import BillingEvent, EventData, EventType

ALL_SIGNED = "signature_request_all_signed"

_OLDEST = timedelta(days=4)
_AHEAD = timedelta(minutes=5)


class DropboxSignWebhook:
    """Verifies and reads what Dropbox Sign delivers."""

    media_types: tuple[str, ...] = ("multipart/form-data",)
    answer = "Hello API Event Received"

    def verify(self, received: Received, secrets: Sequence[str], now: datetime) -> tuple[Delivery, ...]:
        """The event, if its hash was made with one of the API keys and it is not older than four days. Else
        `NotGenuine`."""
        from dropbox_sign.event_callback_helper import EventCallbackHelper  # seconds, which no command needs
        from dropbox_sign.models.event_callback_request import EventCallbackRequest
        from dropbox_sign.models.event_callback_request_event import EventCallbackRequestEvent

        content = _json_of(received)
        event = content.get("event")
        if not isinstance(event, dict):
            raise NotGenuine("there is no event in it")
        said: dict[str, Any] = {name: event.get(name) for name in ("event_time", "event_type", "event_hash")}
        if not all(isinstance(each, str) and each.isascii() for each in said.values()):
            raise NotGenuine("the event lacks event_time, event_type or event_hash")
        # not validated: types of events that are new to the library are genuine, too
        known = EventCallbackRequest.model_construct(event=EventCallbackRequestEvent.model_construct(**said))
        if not any(EventCallbackHelper.is_valid(each, known) for each in secrets):
            raise NotGenuine("event_hash is not one of the API key")
        _check_time(said["event_time"], now)
        return (Delivery(_id(event, content), content),)

    def events(self, delivery: Delivery, adapter: Any) -> tuple[BillingEvent, ...]:
        """A contract that everybody has signed, and that is signed when it is fetched again; nothing for whatever else
        happened."""
        if delivery.content["event"]["event_type"] != ALL_SIGNED:
            return ()
        contract = _request(delivery.content)
        if not contract or not adapter.is_signed(contract):
            return ()
        return (
            BillingEvent(
                specversion="1.0",
                id=f"contract/{contract}",
                source=adapter.source,
                type=EventType.CONTRACT_SIGNED,
                data=EventData(contract=contract),
            ),
        )


def _json_of(received: Received) -> dict[str, Any]:
    """The field `json` of the form."""
    kind = received.headers.get("content-type", "")
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + received.body, policy=HTTP)
    parts = [
        each for each in message.walk() if each.get_param("name", header="content-disposition") == "json"
    ]
    if len(parts) != 1 or message.defects:
        raise NotGenuine("the body is not a form with one field `json`, or it was cut off")
    try:
        content = json.loads(parts[0].get_content())
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise NotGenuine("the field `json` is not JSON") from error
    if not isinstance(content, dict):
        raise NotGenuine("the field `json` is not an object")
    return content


def _check_time(stamp: str, now: datetime) -> None:
    try:
        at = datetime.fromtimestamp(int(stamp), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise NotGenuine("event_time is not a time in seconds") from error
    if not now - _OLDEST <= at <= now + _AHEAD:
        raise NotGenuine(f"it is stale: from {at.isoformat(timespec='seconds')}")


def _request(content: Mapping[str, Any]) -> str:
    request = content.get("signature_request")
    return str(request.get("signature_request_id") or "") if isinstance(request, Mapping) else ""


def _id(event: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """Time and type alone are not enough: two requests may be signed in one second. Whom it is reported for tells the
    account's callback from that of an app."""
    about = event.get("event_metadata")
    metadata: Mapping[str, Any] = about if isinstance(about, Mapping) else {}
    parts = (
        event["event_type"],
        event["event_time"],
        _request(content),
        metadata.get("related_signature_id"),
        metadata.get("reported_for_app_id") or metadata.get("reported_for_account_id"),
    )
    return "/".join(str(each or "-") for each in parts)
