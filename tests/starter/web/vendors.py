"""Vendors before the web app: a company connected to their counterparts, and deliveries as they sign them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hubspot.utils.signature import Signature
from starlette.testclient import TestClient

from activities.ledger import deliveries
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from starter.web import create_app
from tests.activities.crm.hubspot_account import DEAL, TOKEN
from tests.activities.crm.hubspot_account import SECRET as HUBSPOT_SECRET
from tests.activities.esign.dropbox_sign_account import EXAMPLE, KEY
from tests.activities.ledger.conftest import rows
from tests.company import TestCompany
from workers.settings import Settings

HUBSPOT = "/webhooks/hubspot"
DROPBOX = "/webhooks/papers"


@contextmanager
def connected(
    settings: Settings,
    ledger: Ledger,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    crm: str,
    contracts: str,
    **secrets: str,
) -> Iterator[TestClient]:
    """The app of a company with a connection to each vendor, whose counterparts answer at these addresses.

    The deal and the contract of the published examples are each billed by an agreement.
    """
    company = TestCompany(folder)
    company.clients[0]["crm"] = "550001"
    fixed = {
        "model": "fixed price",
        "project": "P-1",
        "client": "acme",
        "currency": "EUR",
        "start": "2026-01-01",
        "amount": "12500.00",
    }
    company.agreements = [
        fixed | {"id": "network", "title": "Network", "trigger": "deal won", "deal": DEAL},
        fixed | {"id": "paper", "title": "Paper", "trigger": "contract signed", "contract": EXAMPLE},
    ]
    company.company_file = {
        "connections": [
            {"id": "hubspot", "provider": "hubspot", "port": "crm", "base_url": crm},
            {"id": "papers", "provider": "dropbox-sign", "port": "contracts", "base_url": contracts},
        ]
    }
    company.write_sources()
    apply_company(ledger, company.company(), str(folder), "mara", datetime.now(UTC))
    known = {"hubspot_access_token": TOKEN, "hubspot_client_secret": HUBSPOT_SECRET, "papers_api_key": KEY}
    for name, value in (known | secrets).items():
        monkeypatch.setenv(f"BILLOW_{name.upper()}", value)
    with TestClient(
        create_app(settings, ledger), base_url="https://billow.test", raise_server_exceptions=False
    ) as made:
        yield made


def stage_changed(deal: str = "9870001", event: int = 100, **changes: Any) -> dict[str, Any]:
    """A HubSpot event, as its pages show one: a deal was moved to another stage."""
    said = {
        "eventId": event,
        "subscriptionId": 12345,
        "portalId": 62515,
        "appId": 54321,
        "occurredAt": 1769947200000,
        "subscriptionType": "deal.propertyChange",
        "attemptNumber": 0,
        "objectId": int(deal),
        "propertyName": "dealstage",
        "propertyValue": "closedwon",
        "changeSource": "CRM_UI",
        "sourceId": "userId:123",
    }
    return said | changes


def by_hubspot(
    body: bytes, url: str, *, secret: str = HUBSPOT_SECRET, age: float = 0, method: str = "POST"
) -> dict[str, str]:
    """The headers HubSpot sends with a body, signed by its own library."""
    stamp = str(int((datetime.now(UTC).timestamp() - age) * 1000))
    return {
        "content-type": "application/json",
        "x-hubspot-signature-v3": Signature.get_signature(secret, body.decode(), "v3", url, method, stamp),
        "x-hubspot-request-timestamp": stamp,
    }


def all_signed(contract: str, *, age: float = 0, key: str = KEY, **changes: Any) -> dict[str, Any]:
    """An event of Dropbox Sign, as its pages show one: everybody has signed."""
    stamp, kind = str(int(datetime.now(UTC).timestamp() - age)), "signature_request_all_signed"
    digest = hmac.new(key.encode(), f"{stamp}{kind}".encode(), hashlib.sha256).hexdigest()
    metadata = {
        "related_signature_id": "ad4d8a769b555fa5ef38691465d426682bf2c992",
        "reported_for_account_id": "63522885f9261e2b04eea043933ee7313eb674fd",
        "reported_for_app_id": None,
    }
    event = {"event_time": stamp, "event_type": kind, "event_hash": digest, "event_metadata": metadata}
    return {
        "event": event | changes,
        "signature_request": {"signature_request_id": contract, "is_complete": True},
    }


def form(content: Any, name: str = "json") -> tuple[bytes, dict[str, str]]:
    """A body and its headers, as Dropbox Sign posts them."""
    text = content if isinstance(content, str) else json.dumps(content)
    head = f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return f"{head}{text}\r\n--limit--\r\n".encode(), {"content-type": "multipart/form-data; boundary=limit"}


def stored(ledger: Ledger) -> list[tuple[Any, ...]]:
    return rows(ledger, "select connection, status, repeats from deliveries order by received_at, delivery")


def act_on_all(ledger: Ledger) -> list[tuple[str, str]]:
    """Acts on every stored message; gives status and outcome of each."""
    found = []
    for connection, delivery in rows(ledger, "select connection, delivery from deliveries order by delivery"):
        with ledger.transaction() as tx:
            row = deliveries.act(tx, connection, delivery, at=datetime.now(UTC))
            found.append((str(row.status), row.outcome))
    return found
