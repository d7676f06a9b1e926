"""A Stripe account inside the test process: it answers as Stripe does, keeps its keys, and signs what it delivers.

Each form is checked against Stripe's own description where that is given (`BILLOW_VENDOR_SPECS`); what is sent is typed
by the official library in any case. SOURCE of the objects: https://docs.stripe.com/api, fields as in
https://github.com/stripe/openapi, openapi/fixtures3.json.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
import yaml

from activities.providers.provider import Received
from tests.activities.psa.counterpart import Answer, Asked, Counterpart
from tests.activities.vendor_description import SPECS

KEY = "rk_test_4eC39HqLyjWDarjtT1zdp7dc"
SECRET = "whsec_test_secret"  # of a test

NEWER = {"adaptive_pricing"}
"""Parameters that are newer than the description, which is of 2023."""


class StripeSite:
    """Pages, payments, refunds and disputes; what happens is an event, which is delivered by whoever wants it to be."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.sessions: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.disputes: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.endpoints: list[dict[str, Any]] = []
        self.forbidden: set[str] = set()
        self.made = 0
        self._keys: dict[str, tuple[str, dict[str, Any]]] = {}
        self._ids = itertools.count(1)
        self.server = Counterpart(self.answer)

    # What people do on Stripe's pages and in its dashboard.

    def pay(self, session: str, *, fee: int | None = 59, name: str = "Kim Vogel") -> str:
        """Somebody pays the page by card; the payment's id."""
        payment = self.begin(session, name=name)
        self.settle(payment, fee=fee)
        return payment

    def begin(self, session: str, *, name: str = "Kim Vogel") -> str:
        """Somebody pays the page by debit: the money is under way."""
        page = self.sessions[session]
        assert page["status"] == "open", page["status"]
        payment = self.intent(page["amount_total"], page["currency"], page["_metadata"], name=name)
        page |= {"status": "complete", "payment_intent": payment, "payment_status": "unpaid"}
        self.happened("payment_intent.processing", self.intents[payment])
        self.happened("checkout.session.completed", page)
        return payment

    def intent(
        self, amount: int, currency: str = "eur", metadata: dict[str, str] | None = None, *, name: str = ""
    ) -> str:
        """A payment that is under way, of whoever uses the account."""
        payment, charge = self._id("pi"), self._id("ch")
        self.intents[payment] = {
            "id": payment,
            "object": "payment_intent",
            "amount": amount,
            "amount_received": 0,
            "currency": currency,
            "created": self._stamp(),
            "description": (metadata or {}).get("billow_number"),
            "last_payment_error": None,
            "livemode": False,
            "metadata": metadata or {},
            "status": "processing",
            "latest_charge": {
                "id": charge,
                "object": "charge",
                "amount": amount,
                "currency": currency,
                "created": self._stamp(),
                "payment_intent": payment,
                "billing_details": {"name": name or None, "email": None},
                "balance_transaction": None,
            },
        }
        return payment

    def settle(self, payment: str, *, fee: int | None = 59, fee_currency: str | None = None) -> None:
        """The money is there; without a fee, that is told later."""
        intent = self.intents[payment]
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        if fee is not None:
            self.tell_fee(payment, fee, fee_currency)
        self.happened("payment_intent.succeeded", intent)
        for page in self.sessions.values():
            if page["payment_intent"] == payment:
                page["payment_status"] = "paid"
                self.happened("checkout.session.async_payment_succeeded", page)

    def tell_fee(self, payment: str, fee: int, currency: str | None = None) -> None:
        """The fee is known."""
        charge = self.intents[payment]["latest_charge"]
        charge["balance_transaction"] = {
            "id": self._id("txn"),
            "object": "balance_transaction",
            "fee": fee,
            "currency": currency or charge["currency"],
        }
        self.happened("charge.updated", charge)

    def fail(self, payment: str, code: str = "insufficient_funds") -> None:
        """The bank refuses the money."""
        intent = self.intents[payment]
        intent |= {
            "status": "requires_payment_method",
            "last_payment_error": {"type": "card_error", "code": "card_declined", "decline_code": code},
        }
        self.happened("payment_intent.payment_failed", intent)
        for page in self.sessions.values():
            if page["payment_intent"] == payment:
                self.happened("checkout.session.async_payment_failed", page)

    def give_back(self, payment: str, amount: int, **changes: Any) -> str:
        """Somebody refunds in the dashboard; the refund's id."""
        refund = {
            "id": self._id("re"),
            "object": "refund",
            "amount": amount,
            "currency": self.intents[payment]["currency"],
            "created": self._stamp(),
            "metadata": {},
            "payment_intent": payment,
            "reason": "requested_by_customer",
            "status": "succeeded",
        } | changes
        self.refunds[refund["id"]] = refund
        self.happened("refund.created", refund)
        self.happened("charge.refunded", self.intents[payment]["latest_charge"])
        return str(refund["id"])

    def fail_refund(self, refund: str) -> None:
        """The client's bank does not take it: the money is back with us."""
        self.refunds[refund] |= {"status": "failed", "failure_reason": "lost_or_stolen_card"}
        self.happened("refund.failed", self.refunds[refund])

    def dispute(self, payment: str, amount: int | None = None, *, inquiry: bool = False) -> str:
        """The client's bank questions the payment, and takes the money unless it only inquires; the dispute's id."""
        intent = self.intents[payment]
        asked = intent["amount"] if amount is None else amount
        dispute = {
            "id": self._id("du"),
            "object": "dispute",
            "amount": asked,
            "currency": intent["currency"],
            "created": self._stamp(),
            "payment_intent": payment,
            "reason": "fraudulent",
            "status": "warning_needs_response" if inquiry else "needs_response",
            "evidence_details": {"due_by": self._stamp() + 7 * 86400},
            "balance_transactions": [] if inquiry else [self._balance(-asked, intent["currency"], 1500)],
        }
        self.disputes[str(dispute["id"])] = dispute
        self.happened("charge.dispute.created", dispute)
        if not inquiry:
            self.happened("charge.dispute.funds_withdrawn", dispute)
        return str(dispute["id"])

    def decide(self, dispute: str, status: str) -> None:
        """The bank decides; won, the money comes back."""
        found = self.disputes[dispute]
        found["status"] = status
        if status == "won":
            found["balance_transactions"].append(self._balance(found["amount"], found["currency"], 0))
            self.happened("charge.dispute.funds_reinstated", found)
        self.happened("charge.dispute.closed", found)

    def happened(self, kind: str, thing: dict[str, Any]) -> None:
        """An event as it was in that moment."""
        self.events.append(
            {
                "id": self._id("evt"),
                "object": "event",
                "api_version": "2026-06-24.dahlia",
                "created": self._stamp(),
                "data": {"object": json.loads(json.dumps(thing))},
                "livemode": False,
                "pending_webhooks": 1,
                "type": kind,
            }
        )

    def delivered(
        self, event: dict[str, Any], *, secret: str = SECRET, at: datetime | None = None
    ) -> Received:
        """The event as it comes over the wire, signed in this moment."""
        return signed(json.dumps(event), secret=secret, at=at or self.now)

    # What Stripe answers.

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return error(401, "authentication_error", "", "Invalid API Key provided")
        assert asked.headers.get("stripe-version"), "no version"
        form = decoded(asked.body.decode()) if asked.method == "POST" else {}
        if asked.method == "POST":
            assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
            check(asked.path, form)
        parts = asked.path.strip("/").split("/")
        assert "stand-in" not in asked.path, "none of ours is asked for at Stripe"
        if parts[1] in self.forbidden:
            return error(403, "invalid_request_error", "", "The provided key does not have access")
        key = asked.headers.get("idempotency-key") if asked.method == "POST" else None
        if key in self._keys:
            body, before = self._keys[key]
            if body != asked.body.decode():
                return error(
                    400,
                    "idempotency_error",
                    "",
                    "Keys for idempotent requests can only be used with the same",
                )
            return Answer(200, before)
        answer = self._answer(asked, parts[1:], form)
        if key and answer.status == 200:
            self._keys[key] = (asked.body.decode(), json.loads(json.dumps(answer.content)))
        return answer

    def _answer(self, asked: Asked, parts: list[str], form: dict[str, Any]) -> Answer:
        match asked.method, *parts:
            case "POST", "checkout", "sessions":
                return Answer(200, self._make_page(form))
            case "POST", "checkout", "sessions", id_, "expire":
                return self._expire(id_)
            case "GET", "checkout", "sessions", id_:
                return self._found(self.sessions, id_)
            case "POST", "refunds":
                return self._refund(form)
            case "GET", "payment_intents", id_:
                assert "latest_charge.balance_transaction" in asked.query.get("expand[0]", []), asked.query
                return self._found(self.intents, id_)
            case "GET", "events":
                return self._listed_events(asked)
            case "GET", kind, *rest:
                return self._listed(asked, "/".join([kind, *rest]))
        return error(404, "invalid_request_error", "", f"Unrecognized request URL {asked.path}")

    def _make_page(self, form: dict[str, Any]) -> dict[str, Any]:
        (item,) = form["line_items"]
        lasts = form["expires_at"] - self._stamp()
        assert 1800 <= lasts <= 86400, f"expires_at must be 30 minutes to 24 hours from now: {lasts}"
        id_, self.made = self._id("cs_test"), self.made + 1
        self.sessions[id_] = {
            "id": id_,
            "object": "checkout.session",
            "amount_total": item["price_data"]["unit_amount"] * item["quantity"],
            "client_reference_id": form["client_reference_id"],
            "currency": item["price_data"]["currency"],
            "expires_at": form["expires_at"],
            "metadata": form["metadata"],
            "mode": "payment",
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "url": f"https://checkout.stripe.example/c/pay/{id_}",
            "_metadata": form["payment_intent_data"]["metadata"],
        }
        return self.sessions[id_]

    def _expire(self, id_: str) -> Answer:
        page = self.sessions.get(id_)
        if page is None:
            return _missing(id_)
        if page["status"] != "open":
            return error(
                400,
                "invalid_request_error",
                "",
                "Only Checkout Sessions with a status in [open] can be expired",
            )
        page["status"] = "expired"
        self.happened("checkout.session.expired", page)
        return Answer(200, page)

    def _refund(self, form: dict[str, Any]) -> Answer:
        payment, amount = form["payment_intent"], form["amount"]
        if payment not in self.intents:
            return _missing(payment)
        before = sum(
            each["amount"]
            for each in self.refunds.values()
            if each["payment_intent"] == payment and each["status"] != "failed"
        )
        if before + amount > self.intents[payment]["amount_received"]:
            said = "Refund amount is greater than unrefunded amount on charge"
            return error(400, "invalid_request_error", "amount_too_large", said)
        made = self.give_back(payment, amount, metadata=form.get("metadata", {}), status="pending")
        return Answer(200, self.refunds[made])

    def _found(self, known: dict[str, dict[str, Any]], id_: str) -> Answer:
        return Answer(200, known[id_]) if id_ in known else _missing(id_)

    def _listed(self, asked: Asked, kind: str) -> Answer:
        known = {
            "refunds": self.refunds.values(),
            "disputes": self.disputes.values(),
            "payment_intents": self.intents.values(),
            "checkout/sessions": self.sessions.values(),
            "webhook_endpoints": self.endpoints,
        }[kind]
        wanted = asked.query.get("payment_intent")
        found = [each for each in known if not wanted or each["payment_intent"] == wanted[0]]
        limit = int(asked.query.get("limit", ["10"])[0])
        return Answer(200, {"object": "list", "url": asked.path, "has_more": False, "data": found[:limit]})

    def _listed_events(self, asked: Asked) -> Answer:
        """The newest first, from an instant on; of those types only."""
        types = [value for name, (value, *_) in asked.query.items() if name.startswith("types[")]
        assert len(types) <= 20, "at most 20 types"
        since = int(asked.query.get("created[gte]", ["0"])[0])
        found = [each for each in reversed(self.events) if each["created"] >= since]
        found = [each for each in found if not types or each["type"] in types]
        if after := asked.query.get("starting_after"):
            found = found[[each["id"] for each in found].index(after[0]) + 1 :]
        limit = int(asked.query.get("limit", ["10"])[0])
        page = {"object": "list", "url": asked.path, "has_more": len(found) > limit, "data": found[:limit]}
        return Answer(200, page)

    def _balance(self, amount: int, currency: str, fee: int) -> dict[str, Any]:
        return {
            "id": self._id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "created": self._stamp(),
            "currency": currency,
            "fee": fee,
            "type": "adjustment",
        }

    def _id(self, kind: str) -> str:
        return f"{kind}_{next(self._ids):06}"

    def _stamp(self) -> int:
        return int(self.now.timestamp())


def signed(body: str, *, secret: str = SECRET, at: datetime) -> Received:
    """A body with the signature Stripe makes of it. SOURCE: https://docs.stripe.com/webhooks#verify-manually."""
    stamp = int(at.astimezone(UTC).timestamp())
    mac = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "stripe-signature": f"t={stamp},v1={mac}"}
    return Received("POST", "https://billow.example/webhooks/stripe", headers, body.encode())


def error(status: int, kind: str, code: str, said: str) -> Answer:
    """An error as Stripe says it."""
    return Answer(status, {"error": {"type": kind, "code": code or None, "message": said}})


def _missing(id_: str) -> Answer:
    return error(404, "invalid_request_error", "resource_missing", f"No such object: '{id_}'")


def decoded(body: str) -> dict[str, Any]:
    """A form as Stripe reads it: `a[b][0][c]=1` are lists and objects; figures as such where they stand for one."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(body, keep_blank_values=True, strict_parsing=bool(body)):
        path = re.findall(r"[^\[\]]+", name)
        here = found
        for each in path[:-1]:
            here = here.setdefault(each, {})
        here[path[-1]] = value
    return {name: _listed(value, name) for name, value in found.items()}


def _listed(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        inner = {key: _listed(each, key) for key, each in value.items()} if name != "metadata" else value
        return [inner[str(n)] for n in range(len(inner))] if all(key.isdigit() for key in inner) else inner
    if name in ("unit_amount", "quantity", "amount", "expires_at"):
        return int(value)
    return {"true": True, "false": False}.get(value, value) if name == "enabled" else value


def check(path: str, form: dict[str, Any]) -> None:
    """The form is one that Stripe's own description allows, where that is given."""
    for schema in _schemas(path):
        known = {name: value for name, value in form.items() if name not in NEWER}
        wrong = [each.message for each in jsonschema_rs.validator_for(schema).iter_errors(known)]
        assert not wrong, wrong


def _schemas(path: str) -> Iterator[dict[str, Any]]:
    specs = os.environ.get(SPECS)
    if not specs:
        return
    described = _description(Path(specs) / "stripe.yaml")
    general = re.sub(r"/(cs_test|pi|re)_\w+", "/{session}", path)
    operation = described["paths"][general]["post"]
    body = operation.get("requestBody")
    if body:
        yield body["content"]["application/x-www-form-urlencoded"]["schema"]


_READ: dict[Path, dict[str, Any]] = {}


def _description(file: Path) -> dict[str, Any]:
    if file not in _READ:
        _READ[file] = yaml.safe_load(file.read_text())
    return _READ[file]
