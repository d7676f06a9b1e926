"""The command line about connected systems: how they fare, what they delivered, asking them now, running it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from activities.ledger import deliveries, events
from activities.ledger.company_records import apply_company, current
from activities.providers.provider import Delivery, Received
from tests.activities.crm.hubspot_account import DEAL, TOKEN, HubSpotAccount, bills_the_deal
from tests.starter.cli.conftest import Desk
from tests.starter.web.vendors import stage_changed

ID = "a/b c/1"


@pytest.fixture
def account() -> Iterator[HubSpotAccount]:
    account = HubSpotAccount().example()
    with account.server:
        yield account


@pytest.fixture
def connected(empty_desk: Desk, account: HubSpotAccount) -> Desk:
    """A desk whose company has one CRM, with a deal that an agreement bills."""
    company = empty_desk.company
    bills_the_deal(company, account)
    ledger = empty_desk.effects.ledger
    apply_company(ledger, company.company(), str(company.folder), "mara", datetime.now(UTC))
    empty_desk.environment |= {
        "BILLOW_WEB_URL": "https://billow.test",
        "BILLOW_HUBSPOT_ACCESS_TOKEN": TOKEN,
        "BILLOW_HUBSPOT_CLIENT_SECRET": None,
    }
    return empty_desk


def come(desk: Desk, id_: str = ID) -> None:
    content = stage_changed()
    body = json.dumps([content]).encode()
    received = Received("POST", "https://x", {"content-type": "application/json"}, body)
    with desk.effects.ledger.transaction() as tx:
        connection = current(tx).company.connections[0]
        message = Delivery(id_, content)
        deliveries.store(tx, connection, received, [message], verified_by="HubSpot", at=datetime.now(UTC))


def narrow(text: str) -> str:
    assert max(map(len, text.splitlines())) <= 80, text
    return " ".join(text.split())


def test_nothing_connected(desk: Desk) -> None:
    """Where nothing is connected it says what to do."""
    assert "No system is connected" in desk.type("integrations").stdout
    assert desk.read("integrations")["integrations"][0]["connection"] == "events"
    assert "No delivery has come in" in desk.type("deliveries").stdout
    assert "No connected system is asked" in desk.type("integrations", "poll").stdout
    assert "There is no connection 'x'" in desk.type("integrations", "poll", "x", code=1).stderr


def test_integrations(connected: Desk) -> None:
    """Every system says how it fares, in 80 columns and as JSON, and why its endpoint is off."""
    come(connected)
    said = narrow(connected.type("integrations").stdout)
    assert "hubspot: HubSpot, crm works" in said and "1 delivery, 1 waiting" in said
    assert "/webhooks/hubspot is off: BILLOW_HUBSPOT_CLIENT_SECRET is not set" in said
    on = narrow(connected.type("integrations", BILLOW_HUBSPOT_CLIENT_SECRET="a b").stdout)
    assert "https://billow.test/webhooks/hubspot 1 delivery" in on
    off = narrow(connected.type("integrations", BILLOW_HUBSPOT_ACCESS_TOKEN="").stdout)
    assert "not set up" in off and "set the environment variable BILLOW_HUBSPOT_ACCESS_TOKEN" in off
    (hubspot, standard) = connected.read("integrations")["integrations"]
    assert (hubspot["state"], hubspot["waiting"], hubspot["endpoint"]["on"]) == ("works", 1, False)
    assert standard["endpoint"]["url"] == "https://billow.test/webhooks/events"
    assert "delivers by itself" in connected.type("integrations", "poll", "hubspot", code=1).stderr


def test_deliveries(connected: Desk) -> None:
    """A delivery is listed, shown with what it said, run again, and leads to what it billed."""
    come(connected)
    come(connected, "second")
    said = narrow(connected.type("deliveries", "--connection", "hubspot", "--limit", "1").stdout)
    assert "hubspot second waiting signed by HubSpot" in said and "There are more than these 1" in said
    assert connected.type("deliveries", "--status", "held").stdout.strip() == "No delivery is held."
    shown = connected.type("deliveries", "show", "hubspot", ID).stdout
    assert '"subscriptionType": "deal.propertyChange"' in shown
    assert "billow deliveries run-again hubspot 'a/b c/1'" in shown
    again = connected.type("deliveries", "run-again", "hubspot", ID, "--as", "pia").stdout
    assert "acted on, billow.deal.won (run again by pia)" in " ".join(again.split())
    events.act_on_waiting(connected.effects.ledger, datetime.now(UTC))
    (found,) = connected.read("deliveries", "--status", "acted-on")["deliveries"]
    assert (found["delivery"], found["billing_keys"]) == (ID, ["network/price"])
    read = connected.read("deliveries", "show", "hubspot", ID)
    assert json.loads(read["payload"])[0]["objectId"] == int(DEAL)
    assert "billow show network/price" in connected.type("deliveries", "show", "hubspot", ID).stdout
    assert "was acted on" in connected.type("deliveries", "run-again", "hubspot", ID, code=1).stderr
    assert "there is no delivery" in connected.type("deliveries", "show", "x", "y", code=1).stderr.lower()


def test_inbox(connected: Desk) -> None:
    """A delivery that is held stands in the inbox under its system, with what to do."""
    come(connected)
    connected.type("deliveries", "run-again", "hubspot", ID, BILLOW_HUBSPOT_ACCESS_TOKEN="")
    said = narrow(connected.type("inbox").stdout)
    assert "connected system hubspot" in said and "set the environment variable" in said
    assert "resolve 1 --retry" in said
    assert "Tried again within seconds" in narrow(
        connected.type("resolve", 1, "--retry", "--as", "pia").stdout
    )
