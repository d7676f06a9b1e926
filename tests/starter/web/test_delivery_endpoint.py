"""The endpoint for vendors' deliveries, whoever the vendor is: when it is there, and what it answers when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from httpx import Response
from psycopg import sql
from starlette.testclient import TestClient

from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from starter.local_stack.postgres import Cluster
from starter.web import create_app
from tests.activities.crm.hubspot_account import SECRET, TOKEN, HubSpotAccount
from tests.activities.ledger.conftest import at_once, rows
from tests.company import TestCompany
from tests.starter.web.vendors import act_on_all, by_hubspot, stage_changed, stored
from workers.settings import Settings

BASE = "https://billow.test"


@pytest.fixture
def account() -> Iterator[HubSpotAccount]:
    account = HubSpotAccount().example()
    with account.server:
        yield account


def connection(id_: str, url: str = "http://127.0.0.1:9", **changes: Any) -> dict[str, Any]:
    return {"id": id_, "provider": "hubspot", "port": "crm", "base_url": url} | changes


def connect(ledger: Ledger, folder: Path, *connections: dict[str, Any]) -> None:
    company = TestCompany(folder)
    company.company_file = {"connections": list(connections)} if connections else {}
    company.write_sources()
    apply_company(ledger, company.company(), str(folder), "mara", datetime.now(UTC))


@pytest.fixture
def sender(settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    for name in ("CRM", "SALES", "PARTNERS"):
        monkeypatch.setenv(f"BILLOW_{name}_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("BILLOW_CRM_CLIENT_SECRET", SECRET)
    with TestClient(create_app(settings, ledger), base_url=BASE, raise_server_exceptions=False) as made:
        yield made


def send(sender: TestClient, name: str = "crm", *, secret: str = SECRET, **changes: Any) -> Response:
    body = json.dumps([stage_changed(**changes)]).encode()
    path = f"/webhooks/{name}"
    answer: Response = sender.post(path, content=body, headers=by_hubspot(body, BASE + path, secret=secret))
    return answer


def test_there(sender: TestClient, ledger: Ledger, tmp_path: Path) -> None:
    """A delivery is known by its connection's id, or by its provider where there is one of it."""
    connect(ledger, tmp_path, connection("crm"))
    assert send(sender, "crm", event=1).status_code == 200
    assert send(sender, "hubspot", event=2).status_code == 200
    assert [row[0] for row in stored(ledger)] == ["crm", "crm"]
    for unknown in ("sales", "dropbox-sign", "nobody", "%00", "crm%2F..", "events"):
        assert send(sender, unknown).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_before_there_is_a_company(sender: TestClient, method: str) -> None:
    """Without a company nothing is there, whatever the method."""
    assert sender.request(method, "/webhooks/crm").status_code == 404


def test_two_of_one_provider(
    sender: TestClient, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two connections of one provider have each their own secret, their own messages, and no common address."""
    connect(ledger, tmp_path, connection("sales"), connection("partners", port="contracts"))
    monkeypatch.setenv("BILLOW_SALES_CLIENT_SECRET", "one")
    monkeypatch.setenv("BILLOW_PARTNERS_CLIENT_SECRET", "two")
    assert send(sender, "sales", secret="one").status_code == 200
    assert send(sender, "partners", secret="two").status_code == 200
    assert send(sender, "sales", secret="two").status_code == 401
    assert send(sender, "hubspot", secret="one").status_code == 404
    assert [row[0] for row in stored(ledger)] == ["sales", "partners"]
    assert rows(ledger, "select connection, refused, last_refusal is not null from integrations") == [
        ("sales", 1, True)
    ]


def test_secrets_rotate(
    sender: TestClient, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one secret takes over from another both are good, then only the new one; without any, nothing is there."""
    connect(ledger, tmp_path, connection("crm"))
    answers = []
    for known in ("old", "old new", "new", " "):
        monkeypatch.setenv("BILLOW_CRM_CLIENT_SECRET", known)
        answers.append([send(sender, secret=each).status_code for each in ("old", "new")])
    assert answers == [[200, 401], [200, 200], [401, 200], [404, 404]]
    assert stored(ledger) == [("crm", "waiting", 3)]


def test_a_variable_of_ones_own(
    sender: TestClient, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`integrations.yaml` may name the variable; the usual one counts no more then."""
    connect(ledger, tmp_path, connection("crm", secrets={"client_secret": "HOOKS"}))
    assert send(sender).status_code == 404
    monkeypatch.setenv("HOOKS", "mine")
    assert (send(sender).status_code, send(sender, secret="mine").status_code) == (401, 200)


def test_company_applied_anew(
    sender: TestClient, ledger: Ledger, tmp_path: Path, account: HubSpotAccount
) -> None:
    """A connection is there as soon as it is applied, gone as soon as it is not; what it delivered waits meanwhile."""
    connect(ledger, tmp_path)
    assert send(sender).status_code == 404
    connect(ledger, tmp_path, connection("crm", account.server.url))
    assert send(sender).status_code == 200
    connect(ledger, tmp_path)
    assert send(sender).status_code == 404
    assert act_on_all(ledger) == [("held", "connection 'crm' is in integrations.yaml no more")]
    connect(ledger, tmp_path, connection("crm", account.server.url))
    assert act_on_all(ledger) == [("acted on", "billow.deal.won")]
    assert rows(ledger, "select 1 from exceptions where resolved_at is null") == []


def test_database_down(sender: TestClient, ledger: Ledger, tmp_path: Path, postgres: Cluster) -> None:
    """While the database is away nothing is taken and the vendor is told to repeat; then it is taken, once."""
    connect(ledger, tmp_path, connection("crm"))
    assert send(sender, event=1).status_code == 200
    name = sql.Identifier(ledger.url.rpartition("/")[2].partition("?")[0])
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("alter database {} allow_connections false").format(name))
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            [name.as_string(admin)[1:-1]],
        )
        answer = send(sender, event=2)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.headers["content-type"] == "application/problem+json"
        admin.execute(sql.SQL("alter database {} allow_connections true").format(name))
    assert [send(sender, event=2).status_code for _ in range(2)] == [200, 200]
    assert stored(ledger) == [("crm", "waiting", 0), ("crm", "waiting", 1)]


def test_at_once(sender: TestClient, ledger: Ledger, tmp_path: Path) -> None:
    """The same events in batches of different orders, sent at once, are taken, each once: none waits in a circle."""
    connect(ledger, tmp_path, connection("crm"))
    batch = [stage_changed(event=n) for n in range(40)]

    def deliver(n: int) -> int:
        body = json.dumps(batch[:: 1 if n % 2 else -1]).encode()
        headers = by_hubspot(body, f"{BASE}/webhooks/crm")
        return int(sender.post("/webhooks/crm", content=body, headers=headers).status_code)

    assert at_once(6, deliver) == [200] * 6
    assert rows(ledger, "select count(*), sum(repeats) from deliveries") == [(40, 200)]
    assert rows(ledger, "select count(*) from outbox where kind = 'delivery'") == [(40,)]


def test_chunks(sender: TestClient, ledger: Ledger, tmp_path: Path) -> None:
    """A body without an announced length ends at the limit, too."""
    connect(ledger, tmp_path, connection("crm"))
    assert sender.post("/webhooks/crm", content=iter([b" " * 65536] * 17)).status_code == 413


def test_kept_without_secrets(sender: TestClient, ledger: Ledger, tmp_path: Path) -> None:
    """Nothing that proves who somebody is is kept of a delivery, and nothing at all of one that was refused."""
    connect(ledger, tmp_path, connection("crm"))
    send(sender)
    send(sender, event=7, secret="stranger")
    (headers, body, by), *others = rows(ledger, "select headers, body, verified_by from deliveries")
    assert others == [] and by == "HubSpot"
    assert json.loads(body)[0]["eventId"] == 100
    assert set(headers) == {"content-type", "user-agent", "x-hubspot-request-timestamp"}
    everything = rows(ledger, "select d::text, i::text from deliveries d, integrations i")
    assert (
        SECRET not in str(everything) and TOKEN not in str(everything) and "stranger" not in str(everything)
    )
