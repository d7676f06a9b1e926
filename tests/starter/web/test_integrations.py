"""The pages about connected systems: how each fares, what each said, and running it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from activities.ledger import deliveries, events
from activities.ledger.company_records import apply_company, current
from activities.ledger.database import Ledger
from activities.providers.provider import Delivery, Received
from billing.events import BillingEvent
from tests.activities.crm.hubspot_account import DEAL, TOKEN, HubSpotAccount, bills_the_deal
from tests.activities.ledger.conftest import rows
from tests.company import TestCompany
from tests.starter.web.conftest import Visitor
from tests.starter.web.programs import event
from tests.starter.web.vendors import stage_changed

ID = "a/b?c=d&e #1/ü"


@pytest.fixture
def account() -> Iterator[HubSpotAccount]:
    account = HubSpotAccount().example()
    with account.server:
        yield account


@pytest.fixture
def connected(
    ledger: Ledger, tmp_path: Path, account: HubSpotAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = TestCompany(tmp_path / "company")
    bills_the_deal(company, account)
    apply_company(ledger, company.company(), str(company.folder), "mara", datetime.now(UTC))
    monkeypatch.setenv("BILLOW_HUBSPOT_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("BILLOW_HUBSPOT_CLIENT_SECRET", "s3cret-of-hubspot")


def come(ledger: Ledger, id_: str, body: bytes | None = None, **changes: object) -> None:
    content = stage_changed(**changes)  # type: ignore[arg-type]
    said = json.dumps([content]).encode() if body is None else body
    received = Received("POST", "https://x", {"content-type": "application/json"}, said)
    with ledger.transaction() as tx:
        connection = current(tx).company.connections[0]
        message = Delivery(id_, content)
        deliveries.store(tx, connection, received, [message], verified_by="HubSpot", at=datetime.now(UTC))


def message_path(id_: str) -> str:
    return f"/integrations/hubspot/message?delivery={quote(id_, safe='')}"


def test_nothing_connected(visitor: Visitor, ledger: Ledger, tmp_path: Path) -> None:
    """Where nothing is connected the page says what to do."""
    TestCompany(tmp_path / "company").apply(ledger)
    assert "sign-in" in str(visitor.get("/integrations").url)
    visitor.sign_in("pia")
    page = visitor.get("/integrations")
    assert page.status_code == 200 and "No system is connected" in page.text
    assert "Nothing has come in from it yet" in visitor.get("/integrations/events").text
    assert visitor.get("/integrations/nobody").status_code == 404


@pytest.mark.usefixtures("connected")
def test_listed(visitor: Visitor, ledger: Ledger) -> None:
    """Each system says how it fares and where it delivers to; no secret stands anywhere."""
    visitor.sign_in("pia")
    come(ledger, ID)
    page = visitor.get("/integrations").text
    assert "HubSpot" in page and "/webhooks/hubspot" in page and "1 waiting" in page
    assert "Standard Webhooks" in page and "off: no secret" in page
    assert 'href="/integrations" aria-current="page"' in page
    detail = visitor.get("/integrations/hubspot").text
    assert "https://billow.test/webhooks/hubspot" in detail and "signed by HubSpot" in detail
    for text in (page, detail, visitor.get(message_path(ID)).text):
        assert TOKEN not in text and "s3cret" not in text


@pytest.mark.usefixtures("connected")
def test_run_again(visitor: Visitor, ledger: Ledger, account: HubSpotAccount) -> None:
    """A person runs a message again, by a form of ours; what it billed is linked, and then it stands."""
    account.objects["deals"][DEAL]["dealstage"] = "qualifiedtobuy"
    come(ledger, ID)
    visitor.sign_in("pia")
    fields = {"connection": "hubspot", "delivery": ID, "back": message_path(ID)}
    assert visitor.post("/commands/run-again", data=fields).status_code == 403
    assert rows(ledger, "select status from deliveries") == [("waiting",)]
    token = visitor.token(message_path(ID))
    page = visitor.post("/commands/run-again", data=fields | {"csrf": token}).text
    assert "It is nothing due" in page and "Run again" in page
    account.objects["deals"][DEAL]["dealstage"] = "closedwon"
    page = visitor.post("/commands/run-again", data=fields | {"csrf": token}).text
    assert (
        "It is acted on: billow.deal.won (run again by pia)" in page
        and '<button class="primary">Run' not in page
    )
    events.act_on_waiting(ledger, datetime.now(UTC))
    assert '<a class="key" href="/invoices/network/price">' in visitor.get("/integrations/hubspot").text
    assert "was acted on" in visitor.post("/commands/run-again", data=fields | {"csrf": token}).text


@pytest.mark.usefixtures("connected")
def test_only_who_is_signed_in(visitor: Visitor, ledger: Ledger) -> None:
    """Who is not signed in sees no log, and runs nothing again."""
    come(ledger, ID)
    for path in ("/integrations", "/integrations/hubspot", message_path(ID)):
        assert "sign-in" in str(visitor.get(path).url)
    fields = {"connection": "hubspot", "delivery": ID, "csrf": visitor.token()}
    visitor.post("/commands/run-again", data=fields)
    assert rows(ledger, "select status from deliveries") == [("waiting",)]


@pytest.mark.usefixtures("connected")
def test_what_it_said(visitor: Visitor, ledger: Ledger) -> None:
    """What was said is shown as text, however it reads, and so much of it that a browser can bear it."""
    visitor.sign_in("pia")
    come(ledger, "<script>1</script>", body=b'{"a": "<script>alert(1)</script>", "n": "\xff"}')
    page = visitor.get(message_path("<script>1</script>")).text
    assert "<script>1" not in page and "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    come(ledger, "large", body=b'["' + b"x" * 1_000_000 + b'"]')
    page = visitor.get(message_path("large"))
    assert len(page.text) < 100_000 and "The first 65,536 of" in page.text
    assert visitor.get(message_path("none")).status_code == 404
    assert visitor.get("/integrations/hubspot/message").status_code == 404
    assert visitor.get("/integrations/hubspot/message?source=%00&event=%00").status_code == 404


@pytest.mark.usefixtures("connected")
def test_standard_webhooks(visitor: Visitor, ledger: Ledger) -> None:
    """Events of /webhooks/events stand beside the deliveries, so that nobody looks in two places."""
    found = BillingEvent.model_validate(event("e/1"))
    events.take_in(ledger, found, channel="webhook", at=datetime.now(UTC))
    polled = BillingEvent.model_validate(event("p1") | {"source": "/integrations/hubspot"})
    events.take_in(ledger, polled, channel="polling", at=datetime.now(UTC))
    visitor.sign_in("pia")
    log = visitor.get("/integrations/events").text
    assert "e/1" in log and "p1" not in log and "held" in log
    polled_log = visitor.get("/integrations/hubspot").text
    assert "p1" in polled_log and "polled" in polled_log and "e/1" not in polled_log
    path = "/integrations/events/message?source=%2Fpsa&event=e%2F1"
    assert "billow.milestone.signed_off" in visitor.get(path).text
    fields = {"source": "/psa", "event": "e/1", "back": path, "csrf": visitor.token(path)}
    assert "It is held" in visitor.post("/commands/run-again", data=fields).text


@pytest.mark.usefixtures("connected")
def test_in_the_inbox(visitor: Visitor, ledger: Ledger, account: HubSpotAccount) -> None:
    """A system that needs somebody stands in the inbox, with a way to it; retried, the workers ask it at once."""
    account.deal(DEAL, dealstage="closedwon")
    come(ledger, ID, objectId=1)
    with pytest.MonkeyPatch.context() as without:
        without.delenv("BILLOW_HUBSPOT_ACCESS_TOKEN")
        with ledger.transaction() as tx:
            assert deliveries.act(tx, "hubspot", ID, at=datetime.now(UTC)).status == "held"
    visitor.sign_in("pia")
    inbox = visitor.get("/?for=all").text
    assert "A connected system" in inbox and '<a href="/integrations/hubspot">hubspot</a>' in inbox
    assert "set the environment variable BILLOW_HUBSPOT_ACCESS_TOKEN" in inbox
    ((number,),) = rows(ledger, "select id from exceptions")
    assert "Tried again within seconds" in visitor.give("resolve", exception=str(number), resolution="retry")
    said = visitor.give("resolve", exception=str(number), resolution="accept", reason="a test")
    assert "what was held is set aside" in said
    assert rows(ledger, "select status from deliveries") == [("set aside",)]
