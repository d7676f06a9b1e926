"""The API for programs: each request speaks for a person, bills nothing twice, and says what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from activities.ledger import api_tokens, commands, company_records, invoices, opening_items
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from activities.ledger.tables import InvoiceRow
from billing.approval_policy import Channel
from billing.errors import Conflicting, NotFound, WrongState
from billing.opening_item import OpeningItem
from billing.scopes import Scope
from tests.activities.ledger.conftest import rows
from tests.company import TestCompany, first_of_month
from tests.starter.web.programs import client_of, company_of, event, token_of
from workers.settings import Settings

PATH = "/api/v1/triggers"
NOW = datetime.now(UTC)
DAY: dict[str, Any] = {"description": "Day", "quantity": "1", "unit_price": "900.10"}
ONE_OFF: dict[str, Any] = {
    "client": "acme",
    "currency": "EUR",
    "title": "Workshop",
    "reason": "asked by mail",
    "lines": [DAY],
}


@pytest.fixture
def company(ledger: Ledger, tmp_path: Path) -> TestCompany:
    return company_of(tmp_path, ledger)


@pytest.fixture
def program(settings: Settings, ledger: Ledger, company: TestCompany) -> Iterator[TestClient]:
    """A program whose token speaks for Pia."""
    with client_of(settings, ledger, None) as made:
        made.headers["authorization"] = f"Bearer {token_of(ledger, 'pia')}"
        yield made


def check_refused(answer: Response, status: int, *, said: str = "") -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status and said in problem["detail"], problem
    return problem


def test_agreement(program: TestClient, ledger: Ledger) -> None:
    """What is due is billed for the person, who has taken part then; asked again, the invoice there is named."""
    key = f"care/fee/{first_of_month()}"
    made = program.post(PATH, json={"agreement": "care"})
    assert (made.status_code, made.json()["invoices"][0]["billing_key"]) == (201, key)
    again = program.post(PATH, json={"agreement": "care"})
    assert (again.status_code, again.json()["invoices"][0]["new"]) == (200, False)
    assert rows(ledger, "select requested_by, took_part, trigger from invoices") == [
        ("pia", ["pia"], "manual")
    ]
    assert rows(ledger, "select actor, channel from audit_events where event = 'triggered'") == [
        ("pia", "api")
    ]
    milestone = program.post(PATH, json={"agreement": "shop", "item": "launch", "reason": "done early"})
    assert milestone.json()["invoices"][0]["billing_key"] == "shop/launch"


def test_one_off(program: TestClient, ledger: Ledger) -> None:
    """A one-off is known by the caller's key, or by its content; amounts may be numbers and stay exact."""
    numbers = {**ONE_OFF, "lines": [{"description": "Day", "quantity": 1, "unit_price": 900.10}]}
    first = program.post(PATH, json={"one_off": numbers}, headers={"idempotency-key": '"day-1"'})
    assert (first.status_code, first.json()["invoices"][0]["billing_key"]) == (201, "manual/day-1")
    again = program.post(PATH, json={"one_off": ONE_OFF}, headers={"idempotency-key": "day-1"})
    assert (again.status_code, again.json()["invoices"][0]["new"]) == (200, False)
    other = {**ONE_OFF, "title": "Another"}
    answer = program.post(PATH, json={"one_off": other}, headers={"idempotency-key": "day-1"})
    check_refused(answer, 409, said="manual/day-1 is taken by an invoice of other content")
    codes = [program.post(PATH, json={"one_off": other}).status_code for _ in range(2)]
    assert codes == [201, 200]
    assert rows(ledger, "select request #>> '{one_off,lines,0,unit_price}' from invoices order by id") == [
        ("900.1",),
        ("900.10",),
    ]


def test_event(program: TestClient, ledger: Ledger) -> None:
    """An event is acted on at once, for the person who brought it in; one that is held is accepted and kept."""
    made = program.post(PATH, json={"event": event()})
    assert (made.status_code, made.json()["status"]) == (201, "acted on")
    again = program.post(PATH, json={"event": event()})
    assert (again.status_code, again.json()["invoices"][0]["new"]) == (200, False)
    held = program.post(PATH, json={"event": event("e2", agreement="nothing", milestone="design")})
    assert (held.status_code, held.json()["status"], held.json()["invoices"]) == (202, "held", [])
    check_refused(program.post(PATH, json={"event": event(agreement="shop", milestone="launch")}), 409)
    assert rows(ledger, "select requested_by, took_part from invoices") == [("pia", ["pia"])]
    assert (
        rows(ledger, "select source, brought_by, channel from events order by event")
        == [("/psa", "pia", "api")] * 2
    )


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer nobody", "Basic cGlhOg==", "Bearer é"]
)
def test_no_token(program: TestClient, ledger: Ledger, header: str | None) -> None:
    """Without a token of ours nothing is done, whatever else is wrong."""
    del program.headers["authorization"]
    headers = [] if header is None else [("authorization", header.encode())]
    answer = program.post(PATH, content=b"{", headers=headers)
    check_refused(answer, 401)
    assert answer.headers["www-authenticate"].startswith('Bearer realm="billow"')
    assert rows(ledger, "select 1 from invoices") == []


def test_revoked(program: TestClient, ledger: Ledger) -> None:
    """A revoked token is refused from that instant on; its name is not given again."""
    with ledger.transaction() as tx:
        api_tokens.revoke(tx, "psa", at=NOW)
    check_refused(program.post(PATH, json={"agreement": "care"}), 401, said="revoked")
    with ledger.transaction() as tx:
        with pytest.raises(WrongState, match="revoked already"):
            api_tokens.revoke(tx, "psa", at=NOW)
        with pytest.raises(NotFound, match="there is no token 'other'"):
            api_tokens.revoke(tx, "other", at=NOW)
        with pytest.raises(Conflicting, match="there is, or was, a token 'psa'"):
            api_tokens.create(tx, "psa", "pia", scopes=(Scope.BILL,), at=NOW)


def test_left(program: TestClient, ledger: Ledger, company: TestCompany) -> None:
    """The token of somebody who has left the company does nothing any more."""
    company.people = [each for each in company.people if each["id"] != "pia"]
    apply_company(ledger, company.company(), "company", "mara", NOW)
    check_refused(program.post(PATH, json={"agreement": "care"}), 403, said="'pia' is not a person")


@pytest.mark.usefixtures("company")
def test_only_the_digest_is_kept(ledger: Ledger) -> None:
    """The token itself is nowhere in the ledger."""
    token = token_of(ledger, "pia")
    [(kept,)] = rows(ledger, "select t::text from api_tokens as t")
    assert token.startswith("billow_") and len(token) > 40
    assert token not in kept and token.removeprefix("billow_") not in kept


@pytest.mark.parametrize(
    ("order", "pointer"),
    [
        ({}, "#"),
        ({"agreement": "care", "one_off": ONE_OFF}, "#"),
        ({"one_off": ONE_OFF, "item": "fee"}, "#"),
        ({"agreement": "care", "amount": 1}, "#/amount"),
        ({"agreement": "Care!"}, "#/agreement"),
        ({"agreement": "care", "until": "soon"}, "#/until"),
        ({"agreement": "care", "reason": "x" * 2001}, "#/reason"),
        ({"one_off": {**ONE_OFF, "lines": []}}, "#/one_off/lines"),
        ({"one_off": {**ONE_OFF, "lines": [{**DAY, "unit_price": "1e400"}]}}, "#/one_off/lines/0/unit_price"),
        (
            {"one_off": {**ONE_OFF, "lines": [{**DAY, "quantity": -1}]}},
            "#/one_off/lines/0/quantity",
        ),
        ({"event": {**event(), "type": "?"}}, "#/event/type"),
        ([], "#"),
    ],
)
def test_unprocessable(program: TestClient, ledger: Ledger, order: Any, pointer: str) -> None:
    """An order that says nothing, too much or nonsense is refused with where and why."""
    problem = check_refused(program.post(PATH, json=order), 422)
    assert pointer in {each["pointer"] for each in problem["errors"]}
    assert rows(ledger, "select 1 from invoices") == []


@pytest.mark.parametrize(
    ("order", "headers", "status", "said"),
    [
        ({"agreement": "nothing"}, {}, 404, "There is no agreement 'nothing'"),
        ({"agreement": "shop"}, {}, 422, "design, launch"),
        ({"agreement": "shop", "item": "design", "until": "2026-01-31"}, {}, 422, "is billed as a whole"),
        ({"one_off": {**ONE_OFF, "client": "nobody"}}, {}, 404, "there is no client 'nobody'"),
        ({"one_off": ONE_OFF}, {"idempotency-key": "a b"}, 422, "an Idempotency-Key is up to 64 letters"),
        ({"one_off": {**ONE_OFF, "corrects": "B-1"}}, {}, 404, "no invoice has the number"),
    ],
)
def test_refused(
    program: TestClient, ledger: Ledger, order: Any, headers: dict[str, str], status: int, said: str
) -> None:
    """What a rule refuses is told in the words people are told."""
    problem = check_refused(program.post(PATH, json=order, headers=headers), status)
    assert said.lower() in problem["detail"].lower()
    assert rows(ledger, "select 1 from invoices") == []


def test_of_http(program: TestClient) -> None:
    """Wrong method, wrong content type, no JSON, too much of it, nothing there: each said in its own status."""
    check_refused(program.get(PATH), 405)
    check_refused(program.post(PATH, content=b"{}", headers={"content-type": "text/plain"}), 415)
    json_type = {"content-type": "application/json"}
    check_refused(program.post(PATH, content=b"{", headers=json_type), 400)
    check_refused(program.post(PATH, content=b" " * 300_000, headers=json_type), 413)
    check_refused(program.get("/api/v1/nothing"), 404)


def issued_and_disputed(ledger: Ledger, number: str = "B-7") -> str:
    """An open invoice of acme that is disputed."""
    with ledger.transaction() as tx:
        current = company_records.current(tx)
        item = OpeningItem.model_validate(
            {
                "number": number,
                "client": "acme",
                "title": "Work",
                "issue_date": "2026-01-01",
                "due_date": "2026-01-15",
                "currency": "EUR",
                "net": "100.00",
                "tax": "19.00",
                "gross": "119.00",
            }
        )
        opening_items.import_opening_item(tx, item, current.company, current.version, by="mara", at=NOW)
    commands.dispute(ledger, number, reason="too many hours", by="pia", channel=Channel.WEB, at=NOW)
    return number


def test_corrected(program: TestClient, ledger: Ledger) -> None:
    """A disputed invoice is billed anew with a reason; the disputed one stays as it is."""
    number = issued_and_disputed(ledger)
    corrected = {"one_off": {**ONE_OFF, "corrects": number}, "reason": "hours of the wrong week"}
    check_refused(
        program.post(PATH, json={"one_off": corrected["one_off"]}), 422, said="say why it is corrected"
    )
    codes = [program.post(PATH, json=corrected) for _ in range(2)]
    assert [each.status_code for each in codes] == [201, 200]
    assert codes[0].json()["invoices"][0]["billing_key"] == f"manual/{number}-corrected-1"
    with ledger.transaction() as tx:
        row: InvoiceRow = invoices.find(tx, number)
        assert (row.collection_status, row.payment_status) == ("disputed", "unpaid")
    assert json.loads(rows(ledger, "select request::text from invoices order by id")[-1][0])["reason"]


ENTRIES = "/api/v1/meter-entries"


def entry(id_: str, hours: float | str, **changes: Any) -> dict[str, Any]:
    day = (NOW - timedelta(days=1)).date().isoformat()
    return {"source": "psa", "id": id_, "agreement": "block", "day": day, "quantity": hours, **changes}


def test_meter_entries(program: TestClient, ledger: Ledger) -> None:
    """Hours are taken in once; the line they cross is billed for the person, once."""
    program.post(PATH, json={"agreement": "block", "item": "block-1"})
    first = program.post(ENTRIES, json={"entries": [entry("t1", "6"), entry("t2", "1.5")]})
    assert (first.status_code, first.json()["new"], first.json()["crossings"]) == (200, 2, [])
    crossing = program.post(ENTRIES, json={"entries": [entry("t2", "1.5"), entry("t3", 2.5)]}).json()
    assert (crossing["known"], crossing["new"]) == (1, 1)
    assert [each["billing_key"] for each in crossing["crossings"]] == ["block/block-2"]
    again = program.post(ENTRIES, json={"entries": [entry("t3", "2.5")]}).json()
    assert (again["known"], again["crossings"]) == (1, [])
    billed = rows(ledger, "select billing_key, requested_by from invoices order by 1")
    assert billed == [("block/block-1", "pia"), ("block/block-2", "pia")]


@pytest.mark.parametrize(
    ("entries", "pointer", "said"),
    [
        ([entry("t1", "1", agreement="nothing")], "#/entries/0", "there is no agreement 'nothing'"),
        ([entry("t1", "1"), entry("t2", "1", day="2999-01-01")], "#/entries/1", "2999"),
        ([entry("t1", "1"), entry("t2", "-1")], "#/entries/1", ""),
        ([entry("t1", "1", day=None)], "#/entries/0", "write day and quantity"),
        ([entry("t1", "1", minutes=1)], "#/entries/0/minutes", ""),
    ],
)
def test_meter_entries_refused(
    program: TestClient, ledger: Ledger, entries: list[dict[str, Any]], pointer: str, said: str
) -> None:
    """One entry that cannot be taken in refuses all of them, and is pointed at."""
    problem = check_refused(program.post(ENTRIES, json={"entries": entries}), 422)
    [error] = [each for each in problem["errors"] if each["pointer"].startswith(pointer)]
    assert said in error["detail"]
    assert rows(ledger, "select 1 from meter_entries") == []


@pytest.mark.parametrize("path", [PATH, ENTRIES])
def test_database_down(settings: Settings, path: str) -> None:
    """Without its database the app says so in the way of programs, and that it may be sent again."""
    nowhere = Ledger("postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=1")
    with client_of(settings, nowhere, None) as program:
        answer = program.post(path, json={}, headers={"authorization": "Bearer any"})
    nowhere.close()
    check_refused(answer, 503, said="send it again")
    assert answer.headers["retry-after"] == "5"


def test_fault_of_ours(program: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the program shows nothing of its inside."""
    monkeypatch.setattr("activities.ledger.triggers.by_agreement", lambda *_, **__: 1 / 0)
    problem = check_refused(program.post(PATH, json={"agreement": "care"}), 500)
    assert "division" not in str(problem)
