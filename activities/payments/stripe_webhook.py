"""Stripe's webhooks: something happened to a payment or to a page; which one is all that is taken from the message.

The signature covers time and body. Stripe tries again for three days, each time signed anew, in no promised order, and
in the API version of the endpoint: so page and payment are read again, in ours, and as they stand now.

SOURCE: https://docs.stripe.com/webhooks (signature, five minutes, retries, order); verified by the official library,
`stripe.WebhookSignature`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.payments.provider import PaymentReport
from activities.providers.provider import Delivery, NotGenuine, Received

WINDOW = timedelta(minutes=5)
"""Into the past and into the future; the library looks into the past only, and at the clock of its machine."""

PAGES = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
)
PAYMENTS = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.canceled",
    "charge.refunded",
    "charge.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
TYPES = PAGES + PAYMENTS
"""The types of events the endpoint is to be subscribed to; whatever else comes means nothing here."""


class StripeWebhook:
    """Verifies and reads what Stripe delivers."""

    media_types: tuple[str, ...] = ("application/json",)
    answer = ""

    def verify(self, received: Received, secrets: Sequence[str], now: datetime) -> tuple[Delivery, ...]:
        """The event, if signed with one of the endpoint's secrets within five minutes. Else `NotGenuine`."""
        from stripe import SignatureVerificationError, WebhookSignature  # a moment, which no command needs

        signature = received.headers.get("stripe-signature", "")
        if not signature:
            raise NotGenuine("there is no Stripe-Signature")
        try:
            body = received.body.decode()
        except UnicodeDecodeError as error:
            raise NotGenuine("the body is not UTF-8") from error
        for secret in secrets:
            try:
                WebhookSignature.verify_header(body, signature, secret, tolerance=None)
                break
            except (SignatureVerificationError, ValueError):
                continue
        else:
            raise NotGenuine("the signature in Stripe-Signature is not one of the endpoint's secret")
        _check_time(signature, now)
        return (_event(body),)

    def events(self, delivery: Delivery, adapter: Any) -> tuple[PaymentReport, ...]:
        """The page or the payment it tells of, as it stands now; nothing for whatever else happened."""
        kind = delivery.content.get("type")
        thing = delivery.content["data"]["object"]
        found: list[PaymentReport | None] = []
        payment = (
            thing["id"] if str(kind).startswith("payment_intent.") else id_of(thing.get("payment_intent"))
        )
        if kind in PAGES:
            page = adapter.checkout(thing["id"])
            found.append(page)
            payment = page.payment if page else None
        if payment and kind in TYPES:
            found.append(adapter.payment(payment))
        return tuple(each for each in found if each is not None)


def id_of(thing: Any) -> str:
    """The id of what is told as an id or as a whole; empty for nothing."""
    return str(thing.get("id", "") if isinstance(thing, Mapping) else thing or "")


def message(event: Mapping[str, Any]) -> Delivery:
    """An event as the message it is delivered as. `NotGenuine` if it is none of Stripe's."""
    data = event.get("data")
    about = data.get("object") if isinstance(data, Mapping) else None
    said = (event.get("id"), event.get("type"), about.get("id") if isinstance(about, Mapping) else None)
    if event.get("object") != "event" or not all(isinstance(each, str) and each for each in said):
        raise NotGenuine("it is no event with id, type and object")
    return Delivery(str(event["id"]), dict(event))


def _event(body: str) -> Delivery:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotGenuine("the body is not JSON") from error
    if not isinstance(content, dict):
        raise NotGenuine("the body is not an event")
    return message(content)


def _check_time(signature: str, now: datetime) -> None:
    stamp = re.search(r"(?:^|,)\s*t=(\d{1,12})(?:,|$)", signature)
    if stamp is None:
        raise NotGenuine("Stripe-Signature does not say when it was made")
    at = datetime.fromtimestamp(int(stamp[1]), UTC)
    if abs(now - at) > WINDOW:
        raise NotGenuine(f"it is stale: signed at {at.isoformat(timespec='seconds')}")
