"""A company that takes payments by Stripe, its ledger, and the account at the other end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from activities.invoicing import checkout
from activities.ledger import audit_trail, company_records, deliveries, invoices
from activities.ledger.database import Ledger
from activities.ledger.tables import InvoiceRow
from activities.payments.stripe import PROVIDER
from activities.payments.stripe_account import StripeAccount
from billing.connections import Connection, Port
from starter.local_stack.postgres import Cluster
from tests.activities.payments.stripe_site import KEY, SECRET, StripeSite
from tests.emptying import emptied
from tests.starter.web.story import COMPANY, NOW, Story

RETURN = "https://billow.example/i/token"


@dataclass
class Till:
    """Issued invoices, and what Stripe tells of them."""

    ledger: Ledger
    site: StripeSite
    story: Story
    connection: Connection

    @property
    def adapter(self) -> StripeAccount:
        return PROVIDER.build(self.connection, {"api_key": KEY})  # type: ignore[no-any-return]

    def start(self, number: str, at: datetime = NOW, **changes: Any) -> str:
        """A client clicks; the id of the page they get."""
        url = checkout.start(self.ledger, number, return_url=RETURN, at=at, **changes)
        return url.rpartition("/")[2]

    def deliver(
        self, events: Iterable[dict[str, Any]] | None = None, at: datetime = NOW
    ) -> list[tuple[str, str]]:
        """Delivers these events, or all there are, in that order, and acts on each; status and outcome of each."""
        told = []
        for event in list(self.site.events if events is None else events):
            received = self.site.delivered(event, at=at)
            assert PROVIDER.webhook
            messages = PROVIDER.webhook.verify(received, (SECRET,), at)
            with self.ledger.transaction() as tx:
                deliveries.store(tx, self.connection, received, messages, verified_by="Stripe", at=at)
            with self.ledger.transaction() as tx:
                row = deliveries.act(tx, self.connection.id, messages[0].id, at=at)
                told.append((row.status, row.outcome))
        return told

    def row(self, number: str) -> InvoiceRow:
        with self.ledger.transaction() as tx:
            return invoices.find(tx, number)

    def standing(self, number: str) -> tuple[str, str, str]:
        """Payment status, what is open, collection status."""
        row = self.row(number)
        return row.payment_status, f"{row.open_amount:.2f}", row.collection_status

    def events(self, number: str) -> list[str]:
        """The audit trail of an invoice, as names, which must hold."""
        with self.ledger.transaction() as tx:
            id_ = invoices.find(tx, number).id
            assert not audit_trail.verify(tx, id_)
            return [each.event for each in audit_trail.trail(tx, id_)]


@pytest.fixture(scope="session")
def one_database(postgres: Cluster, template_database: str) -> Iterator[Engine]:
    engine = create_engine(postgres.create_database("payments", template_database))
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(one_database: Engine) -> Iterator[Ledger]:
    """An empty ledger."""
    made = Ledger(emptied(one_database))
    yield made
    made.close()


@pytest.fixture
def site() -> Iterator[StripeSite]:
    site = StripeSite(NOW)
    with site.server:
        yield site
        assert not site.server.refused


@pytest.fixture
def till(ledger: Ledger, site: StripeSite, monkeypatch: pytest.MonkeyPatch) -> Till:
    monkeypatch.setenv("BILLOW_CARDS_API_KEY", KEY)
    story = Story(ledger)
    connection = Connection(id="cards", provider="stripe", port=Port.PAYMENTS, base_url=site.server.url)
    connect(ledger, connection)
    return Till(ledger, site, story, connection)


def connect(ledger: Ledger, *connections: Connection, **changes: Any) -> None:
    """The company as it is from now on."""
    company = COMPANY.model_copy(update={"connections": connections, **changes})
    company_records.apply_company(ledger, company, "company", "lena", NOW)
