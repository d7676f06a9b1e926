"""Paid by card on the provider's page, and taken back by the client's bank, told by the provider's webhook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from activities.invoicing import checkout
from activities.ledger import deliveries
from activities.payments.stripe import PROVIDER
from billing.connections import Connection, Port
from tests.activities.payments.stripe_site import KEY, SECRET, StripeSite
from tests.stories.story import Story, now


@pytest.fixture
def site() -> Iterator[StripeSite]:
    site = StripeSite(now())
    with site.server:
        yield site
        assert not site.server.refused


def connect(story: Story, site: StripeSite) -> Connection:
    """The company takes payments by Stripe."""
    story.patches.setenv("BILLOW_CARDS_API_KEY", KEY)
    connection = Connection(id="cards", provider="stripe", port=Port.PAYMENTS, base_url=site.server.url)
    story.company.company_file = {"connections": [connection.model_dump(mode="json")]}
    return connection


def deliver(story: Story, connection: Connection, site: StripeSite, events: list[dict[str, Any]]) -> None:
    """Stores what Stripe sends, as the web app does; the outbox carries it."""
    assert PROVIDER.webhook
    for event in events:
        received = site.delivered(event, at=now())
        messages = PROVIDER.webhook.verify(received, (SECRET,), now())
        with story.effects.ledger.transaction() as tx:
            deliveries.store(tx, connection, received, messages, verified_by="Stripe", at=now())


async def test_chargeback_by_webhook(story: Story, site: StripeSite) -> None:
    """Reminded once, paid by card, closed; the chargeback wakes it where it stood, and the second reminder goes out.

    All of it is told twice and the wrong way round. Won in the end, the money is back and the invoice is closed.
    """
    connection = connect(story, site)
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    await story.until_next(key)
    await story.happens(key, "reminder-1")
    await story.waits(key, "payment")
    page = checkout.start(
        story.effects.ledger, key, return_url="https://billow.example/i/token", at=now()
    ).rpartition("/")[2]
    payment = site.pay(page, fee=1785)
    deliver(story, connection, site, [*reversed(site.events), *site.events])
    assert (await story.ends(key)).state == "settled: paid"
    assert (story.row(key).payment_status, story.row(key).collection_status) == ("paid", "closed")

    dispute = site.dispute(payment)
    deliver(story, connection, site, [*reversed(site.events), *site.events])
    row = await story.waits(key, "payment of EUR 1,190.00")
    assert (row.payment_status, row.closed_at, row.then) == ("unpaid", None, "reminder-2")
    await story.until_next(key)
    await story.happens(key, "reminder-2")
    await story.waits(key, "payment")

    site.decide(dispute, "won")
    deliver(story, connection, site, site.events)
    assert (await story.ends(key)).state == "settled: paid"
    assert story.row(key).payment_status == "paid"
    assert [story.events(key).count(each) for each in ("reminder-1", "reminder-2", "issued")] == [1, 1, 1]
    assert len(story.mails("ap@client.example")) == 3
    await story.recorded(key, "chargeback-by-webhook", actions=12, kilobytes=16)
