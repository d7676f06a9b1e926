"""The page that stands in for a payment provider in development: it pays once, refuses, and leads back home."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from activities.invoicing import checkout
from activities.ledger import audit_trail, invoices
from activities.ledger.database import Ledger
from starter.web import create_app
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story
from workers.settings import Settings


@pytest.fixture
def number(story: Story) -> str:
    """An issued invoice over 8,500 euros."""
    return story.issued("one")


def clicked(ledger: Ledger, number: str, settings: Settings, back: str = "/i/token") -> str:
    """The path of the page a client gets who wants to pay."""
    url = checkout.start(
        ledger,
        number,
        return_url=f"{settings.web_url}{back}" if back.startswith("/") else back,
        stand_in=settings.web_url,
        at=datetime.now(UTC),
    )
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def give(visitor: Visitor, path: str, outcome: str) -> tuple[int, str]:
    answer = visitor.post(
        path, data={"csrf": visitor.token(path), "outcome": outcome}, follow_redirects=False
    )
    return answer.status_code, answer.headers.get("location", "")


def test_paid(visitor: Visitor, ledger: Ledger, settings: Settings, number: str) -> None:
    """It says what is to be paid, books it once, leads back, and nothing can be paid on it again."""
    path = clicked(ledger, number, settings)
    assert "EUR 8,500.00" in visitor.get(path).text and number in visitor.get(path).text
    token = visitor.token(path)
    for _ in range(2):
        answer = visitor.post(path, data={"csrf": token, "outcome": "paid"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{settings.web_url}/i/token")
    with ledger.transaction() as tx:
        row = invoices.find(tx, number)
        assert (row.payment_status, f"{row.paid:.2f}") == ("paid", "8500.00")
        assert not audit_trail.verify(tx, row.id)
    assert "nothing can be paid on it" in visitor.get(path).text


def test_refused(visitor: Visitor, ledger: Ledger, settings: Settings, number: str) -> None:
    """A bank that refuses is told on the invoice, and the page can be paid on after that."""
    path = clicked(ledger, number, settings)
    assert give(visitor, path, "refused")[0] == 303
    with ledger.transaction() as tx:
        row = invoices.find(tx, number)
        assert row.payment_status == "unpaid"
        assert "payment failed" in [each.event for each in audit_trail.trail(tx, row.id)]
    give(visitor, path, "paid")
    with ledger.transaction() as tx:
        assert invoices.find(tx, number).payment_status == "paid"


def test_what_is_no_form_of_ours(visitor: Visitor, ledger: Ledger, settings: Settings, number: str) -> None:
    """Without its token, with another outcome, or for no page of ours, nothing is booked; it leads nowhere else."""
    path = clicked(ledger, number, settings, back="https://elsewhere.example/")
    assert visitor.post(path, data={"outcome": "paid"}).status_code == 403
    assert give(visitor, path, "gold")[0] == 400
    assert visitor.get("/stand-in-checkout/stand-in-none").status_code == 404
    assert "elsewhere.example" not in visitor.get(path).text
    with ledger.transaction() as tx:
        assert invoices.find(tx, number).paid == 0


def test_only_in_development(ledger: Ledger, settings: Settings, number: str) -> None:
    """Where Billow runs for real, nobody is shown such a page."""
    path = clicked(ledger, number, settings)
    app = create_app(settings.model_copy(update={"development": False}), ledger)
    with TestClient(app, base_url="https://billow.test") as client:
        assert client.get(path).status_code == 404
