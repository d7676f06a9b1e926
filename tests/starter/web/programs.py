"""Programs before the web app: one that signs what it sends, one with a token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.testclient import TestClient

from activities.ledger import api_tokens
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from billing.scopes import Scope
from starter.web import create_app
from tests.company import TestCompany, retainer
from workers.settings import Settings

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes long").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"the one that is being replaced ...").decode()


def event(id_: str = "e1", kind: str = "milestone.signed_off", **data: Any) -> dict[str, Any]:
    """A CloudEvent; a milestone of `shop` that was signed off, unless told otherwise."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/psa",
        "type": f"billow.{kind}",
        "datacontenttype": "application/json",
        "data": data or {"agreement": "shop", "milestone": "design"},
    }


def signed(
    body: bytes, *, secret: str = SECRET, id_: str = "msg_1", at: datetime | None = None, age: int = 0
) -> dict[str, str]:
    """The headers of Standard Webhooks for a body, made by hand from its specification."""
    stamp = str(int((at or datetime.now(UTC)).timestamp()) - age)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "content-type": "application/json",
    }


@contextmanager
def client_of(settings: Settings, ledger: Ledger, secrets: str | None) -> Iterator[TestClient]:
    """The app, not in development, with these secrets for webhooks."""
    changed = settings.model_copy(
        update={"webhook_secrets": SecretStr(secrets) if secrets else None, "development": False}
    )
    app = create_app(changed, ledger)
    with TestClient(app, base_url="https://billow.test", raise_server_exceptions=False) as made:
        yield made


def company_of(folder: Path, ledger: Ledger) -> TestCompany:
    """A retainer that is due and milestones, applied."""
    company = TestCompany(folder)
    company.agreements = [
        retainer("care", "acme", "100.00"),
        {
            "id": "shop",
            "model": "milestone",
            "client": "acme",
            "title": "Shop",
            "currency": "EUR",
            "project": "P-1",
            "start": "2026-01-01",
            "milestones": [
                {"id": "design", "title": "Design", "amount": "1000.00"},
                {"id": "launch", "title": "Launch", "amount": "2000.00"},
            ],
        },
        {
            "id": "block",
            "model": "prepaid block",
            "client": "acme",
            "title": "Support",
            "currency": "EUR",
            "project": "P-2",
            "start": "2026-01-01",
            "hours": "10",
            "price": "1000.00",
        },
    ]
    apply_company(ledger, company.company(), "company", "mara", datetime.now(UTC))
    return company


def token_of(ledger: Ledger, person: str, name: str = "psa") -> str:
    """A new token that speaks for the person."""
    with ledger.transaction() as tx:
        return api_tokens.create(tx, name, person, scopes=tuple(Scope), at=datetime.now(UTC))


def text_of(content: Any) -> bytes:
    return json.dumps(content).encode()
