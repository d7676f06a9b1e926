"""What the API does beyond its pages: pages of lists, answers by key, and commands on what was read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from activities.company.sample import write_sample
from activities.ledger.database import Ledger
from activities.ledger.tables import IdempotencyKeyRow
from starter.web import create_app
from starter.web.api import PREFIX
from starter.web.commands import COMMANDS
from starter.web.doors import every_route
from tests.activities.ledger.conftest import rows
from tests.starter.web.programs import token_of
from tests.starter.web.story import Story
from workers.settings import Settings

IN_THE_API = {
    "announce-absence": "absences",
    "end-absence": "end",
    "revoke-token": "revoke",
}
"""How a command of the pages is called in the API where its name there needs no more words."""


@pytest.fixture
def program(settings: Settings, ledger: Ledger, story: Story) -> Iterator[TestClient]:
    """A program whose token speaks for Uma, who is an admin."""
    assert story.ledger is not None
    with TestClient(create_app(settings, ledger), base_url="https://billow.test/api/v1/") as made:
        made.headers["authorization"] = f"Bearer {token_of(ledger, 'uma')}"
        yield made


def test_every_command(settings: Settings, ledger: Ledger) -> None:
    """Every command of the pages is one of the API, too."""
    routes = every_route(create_app(settings, ledger).routes)
    there = {
        path.rsplit("/", 1)[-1] for method, path, _ in routes if method == "POST" and path.startswith(PREFIX)
    }
    assert {name for name in COMMANDS if IN_THE_API.get(name, name) not in there} == set()


AS_OPERATIONS = {
    "GET /": "readInbox",
    "GET /approvals/{id:int}": "readApproval",
    "GET /approvals/{id:int}/draft.pdf": "readDraft",
    "GET /approvals/{id:int}/draft/pages": "readDraft",
    "GET /approvals/{id:int}/draft/pages/{number:int}.png": "readDraft",
    "GET /exceptions/{id:int}": "readException",
    "GET /invoices": "listInvoices",
    "GET /invoices.csv": "listInvoices",
    "POST /saved-views": "saveView",
    "POST /saved-views/remove": "removeView",
    "GET /invoices/{reference:path}": "readInvoice",
    "GET /money": "readMoney",
    "GET /clients": "listClients",
    "GET /clients/{client}": "readClient",
    "GET /agreements": "listAgreements",
    "GET /agreements/{agreement}": "readAgreement",
    "GET /bank": "listStatements",
    "GET /bank/statements/{statement:int}": "listStatementEntries",
    "GET /policies": "readPolicies",
    "GET /runs": "listRuns",
    "GET /runs/{run}": "readRun",
    "GET /integrations": "listIntegrations",
    "GET /integrations/{connection}": "readIntegration",
    "GET /integrations/{connection}/message": "readMessage",
    "GET /messages/{key:path}": "readSentMessage",
    "GET /message-bodies/{key:path}": "readSentMessage",
    "GET /documents/{sha256}": "readDocument",
    "GET /documents/{sha256}/pages": "readDocument",
    "GET /documents/{sha256}/pages/{number:int}.png": "readDocument",
    "GET /disputes/{dispute:int}/files/{sha256}": "readDisputeFile",
    "GET /sign-ins": "listSignIns",
    "POST /session/end-everywhere": "endSignIns",
    "GET /absences": "listAbsences",
    "GET /tokens": "listTokens",
    "POST /tokens": "makeToken",
    "GET /preferences": "readPreferences",
    "POST /preferences": "changePreferences",
    "GET /credit-notes/preview": "previewCreditNote",
    "GET /bill": "previewTrigger",
    "GET /bill/agreement": "previewTrigger",
    "POST /bill/agreement": "trigger",
    "GET /bill/one-off": "previewTrigger",
    "POST /bill/one-off": "trigger",
    "GET /bill/event": "trigger",
    "POST /bill/event": "trigger",
    "POST /bank/statements": "importStatement",
}
"""Which operation does what a page does; a new page needs one."""

OF_PEOPLE_ALONE = (
    "/static",
    "/sign-in",
    "/session",
    "/d/",
    "/i/",
    "/webhooks/",
    "/stand-in-checkout/",
    "/mailbox",
)
"""Where a browser is asked for: signing in, links with their own key, vendors, and what there is in development."""


def test_every_page(settings: Settings, ledger: Ledger) -> None:
    """What a page shows or does, an operation does, too."""
    app = create_app(settings, ledger)
    known = {each["operationId"] for each in operations(app)}
    missing = {
        f"{method} {path}"
        for method, path, _ in every_route(app.routes)
        if not path.startswith((PREFIX, "/commands/", "/healthz", "/readyz", "/favicon.ico"))
        and (f"{method} {path}" in AS_OPERATIONS or not path.startswith(OF_PEOPLE_ALONE))
        and AS_OPERATIONS.get(f"{method} {path}") not in known
    }
    assert missing == set()


def operations(app: Starlette) -> list[dict[str, Any]]:
    """Every operation as it is described, with its method and path."""
    described = TestClient(app).get(f"{PREFIX}/openapi.json").json()
    return [
        operation | {"method": method.upper(), "path": path}
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


WITHOUT_IF_MATCH = {
    "previewCreditNote",  # changes nothing
    "removeView",  # a view changes nothing but itself, and only by who saved it
    "runAgain",  # a message stays as it came
}


def test_keys_and_matches(settings: Settings, ledger: Ledger) -> None:
    """Every POST takes a key, and whatever is about something that was read takes how it was read."""
    for each in operations(create_app(settings, ledger)):
        asked = {one["name"] for one in each.get("parameters", ())}
        if each["method"] == "POST":
            assert "Idempotency-Key" in asked, each["operationId"]
            about = "{" in each["path"] and each["operationId"] not in WITHOUT_IF_MATCH
            assert ("if-match" in asked) >= about, each["operationId"]


def test_pages_of_a_list(program: TestClient, story: Story) -> None:
    """The cursor leads through the whole list, each invoice once; one that is none of ours is refused."""
    numbers = [story.issued(f"i{number}") for number in range(5)]
    seen, cursor = [], None
    while True:
        asked = {"limit": "2", "sort": "due"} | ({"cursor": cursor} if cursor else {})
        page = program.get("invoices", params=asked).json()
        seen += [each["number"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(numbers) and len(page["items"]) == 1
    problem = program.get("invoices", params={"cursor": "nonsense"}).json()
    assert (problem["status"], problem["type"]) == (400, "/api/v1/docs#malformed")


def test_amounts(program: TestClient, story: Story) -> None:
    """Amounts are exact decimals in strings, in whole units of their currency; instants say their offset."""
    yen = program.get(f"invoices/{story.issued('yen', client='kawa', prices=('150000',))}").json()
    assert (yen["gross"], yen["currency"]) == ("150000", "JPY")
    euro = program.get(f"invoices/{story.issued('euro')}").json()
    assert (euro["net"], euro["tax"], euro["gross"]) == ("7142.86", "1357.14", "8500.00")
    assert euro["requested_at"].endswith("Z")


def test_of_a_billing_key(program: TestClient, story: Story) -> None:
    """A billing key is one place of an address, its slashes written %2F or not; so is its timeline."""
    story.asked("waiting")
    for path in ("invoices/manual%2Fwaiting", "invoices/manual/waiting"):
        assert program.get(path).json()["billing_key"] == "manual/waiting"
    events = program.get("invoices/manual%2Fwaiting/timeline").json()["items"]
    assert [each["event"] for each in events][-1] == "approval asked"


def paid(**changes: str) -> dict[str, str]:
    """A payment of today."""
    return {"amount": "100.00", "currency": "EUR", "received_on": "2026-01-15"} | changes


def test_same_key(program: TestClient, story: Story, ledger: Ledger) -> None:
    """Sent again with its key, a request gets the same answer and does nothing; the key is of no other request."""
    number = story.issued("seen")
    key = {"Idempotency-Key": "pay-1"}
    first = program.post(f"invoices/{number}/pay", json=paid(), headers=key)
    again = program.post(f"invoices/{number}/pay", json=paid(), headers=key)
    assert (first.status_code, first.json()["new"], first.json()["invoice"]["paid"]) == (200, True, "100.00")
    assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true" and "idempotency-replayed" not in first.headers
    other = program.post(f"invoices/{number}/pay", json=paid(amount="101.00"), headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "/api/v1/docs#key-reused")
    more = program.post(f"invoices/{number}/pay", json=paid(), headers={"Idempotency-Key": "pay-2"})
    assert more.json()["invoice"]["paid"] == "200.00"
    assert rows(ledger, "select count(*) from payments") == [(2,)]


def test_key_of_a_refusal(program: TestClient, story: Story) -> None:
    """What is refused changes nothing and frees its key: the request may be mended and sent again."""
    number = story.issued("seen")
    key = {"Idempotency-Key": "hold-1"}
    refused = program.post(
        f"invoices/{number}/hold", json={"until": "2000-01-01T00:00:00Z", "reason": "x"}, headers=key
    )
    assert (refused.status_code, refused.json()["type"]) == (422, "/api/v1/docs#refused")
    until = (story.at + timedelta(days=3)).isoformat()
    held = program.post(f"invoices/{number}/hold", json={"until": until, "reason": "x"}, headers=key)
    assert held.status_code == 200 and held.json()["invoice"]["held_until"]


def test_key_under_way(program: TestClient, story: Story, ledger: Ledger) -> None:
    """While a request with the key is carried out, the same one is told to wait."""
    number = story.issued("seen")
    key = {"Idempotency-Key": "pay-1"}
    program.post(f"invoices/{number}/pay", json=paid(), headers=key)
    with ledger.transaction() as tx:
        row = tx.query(IdempotencyKeyRow).one()
        row.status = row.answer = None
    answer = program.post(f"invoices/{number}/pay", json=paid(), headers=key)
    assert (answer.status_code, answer.json()["type"]) == (409, "/api/v1/docs#in-progress")


def test_at_once(program: TestClient, story: Story, ledger: Ledger) -> None:
    """Of many that come at once with one key, one is carried out."""
    number = story.issued("seen")

    def send(_: int) -> int:
        sent = program.post(f"invoices/{number}/pay", json=paid(), headers={"Idempotency-Key": "k"})
        return int(sent.status_code)

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send, range(6))) <= {200, 409}
    assert rows(ledger, "select count(*) from payments") == [(1,)]


def test_unchanged(program: TestClient, story: Story) -> None:
    """Who has what is shown already is told so; it is shown anew once anything of it has changed."""
    number = story.issued("seen")
    tag = program.get(f"invoices/{number}").headers["etag"]
    same = program.get(f"invoices/{number}", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    program.post(f"invoices/{number}/pay", json=paid())
    assert program.get(f"invoices/{number}", headers={"If-None-Match": tag}).status_code == 200
    for path in ("invoices", "agreements", "clients", "company", "people", "runs", "ageing"):
        assert program.get(path).headers["etag"], path


def test_changed_since(program: TestClient, story: Story) -> None:
    """A command on what was read is refused once that has changed; the answer of a command says how it is now."""
    number = story.issued("seen")
    read = program.get(f"invoices/{number}").headers["etag"]
    first = program.post(f"invoices/{number}/pay", json=paid(), headers={"If-Match": read})
    assert first.status_code == 200
    stale = program.post(f"invoices/{number}/pay", json=paid(amount="1.00"), headers={"If-Match": read})
    assert (stale.status_code, stale.json()["type"]) == (412, "/api/v1/docs#outdated")
    now = {"If-Match": first.headers["etag"]}
    assert program.post(f"invoices/{number}/pay", json=paid(amount="2.00"), headers=now).status_code == 200
    assert program.get(f"invoices/{number}").json()["paid"] == "102.00"


def test_decide(settings: Settings, ledger: Ledger, story: Story, program: TestClient) -> None:
    """An approver decides about the draft that was read, by its digest; who is not asked does not."""
    story.asked("waiting")
    digest = program.get("invoices/manual/waiting").json()["digest"]
    body: dict[str, Any] = {"verdict": "approve", "digest": digest}
    assert program.post("invoices/manual/waiting/decide", json=body).status_code == 403
    tom = {"authorization": f"Bearer {token_of(ledger, 'tom', 'of tom')}"}
    other = program.post("invoices/manual/waiting/decide", json=body | {"digest": "other"}, headers=tom)
    assert other.status_code in (403, 409)
    done = program.post("invoices/manual/waiting/decide", json=body, headers=tom)
    assert done.status_code == 200, done.text
    assert done.json()["invoice"]["approvals"][0]["approved_by"] == ["tom"]
    assert rows(ledger, "select channel from audit_events where event = 'approved'") == [("api",)]


def test_in_our_words(program: TestClient, story: Story) -> None:
    """What is wrong is said with its place, in words of ours, and repeats nothing of what was sent."""
    number = story.issued("seen")
    body = {"amount": "<b>", "currency": "XXXX", "received_on": "soon", "more": 1}
    errors = program.post(f"invoices/{number}/pay", json=body).json()["errors"]
    assert {each["pointer"]: each["detail"] for each in errors} == {
        "#/amount": "This must be a decimal figure such as 1234.56.",
        "#/currency": "'XXXX' is not a currency in ISO 4217; write a code such as EUR, CHF or USD",
        "#/received_on": "This must be a day such as 2026-11-30.",
        "#/more": "There is nothing of this name here.",
    }
    query = program.get("invoices", params={"limit": "1000", "due_from": "soon"}).json()["errors"]
    assert {(each["parameter"], each["in"]) for each in query} == {("limit", "query"), ("due_from", "query")}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("PUT", "invoices", {}, 405),
        ("GET", "invoices", {"Accept": "text/html"}, 406),
        ("POST", "payments", {"Content-Type": "text/plain"}, 415),
        ("POST", "bank-statements", {"Content-Type": "application/json"}, 415),
        ("POST", "bank-statements", {"Content-Type": "application/xml"}, 422),
        ("POST", "company/plan", {"Content-Type": "application/zip"}, 400),
        ("GET", "no%0Athing", {}, 404),
    ],
)
def test_of_http(program: TestClient, method: str, path: str, headers: dict[str, str], status: int) -> None:
    """What HTTP itself has a status for is told by it, as a problem."""
    content = b"{}" if method == "POST" else None
    answer = program.request(method, path, headers=headers, content=content)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), (
        answer.text
    )


def archive(folder: Path, **others: str) -> bytes:
    """A company folder as a ZIP archive, one folder below its top."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for each in folder.rglob("*"):
            if each.is_file():
                packed.write(each, f"company/{each.relative_to(folder)}")
        for name, text in others.items():
            packed.writestr(name, text)
    return made.getvalue()


def test_company(program: TestClient, story: Story, tmp_path: Path) -> None:
    """A company folder is planned, and applied by one of its people alone; none that lies outside of its archive."""
    folder = tmp_path / "sample"
    write_sample(folder, story.at.date())
    as_zip = {"Content-Type": "application/zip"}
    plan = program.post("company/plan", content=archive(folder), headers=as_zip)
    assert plan.status_code == 200 and plan.json()["version"] is None
    assert {"action": "retire", "kind": "clients", "key": "kawa"} in plan.json()["changes"]
    refused = program.post("company/apply", content=archive(folder), headers=as_zip)
    assert (refused.status_code, "'uma' would not be a person" in refused.json()["detail"]) == (422, True)
    outside = program.post("company/plan", content=archive(folder, **{"../evil": "x"}), headers=as_zip)
    assert outside.status_code == 400
    assert program.get("company").json()["version"] == 1


def test_tokens(program: TestClient) -> None:
    """A token makes no token that reaches further than itself; what it makes works, until it is revoked."""
    made = program.post("tokens", json={"name": "reader", "scopes": ["read"], "days": 1})
    reader = {"authorization": f"Bearer {made.json()['token']}"}
    assert program.get("me", headers=reader).json() == {"person": "uma", "role": "admin", "scopes": ["read"]}
    assert program.post("tokens", json={"name": "x", "scopes": ["bill"]}, headers=reader).status_code == 403
    assert program.post("tokens/reader/revoke").json()["revoked_at"]
    assert program.get("me", headers=reader).status_code == 401


def test_waived_and_billed_after_all(program: TestClient, story: Story) -> None:
    """A draft is voided and waived; freed, it may be billed again; a second time is refused as what is so already."""
    story.drafted("one")
    order = {"reason": "wrong month"}
    voided = program.post("invoices/manual%2Fone/void", json=order | {"rebill": False})
    assert voided.json()["invoice"]["document_status"] == "voided draft"
    freed = program.post("invoices/manual%2Fone/bill-again", json=order)
    assert freed.status_code == 200, freed.text
    again = program.post("invoices/manual%2Fone/bill-again", json=order)
    assert (again.status_code, "already" in again.json()["detail"]) == (409, True)
