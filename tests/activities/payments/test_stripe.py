"""The Stripe adapter against an account that checks what it is asked, and webhooks against the official library."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import stripe

from activities.payments.provider import CheckoutStatus, Order
from activities.payments.stripe import PROVIDER
from activities.payments.stripe_account import StripeAccount
from activities.payments.stripe_webhook import TYPES
from activities.providers.http import at_most
from activities.providers.provider import Delivery, NotGenuine
from billing.connections import Connection, Port
from billing.errors import Refused, SourceClosed, SourceFaulty, SourceUnavailable
from billing.money import Money
from tests.activities.payments.stripe_site import KEY, SECRET, StripeSite, error, signed
from tests.activities.psa.counterpart import HTML, Answer
from tests.starter.web.story import NOW

ORDER = Order(
    billing_key="acme-care/fee/2026-11-01",
    number="B-2026-0001",
    title="B-2026-0001 · Wartung & Pflege",
    amount=Money.of("1190.00", "EUR"),
    language="de",
    return_url="https://billow.example/i/token?x=1&y=2",
    key="order-1",
    expires_at=NOW + timedelta(minutes=90),
)


@pytest.fixture
def account(site: StripeSite) -> StripeAccount:
    return adapter(site)


def adapter(site: StripeSite, key: str = KEY, **settings: str) -> StripeAccount:
    made = Connection(
        id="cards", provider="stripe", port=Port.PAYMENTS, base_url=site.server.url, settings=settings
    )
    built: StripeAccount = PROVIDER.build(made, {"api_key": key})
    return built


def test_a_page(site: StripeSite, account: StripeAccount) -> None:
    """It asks for the amount in the invoice's currency and no other, and its payment names the invoice."""
    page = account.check_out(ORDER)
    (asked,) = site.server.asked
    assert asked.headers["idempotency-key"] == "order-1"
    made = site.sessions[page.session]
    assert (made["amount_total"], made["currency"], made["client_reference_id"]) == (
        119000,
        "eur",
        "B-2026-0001",
    )
    assert made["_metadata"] == {"billow_invoice": ORDER.billing_key, "billow_number": "B-2026-0001"}
    assert page.expires_at == ORDER.expires_at and page.url == made["url"]
    assert b"adaptive_pricing[enabled]=false" in asked.body.replace(b"%5B", b"[").replace(b"%5D", b"]")


def test_the_same_page_again(site: StripeSite, account: StripeAccount) -> None:
    """The same key is the same page, also where the first answer was lost; another amount needs another key."""
    site.server.next_answers.append(Answer(500, {}))
    first = account.check_out(ORDER)
    assert account.check_out(ORDER) == first and site.made == 1
    with pytest.raises(SourceUnavailable):
        account.check_out(replace(ORDER, amount=Money.of("1.00", "EUR")))


def test_a_page_is_ended(site: StripeSite, account: StripeAccount) -> None:
    """Open, it is ended; paid meanwhile, that is what is told; unknown, nothing."""
    one, two = (account.check_out(replace(ORDER, key=key)).session for key in ("1", "2"))
    site.pay(two)
    ended, paid = account.close(one), account.close(two)
    assert ended and ended.status is CheckoutStatus.EXPIRED
    assert paid and paid.status is CheckoutStatus.PAID and paid.payment in site.intents
    assert account.close("cs_test_none") is None


def test_refunded_once(site: StripeSite, account: StripeAccount) -> None:
    """The same item is paid back once, even when Stripe has forgotten the key; a second item is another refund."""
    payment = site.pay(account.check_out(ORDER).session)
    first = account.refund(payment, Money.of("100.00", "EUR"), item=7)
    site._keys.clear()
    assert account.refund(payment, Money.of("100.00", "EUR"), item=7) == first
    assert account.refund(payment, Money.of("90.00", "EUR"), item=8) != first
    assert [each["amount"] for each in site.refunds.values()] == [10000, 9000]
    with pytest.raises(Refused, match="greater than unrefunded"):
        account.refund(payment, Money.of("1000.01", "EUR"), item=9)


def test_what_it_may_take(site: StripeSite) -> None:
    """Amounts it can say, and invoices of the issuers it is for."""
    assert adapter(site).can_take(Money.of("0.50", "EUR"), "berlin")
    assert not adapter(site).can_take(Money.of("1.234", "KWD"), "berlin")
    assert not adapter(site, issuers="vienna, bern").can_take(Money.of("5.00", "EUR"), "berlin")
    assert adapter(site, issuers="vienna, berlin").can_take(Money.of("5.00", "EUR"), "berlin")


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            error(401, "invalid_request_error", "", "Invalid API Key provided: rk_t***"),
            SourceClosed,
            "API key",
        ),
        (error(403, "invalid_request_error", "", "no access"), SourceFaulty, "permissions"),
        (
            error(400, "invalid_request_error", "amount_too_small", "at least €0.50"),
            Refused,
            "at least €0.50",
        ),
        (error(409, "invalid_request_error", "lock_timeout", "busy"), SourceUnavailable, "later"),
        (Answer(404, raw=b"<html>", headers={"Content-Type": "text/html"}), SourceFaulty, "base_url"),
        (HTML, SourceFaulty, "base_url"),
    ],
)
def test_what_it_refuses(
    site: StripeSite, account: StripeAccount, answer: Answer, kind: type[Exception], said: str
) -> None:
    """Each refusal says whose move it is, and none shows the key."""
    site.server.next_answers.append(answer)
    with pytest.raises(kind, match=said) as refusal:
        account.check_out(ORDER)
    assert type(refusal.value) is kind and KEY not in str(refusal.value)


def test_nobody_answers(site: StripeSite) -> None:
    """A Stripe that is away is unavailable, within the time there is."""
    made = adapter(site)
    site.server.next_answers += [Answer(503, {}, {"Retry-After": "30"})] * 9
    with at_most(1.0), pytest.raises(SourceUnavailable):
        made.payment("pi_1")


def test_a_key_that_is_wrong(site: StripeSite) -> None:
    """`billow check --live` says so, once, and not for each permission."""
    with pytest.raises(SourceClosed):
        adapter(site, "rk_test_wrong").samples()


def test_tried_out(site: StripeSite, account: StripeAccount) -> None:
    """Each permission by name, and what the webhook of the account lacks."""
    site.forbidden = {"refunds"}
    site.endpoints = [
        {"status": "enabled", "enabled_events": [each for each in TYPES if "dispute" not in each]}
    ]
    found = {each.ours: each for each in account.samples()}
    assert found["payments"].value == "can be read" and not found["payments"].problem
    assert "permissions" in found["refunds"].problem
    assert "charge.dispute.created" in found["webhook"].problem
    site.endpoints.append({"status": "enabled", "enabled_events": ["*"]})
    assert {each.ours: each.value for each in account.samples()}[
        "webhook"
    ] == "subscribed to all that is needed"


def test_events_verified_by_the_library(site: StripeSite, account: StripeAccount) -> None:
    """What the site signs is genuine for the official library, and for us the same event."""
    site.pay(account.check_out(ORDER).session)
    for event in site.events:
        received = site.delivered(event)
        header = received.headers["stripe-signature"]
        known = stripe.Webhook.construct_event(received.body, header, SECRET, tolerance=10**9)
        (delivery,) = verify(received.body.decode(), header)
        assert delivery.id == known.id == event["id"] and event["type"] in TYPES


GOOD = json.dumps(
    {"id": "evt_1", "object": "event", "type": "charge.refunded", "data": {"object": {"id": "ch_1"}}}
)


def verify(body: str, header: str, *secrets: str) -> tuple[Delivery, ...]:
    assert PROVIDER.webhook
    received = replace(
        signed(body, at=NOW), headers={"content-type": "application/json", "stripe-signature": header}
    )
    return PROVIDER.webhook.verify(received, secrets or (SECRET,), NOW)


def header_of(body: str = GOOD, *, secret: str = SECRET, minutes: float = 0) -> str:
    return signed(body, secret=secret, at=NOW + timedelta(minutes=minutes)).headers["stripe-signature"]


def test_a_new_secret_takes_over() -> None:
    """Signed by any of the secrets it is genuine, also with several signatures."""
    assert verify(GOOD, header_of(secret="whsec_new"), "whsec_old", "whsec_new")[0].id == "evt_1"
    both = f"{header_of(secret='whsec_other')},{header_of().partition(',')[2]}"
    assert verify(GOOD, both)[0].id == "evt_1"


@pytest.mark.parametrize(
    ("body", "header", "said"),
    [
        (GOOD, "", "no Stripe-Signature"),
        (GOOD, "nonsense", "not one of"),
        (GOOD, header_of(secret="whsec_wrong"), "not one of"),
        (GOOD + " ", header_of(), "not one of"),
        (GOOD, header_of(minutes=-5.1), "stale"),
        (GOOD, header_of(minutes=5.1), "stale"),
        ("[]", header_of("[]"), "not an event"),
        ("{", header_of("{"), "not JSON"),
        ("{}", header_of("{}"), "no event"),
        ('{"id": "evt_1", "object": "event"}', header_of('{"id": "evt_1", "object": "event"}'), "no event"),
    ],
)
def test_what_is_not_genuine(body: str, header: str, said: str) -> None:
    """Unsigned, signed by another, changed, stale or from the future, or no event at all: refused, and it says why."""
    with pytest.raises(NotGenuine, match=said):
        verify(body, header)
