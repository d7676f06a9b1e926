"""What every payment provider promises: pages for one order, ended once, and nothing it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from activities.payments.provider import CheckoutStatus, Order, PaymentProvider
from activities.payments.stand_in import StandInCheckout
from activities.payments.stripe import PROVIDER
from activities.providers.registry import providers
from billing.connections import Connection, Port
from billing.errors import Refused
from billing.money import Money
from tests.activities.payments.stripe_site import KEY, StripeSite
from tests.contract.test_any import NOW

ORDER = Order(
    billing_key="acme-care/fee/2026-11-01",
    number="B-2026-0001",
    title="B-2026-0001",
    amount=Money.of("1190.00", "EUR"),
    language="pl",
    return_url="https://billow.example/i/token",
    key="billow/one",
    expires_at=NOW + timedelta(minutes=75),
)


@pytest.fixture(params=["stripe", "stand-in"])
def provider(request: pytest.FixtureRequest) -> Iterator[PaymentProvider]:
    if request.param == "stand-in":
        yield StandInCheckout("http://127.0.0.1:8080/")
        return
    site = StripeSite(NOW)
    with site.server:
        connection = Connection(id="x", provider="stripe", port=Port.PAYMENTS, base_url=site.server.url)
        yield PROVIDER.build(connection, {"api_key": KEY})


def test_every_provider_is_here() -> None:
    """Whatever is installed for payments keeps its promises."""
    assert [name for name, each in providers().items() if Port.PAYMENTS in each.ports] == ["stripe"]


def test_one_order_one_page(provider: PaymentProvider) -> None:
    """The same order is the same page, with time left; another key is another one."""
    page = provider.check_out(ORDER)
    assert provider.check_out(ORDER) == page and page.expires_at > NOW and "://" in page.url
    assert provider.check_out(replace(ORDER, key="billow/two")).session != page.session


def test_a_page_is_ended_once(provider: PaymentProvider) -> None:
    """Ended, it can be ended again, and stays so."""
    session = provider.check_out(ORDER).session
    for _ in range(2):
        ended = provider.close(session)
        assert ended and (ended.session, ended.status) == (session, CheckoutStatus.EXPIRED)


def test_what_it_does_not_know(provider: PaymentProvider) -> None:
    """A payment nobody made is none, and nothing of it is paid back."""
    assert provider.payment("pi_none") is None
    with pytest.raises(Refused):
        provider.refund("pi_none", Money.of("1.00", "EUR"), item=1)


def test_nothing_is_no_amount(provider: PaymentProvider) -> None:
    """There is no page for nothing."""
    assert provider.can_take(Money.of("0.01", "EUR"), "berlin")
    assert not provider.can_take(Money.zero("EUR"), "berlin")
