"""One Stripe account, read and asked with its API key through Stripe's own library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import stripe

from activities.payments.provider import (
    Chargeback,
    CheckoutPage,
    CheckoutReport,
    CheckoutStatus,
    Movement,
    MovementKind,
    Order,
    ProviderPayment,
)
from activities.payments.stripe import TITLE, USUAL, Settings
from activities.payments.stripe_amounts import from_stripe, to_stripe
from activities.payments.stripe_http import MISSING, client, told
from activities.payments.stripe_webhook import TYPES, id_of, message
from activities.providers.field_map import settings_of
from activities.providers.http import VendorHttp
from activities.providers.provider import Changes, FieldSample
from billing.connections import Connection
from billing.errors import MoneyError, Refused, SourceFaulty, SourceUnavailable
from billing.money import Money

INVOICE, NUMBER, REFUND = "billow_invoice", "billow_number", "billow_refund"
"""What our own orders and refunds carry as metadata: billing key, invoice number, and which refund of ours it is."""

OVERLAP = 600
"""Seconds of events that are asked for again: they are listed by the second, and may be listed late."""

_LANGUAGES = frozenset({"de", "en", "es", "fr", "it", "nl", "pl", "pt"})
_AT_ONCE = 100
_GONE = ("failed", "canceled")
_DECIDED = ("won", "lost", "warning_closed", "prevented")
_PERMISSIONS = (
    ("checkout sessions", "checkout_sessions"),
    ("payments", "payment_intents"),
    ("refunds", "refunds"),
    ("chargebacks", "disputes"),
    ("events", "events"),
)


class StripeAccount:
    """The adapter. Safe between threads."""

    def __init__(self, connection: Connection, secrets: Mapping[str, str]) -> None:
        self.source = f"/integrations/{connection.id}"
        self._settings = settings_of(connection, Settings, TITLE)
        http = VendorHttp(TITLE, connection.base_url or USUAL)
        self._stripe = client(secrets["api_key"].strip(), http).v1

    def can_take(self, amount: Money, issuer: str) -> bool:
        """Whether invoices of that issuer are paid here, and Stripe can say the amount to the last unit."""
        if self._settings.issuers and issuer not in self._settings.issuers:
            return False
        try:
            return to_stripe(amount) > 0
        except MoneyError:
            return False

    def check_out(self, order: Order) -> CheckoutPage:
        """A page for exactly that order, in its currency and no other; the same one for the same key."""
        known = {INVOICE: order.billing_key, NUMBER: order.number}
        with told():
            made = self._stripe.checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": order.number[:200],
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": order.amount.currency.lower(),
                                "unit_amount": to_stripe(order.amount),
                                "product_data": {"name": order.title[:250]},
                            },
                        }
                    ],
                    "metadata": known,
                    "payment_intent_data": {"metadata": known, "description": order.number[:500]},
                    "success_url": order.return_url,
                    "cancel_url": order.return_url,
                    "expires_at": int(order.expires_at.timestamp()),
                    "locale": order.language if order.language in _LANGUAGES else "auto",
                    # what is owed is owed in the invoice's currency: Stripe must not offer another
                    "adaptive_pricing": {"enabled": False},
                },
                {"idempotency_key": order.key},
            )
        if not made.url:
            raise SourceFaulty(
                f"{TITLE} makes a page without an address; check base_url in integrations.yaml"
            )
        return CheckoutPage(made.id, made.url, datetime.fromtimestamp(made.expires_at, UTC))

    def checkout(self, session: str) -> CheckoutReport | None:
        """How a page stands now; None if there is none."""
        found = self._one(lambda: self._stripe.checkout.sessions.retrieve(session))
        return _page(found) if found else None

    def close(self, session: str) -> CheckoutReport | None:
        """Ends a page, unless it was paid or has ended; how it stands then. None if there is none."""
        try:
            with told():
                return _page(self._stripe.checkout.sessions.expire(session).to_dict())
        except Refused:  # only a page that is open can be ended
            return self.checkout(session)

    def payment(self, id_: str) -> ProviderPayment | None:
        """The payment as it stands now, with all that was taken back of it; None if there is none, or it is another's.

        The fee is known where Stripe takes it in the currency of the payment, and left open otherwise.
        """
        expand = {"expand": ["latest_charge.balance_transaction"]}
        found = self._one(lambda: self._stripe.payment_intents.retrieve(id_, expand))  # type: ignore[arg-type]
        if found is None:
            return None
        known = found.get("metadata") or {}
        if not known.get(INVOICE) and self._settings.others == "ignore":
            return None
        charge = found.get("latest_charge")
        charge = charge if isinstance(charge, Mapping) else {}
        there = found["status"] == "succeeded" and found["amount_received"] > 0
        received = from_stripe(found["amount_received"], found["currency"]) if there else None
        about = {"payment_intent": id_, "limit": _AT_ONCE}
        with told():
            refunds = [each.to_dict() for each in self._stripe.refunds.list(about).auto_paging_iter()]  # type: ignore[arg-type]
            disputes = [each.to_dict() for each in self._stripe.disputes.list(about).auto_paging_iter()]  # type: ignore[arg-type]
        return ProviderPayment(
            id=id_,
            received=received,
            received_at=_at(charge.get("created") or found["created"]),
            fee=_fee(charge.get("balance_transaction"), received) if received else None,
            billing_key=str(known.get(INVOICE, "")),
            payer=_payer(charge),
            reference=str(known.get(NUMBER) or found.get("description") or ""),
            attempt=id_of(found.get("latest_charge")),
            failure=_failure(found),
            movements=(
                *(each for refund in refunds if (each := _refund(refund)) is not None),
                *(each for dispute in disputes for each in _withdrawn(dispute)),
            ),
            chargebacks=tuple(map(_chargeback, disputes)),
        )

    def refund(self, payment: str, amount: Money, *, item: int) -> str:
        """Pays back part of a payment, once for each item: what was asked for before is found again, not repeated.

        Stripe forgets a key after a day or more, so it is not relied on alone.
        """
        about = {"payment_intent": payment, "limit": _AT_ONCE}
        with told():
            for each in self._stripe.refunds.list(about).auto_paging_iter():  # type: ignore[arg-type]
                known = each.to_dict()
                if (known.get("metadata") or {}).get(REFUND) == str(item) and known.get(
                    "status"
                ) not in _GONE:
                    return str(known["id"])
            made = self._stripe.refunds.create(
                {
                    "payment_intent": payment,
                    "amount": to_stripe(amount),
                    "metadata": {REFUND: str(item)},
                },
                {"idempotency_key": f"billow/refund/{item}/{payment}"},
            ).to_dict()
        if made.get("status") in _GONE:
            raise Refused(f"{TITLE} cannot pay it back: {made.get('failure_reason') or made['status']}")
        return str(made["id"])

    def changes(self, cursor: str | None, now: datetime) -> Changes:
        """The events since the cursor, as messages: those that were delivered are known by their ids.

        The newest come first, so a cursor is where the last round began, and within one, the last event seen.
        Stripe keeps events for thirty days.
        """
        since, after, newest = [*(cursor or "").split("/"), "", ""][:3]
        if not since:
            return Changes((), str(int(now.timestamp())))
        params: dict[str, Any] = {
            "types": list(TYPES),
            "created": {"gte": int(since) - OVERLAP},
            "limit": _AT_ONCE,
        }
        with told():
            page = self._stripe.events.list({**params, **({"starting_after": after} if after else {})})  # type: ignore[arg-type]
        found = [each.to_dict() for each in page.data]
        newest = newest or str(max((each["created"] for each in found), default=int(since)))
        more = bool(page.has_more and found)
        following = f"{since}/{found[-1]['id']}/{newest}" if more else newest
        return Changes((), following, more, messages=tuple(map(message, found)))

    def samples(self) -> Sequence[FieldSample]:
        """What the key may see, and which webhook of the account is subscribed to what is needed."""
        found = [self._permission(ours, theirs) for ours, theirs in _PERMISSIONS]
        return [*found, self._endpoint()]

    def _permission(self, ours: str, theirs: str) -> FieldSample:
        service = (
            self._stripe.checkout.sessions if theirs == "checkout_sessions" else getattr(self._stripe, theirs)
        )
        try:
            with told():
                some = service.list({"limit": 1}).data
        except (Refused, SourceFaulty) as error:
            if "does not know the API key" in str(error):
                raise
            return FieldSample(ours, theirs, problem=str(error))
        said = some[0].to_dict().get("livemode") if some else None
        mode = "" if said is None else "live" if said else "test mode"
        return FieldSample(ours, theirs, f"can be read{f', {mode}' if mode else ''}")

    def _endpoint(self) -> FieldSample:
        what = ("webhook", "webhook_endpoints")
        try:
            with told():
                known = [each.to_dict() for each in self._stripe.webhook_endpoints.list({"limit": 100}).data]
        except SourceUnavailable:
            return FieldSample(*what, "not looked at: the key may not read endpoints")
        enabled = [each for each in known if each.get("status") == "enabled"]
        if not enabled:
            return FieldSample(*what, "none: events are asked for")
        subscribed: list[list[str]] = [each["enabled_events"] for each in enabled]
        lacking = [sorted(set() if "*" in on else set(TYPES) - set(on)) for on in subscribed]
        least = min(lacking, key=len)
        if least:
            return FieldSample(*what, problem=f"add to its events: {', '.join(least)}")
        return FieldSample(*what, "subscribed to all that is needed")

    def _one(self, ask: Any) -> dict[str, Any] | None:
        try:
            with told():
                found: dict[str, Any] = ask().to_dict()
        except Refused as error:
            if isinstance(error.__cause__, stripe.InvalidRequestError) and error.__cause__.code == MISSING:
                return None
            raise SourceFaulty(str(error)) from error
        return found


def _page(session: Mapping[str, Any]) -> CheckoutReport:
    payment = id_of(session.get("payment_intent")) or None
    if session["status"] == "expired":
        return CheckoutReport(session["id"], CheckoutStatus.EXPIRED, payment)
    if session["status"] == "open":
        return CheckoutReport(session["id"], CheckoutStatus.OPEN, payment)
    paid = session.get("payment_status") in ("paid", "no_payment_required")
    return CheckoutReport(session["id"], CheckoutStatus.PAID if paid else CheckoutStatus.UNDER_WAY, payment)


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _fee(balance: Any, of: Money) -> Decimal | None:
    """What Stripe kept, where it says so in the currency of the payment; what it converts is not reckoned back."""
    if not isinstance(balance, Mapping) or str(balance.get("currency", "")).upper() != of.currency:
        return None
    return from_stripe(abs(balance["fee"]), of.currency).amount


def _payer(charge: Mapping[str, Any]) -> str:
    details = charge.get("billing_details") or {}
    return str(details.get("name") or details.get("email") or "")[:200]


def _failure(intent: Mapping[str, Any]) -> str:
    error = intent.get("last_payment_error")
    if intent["status"] not in ("requires_payment_method", "canceled") or not isinstance(error, Mapping):
        return ""
    return str(error.get("decline_code") or error.get("code") or error.get("type") or "failed")[:200]


def _refund(refund: Mapping[str, Any]) -> Movement | None:
    item = str((refund.get("metadata") or {}).get(REFUND, ""))
    amount = from_stripe(refund["amount"], refund["currency"])
    gone = refund.get("status") in _GONE
    return Movement(
        id=f"{refund['id']}/back" if gone else refund["id"],
        kind=MovementKind.REFUND_FAILED if gone else MovementKind.REFUND,
        amount=amount if gone else -amount,
        at=_at(refund["created"]),
        why=str(refund.get("failure_reason" if gone else "reason") or ""),
        item=int(item) if item.isdigit() else None,
        after=refund["id"] if gone else None,
    )


def _withdrawn(dispute: Mapping[str, Any]) -> Iterable[Movement]:
    """What was taken for the dispute, and what was given back: inquiries take nothing yet."""
    asked = from_stripe(dispute["amount"], dispute["currency"])
    for balance in dispute.get("balance_transactions") or ():
        same = str(balance["currency"]).upper() == asked.currency
        amount = from_stripe(abs(balance["amount"]), asked.currency) if same else asked
        taken = balance["amount"] < 0
        if balance["amount"] == 0:
            continue
        yield Movement(
            id=f"{dispute['id']}/{'taken' if taken else 'back'}",
            kind=MovementKind.CHARGEBACK if taken else MovementKind.CHARGEBACK_WON,
            amount=-amount if taken else amount,
            at=_at(balance.get("created") or dispute["created"]),
            why=str(dispute.get("reason") or ""),
            fee=_fee(balance, asked),
            after=None if taken else f"{dispute['id']}/taken",
        )


def _chargeback(dispute: Mapping[str, Any]) -> Chargeback:
    until = (dispute.get("evidence_details") or {}).get("due_by")
    return Chargeback(
        id=dispute["id"],
        amount=from_stripe(dispute["amount"], dispute["currency"]),
        why=str(dispute.get("reason") or "no reason given"),
        answer_by=_at(until) if until else None,
        decided=dispute.get("status") in _DECIDED,
    )
