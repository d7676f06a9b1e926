"""Lists of the API: each thing once however it is paged, in the order of the whole, and none without end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from activities.ledger.database import Ledger
from starter.web import create_app
from tests.starter.web.furnished import furnish
from tests.starter.web.programs import token_of
from tests.starter.web.story import Story
from workers.settings import Settings

pytestmark = pytest.mark.timeout(400)
"""Hundreds of requests each, which a busy machine takes minutes for."""

FILLED = {"statement": "1", "run": "run:1", "invoice": "manual/part", "connection": "events"}
"""What stands in the places of addresses."""

WHOLE = {
    "explain": "the reasons of one thing",
    "listPeople": "as long as people.yaml",
    "listIntegrations": "as long as integrations.yaml",
    "listSavedViews": "at most 40 a person",
    "listSignIns": "where one is signed in now",
    "readPolicies": "versions that open invoices run by",
}
"""Lists that have no pages, and why they need none."""


@pytest.fixture
def program(settings: Settings, ledger: Ledger, story: Story) -> Iterator[TestClient]:
    """A program of Uma's before a company with something of everything."""
    furnish(story)
    with TestClient(create_app(settings, ledger), base_url="https://billow.test/api/v1/") as made:
        made.headers["authorization"] = f"Bearer {token_of(ledger, 'uma')}"
        fill(made, story)
        yield made


def fill(program: TestClient, story: Story) -> None:
    """Three of each that a person can do by the API."""
    day = story.at.date()
    for number in range(3):
        one, other = (story.issued(f"{kind}-{number}", prices=("100",)) for kind in ("one", "other"))
        payment = {"amount": f"{7 + number}.00", "currency": "EUR", "received_on": str(day)}
        half = {"amount": "59.50"}
        parts = [half | {"due_date": str(day + timedelta(days=days))} for days in (20, 50)]
        away = day + timedelta(days=30 + 20 * number)
        for path, body in (
            ("payments", payment),
            (f"invoices/{one}/pay", payment),
            (f"invoices/{one}/credit", {"reason": "agreed", "selection": {"gross": "10.00"}}),
            (f"invoices/{one}/write-off", {"reason": "small", "amount": "1.00"}),
            (f"invoices/{one}/dispute", {"reason": "too many hours"}),
            (f"invoices/{other}/promise", {"on": str(day + timedelta(days=3))}),
            (f"invoices/{other}/plan", {"parts": parts, "reason": "agreed", "tell_client": False}),
            ("clients/nordlicht/place-credit-hold", {"reason": "late"}),
            ("clients/nordlicht/lift-credit-hold", {}),
            ("tokens", {"name": f"reader {number}", "scopes": ["read"]}),
            ("absences", {"delegate": "rosa", "first_day": str(away), "last_day": str(away)}),
        ):
            answer = program.post(path, json=body)
            assert answer.status_code in (200, 201), f"{path}: {answer.text}"


def lists(program: TestClient) -> Iterator[tuple[str, str, list[str]]]:
    """Each operation that answers with items: its name, address and parameters."""
    described = program.get("openapi.json").json()
    for path, operations in described["paths"].items():
        if "get" not in operations or "json" not in str(operations["get"]["responses"]["200"]):
            continue
        shape = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = described["components"]["schemas"][shape["$ref"].rsplit("/", 1)[-1]]
        if "items" in schema.get("properties", {}):
            asked = [each["name"] for each in operations["get"].get("parameters", [])]
            yield operations["get"]["operationId"], path, asked


def pages(program: TestClient, path: str, query: dict[str, str], limit: int) -> list[Any]:
    """All items, read so many at once."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        answer = program.get(path, params=query | cursor | {"limit": str(limit)})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        # when its own token was last used changes by the minute
        found += [{name: each[name] for name in each if name != "last_used_at"} for each in page["items"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def test_pages(program: TestClient) -> None:
    """By ones and twos every list says the same as at once; what is no cursor of the list is refused."""
    wrong, filled = {}, 0
    for name, path, asked in lists(program):
        if name in WHOLE:
            assert "cursor" not in asked
            continue
        address = path.lstrip("/").format(**FILLED)
        query = {"for": "all"} if name == "readInbox" else {}
        whole = pages(program, address, query, 200)
        filled += len(whole) > 2
        for limit in (1, 2):
            if pages(program, address, query, limit) != whole:
                wrong[name] = f"by {limit}"
        for none_of_ours in ("nonsense", "WzFd" * 9, "WyJhIiwgImIiLCAiYyIsICJkIl0"):
            answer = program.get(address, params={"cursor": none_of_ours})
            if (answer.status_code, answer.json().get("type")) != (400, "/api/v1/docs#malformed"):
                wrong[name] = answer.text
    assert wrong == {}
    assert filled >= 14, "too little is in the lists for this to prove anything"
