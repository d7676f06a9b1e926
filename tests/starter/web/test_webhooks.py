"""The endpoint for events: what is signed with our secret comes in once, stored before it is answered."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from activities.ledger import events
from activities.ledger.database import Ledger
from starter.web.webhooks import LARGEST
from tests.activities.ledger.conftest import at_once, rows
from tests.starter.web.programs import OLD_SECRET, SECRET, client_of, company_of, event, signed, text_of
from workers.settings import Settings

PATH = "/webhooks/events"


@pytest.fixture
def sender(settings: Settings, ledger: Ledger, tmp_path: Path) -> Iterator[TestClient]:
    """Somebody who sends to an app that knows two secrets."""
    company_of(tmp_path, ledger)
    with client_of(settings, ledger, f"{OLD_SECRET} {SECRET}") as made:
        yield made


def send(sender: TestClient, content: Any, **changes: Any) -> Response:
    body = content if isinstance(content, bytes) else text_of(content)
    answer: Response = sender.post(PATH, content=body, headers=signed(body, **changes))
    return answer


def stored(ledger: Ledger) -> list[tuple[Any, ...]]:
    return rows(ledger, "select event, status from events order by event")


def billed(ledger: Ledger) -> list[str]:
    """What the stored events bill, once somebody acts on them."""
    events.act_on_waiting(ledger, datetime.now(UTC))
    return [key for (key,) in rows(ledger, "select billing_key from invoices order by 1")]


def check_refused(answer: Response, status: int, *, said: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    problem = answer.json()
    assert problem["status"] == status and said in problem["detail"], problem


def test_genuine(sender: TestClient, ledger: Ledger) -> None:
    """A signed event is stored and answered at once; it is acted on afterwards."""
    answer = send(sender, event())
    assert (answer.status_code, answer.json()) == (202, {"received": 1, "new": 1})
    assert stored(ledger) == [("e1", "waiting")]
    assert rows(ledger, "select channel, kind from events, outbox") == [("webhook", "event")]
    assert rows(ledger, "select 1 from invoices") == []
    assert "set-cookie" not in answer.headers
    assert billed(ledger) == ["shop/design"]


def test_batches_at_once(sender: TestClient, ledger: Ledger) -> None:
    """Batches of the same events in different orders, sent at once, are all taken: none waits in a circle."""
    batch = [event(f"e{number}") for number in range(60)]
    for turn in range(3):
        several = [{**each, "source": f"/psa/{turn}"} for each in batch]
        got = at_once(4, lambda n, all_=several: send(sender, all_[:: 1 if n % 2 else -1]).status_code)  # type: ignore[misc]
        assert sorted(map(str, got)) == ["200"] * 3 + ["202"]
    assert rows(ledger, "select count(*) from events") == [(180,)]


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_either_secret(sender: TestClient, secret: str) -> None:
    """While secrets rotate, each of them signs."""
    assert send(sender, event(), secret=secret).status_code == 202


def test_several_signatures(sender: TestClient) -> None:
    """A sender who rotates signs twice; one signature that fits is enough."""
    body = text_of(event())
    headers = signed(body)
    headers["webhook-signature"] = (
        f"v1,{base64.b64encode(b'other').decode()} v2,x {headers['webhook-signature']}"
    )
    assert sender.post(PATH, content=body, headers=headers).status_code == 202


def test_replayed(sender: TestClient, ledger: Ledger) -> None:
    """The same message again, or the same event under another message id, is answered 200 and changes nothing."""
    body = text_of(event())
    headers = signed(body)
    assert [sender.post(PATH, content=body, headers=headers).status_code for _ in range(3)] == [202, 200, 200]
    assert billed(ledger) == ["shop/design"]
    assert send(sender, event(), id_="msg_2").json() == {"received": 1, "new": 0}
    assert billed(ledger) == ["shop/design"]
    assert rows(ledger, "select count(*) from outbox where kind = 'event'") == [(1,)]


FORGED: list[tuple[str, dict[str, str | None]]] = [
    ("another secret", {"webhook-signature": "v1,AAAA"}),
    ("another message", {"webhook-id": "msg_9"}),
    ("another instant", {"webhook-timestamp": "later"}),
    ("no signature", {"webhook-signature": None}),
    ("no id", {"webhook-id": None}),
    ("no instant", {"webhook-timestamp": None}),
    ("no version", {"webhook-signature": "AAAA"}),
    ("another version", {"webhook-signature": "v1a,AAAA"}),
    ("no Base64", {"webhook-signature": "v1,***"}),
    ("too many commas", {"webhook-signature": "v1,AA,AA"}),
    ("no number", {"webhook-timestamp": "now"}),
    ("no instant at all", {"webhook-timestamp": "1e400"}),
    ("not finite", {"webhook-timestamp": "nan"}),
]


@pytest.mark.parametrize(("_what", "change"), FORGED, ids=[what for what, _ in FORGED])
def test_forged(sender: TestClient, ledger: Ledger, _what: str, change: dict[str, str | None]) -> None:
    """What is not signed as it should be is refused, and nothing is stored."""
    body = text_of(event())
    given = signed(body)
    if change == {"webhook-timestamp": "later"}:
        change = {"webhook-timestamp": str(int(given["webhook-timestamp"]) + 1)}
    headers = {name: value for name, value in (given | change).items() if value is not None}
    check_refused(sender.post(PATH, content=body, headers=headers), 401, said="The signature does not fit")
    assert stored(ledger) == []


def test_signed_by_a_stranger(sender: TestClient, ledger: Ledger) -> None:
    """A secret we do not know signs nothing."""
    stranger = "whsec_" + base64.b64encode(b"somebody else's secret ....").decode()
    check_refused(send(sender, event(), secret=stranger), 401)
    assert stored(ledger) == []


@pytest.mark.parametrize(("age", "status"), [(310, 401), (280, 202), (-280, 202), (-310, 401)])
def test_stale(sender: TestClient, age: int, status: int) -> None:
    """A message older than five minutes, or as far ahead, is refused."""
    assert send(sender, event(), age=age).status_code == status


@pytest.mark.parametrize("cut", [1, 40])
def test_truncated(sender: TestClient, ledger: Ledger, cut: int) -> None:
    """A body that lost its end does not fit its signature; one that was signed like that is no JSON."""
    body = text_of(event())
    check_refused(sender.post(PATH, content=body[:-cut], headers=signed(body)), 401)
    check_refused(send(sender, body[:-cut]), 400, said="not JSON")
    assert stored(ledger) == []


def test_oversized(sender: TestClient, ledger: Ledger) -> None:
    """A body of more than 256 KB is refused, be it announced or sent in pieces."""
    body = b" " * (LARGEST + 1)
    check_refused(send(sender, body), 413, said="more than 256 KB")
    pieces = sender.post(PATH, content=iter([body[:1000]] * 300), headers=signed(body))
    check_refused(pieces, 413)
    largest = text_of(event()).ljust(LARGEST)
    assert send(sender, largest).status_code == 202
    assert stored(ledger) == [("e1", "waiting")]


def test_out_of_order(sender: TestClient, ledger: Ledger) -> None:
    """Events that overtake each other are all kept; one about what is not there yet waits."""
    send(sender, event("e2", agreement="shop", milestone="launch"))
    send(sender, event("e3", kind="project.completed", agreement="later"))
    send(sender, event("e1"))
    assert billed(ledger) == ["shop/design", "shop/launch"]
    assert stored(ledger) == [("e1", "acted on"), ("e2", "acted on"), ("e3", "held")]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_wrong_method(sender: TestClient, method: str) -> None:
    """Only POST is answered, and it is said so."""
    answer = sender.request(method, PATH)
    check_refused(answer, 405)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
def test_wrong_content_type(sender: TestClient, kind: str) -> None:
    """What is not JSON in UTF-8 by its own words is refused."""
    body = text_of(event())
    check_refused(sender.post(PATH, content=body, headers=signed(body) | {"content-type": kind}), 415)


@pytest.mark.parametrize("kind", ["application/cloudevents+json", "application/json; charset=UTF-8"])
def test_content_types(sender: TestClient, kind: str) -> None:
    """CloudEvents in JSON may be named as such."""
    body = text_of(event())
    assert sender.post(PATH, content=body, headers=signed(body) | {"content-type": kind}).status_code == 202


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({**event(), "type": "com.crm.deal.won"}, "#/type"),
        ({**event(), "specversion": "0.3"}, "#/specversion"),
        ({**event(), "id": "two\nlines"}, "#/id"),
        ({**event(), "source": "half\ud83c"}, "#/source"),
        (event(milestone="design"), "#"),
        (event(agreement="shop"), "#"),
        (event(agreement="shop", milestone="design", amount=1), "#/data/amount"),
        ({}, "#/specversion"),
        ([event(), {**event("e2"), "type": "?"}], "#/1/type"),
        ("an event", "#"),
        (None, "#"),
    ],
)
def test_no_event_of_ours(sender: TestClient, ledger: Ledger, content: Any, pointer: str) -> None:
    """JSON that is no event of ours is refused with where and why; of a batch nothing is stored then."""
    answer = send(sender, content)
    check_refused(answer, 422)
    assert pointer in {each["pointer"] for each in answer.json()["errors"]}
    assert stored(ledger) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b'{"id": NaN}', b'{"id": "a", "id": "b"}', rb'{"id": "\u0000"}', b"[" * 100_000],
)
def test_no_json(sender: TestClient, body: bytes) -> None:
    """What is no JSON, or says one thing twice, is refused; what is no text cannot be signed."""
    status = 401 if body.startswith(b"\xff") else 400
    check_refused(send(sender, body), status)


def test_batch(sender: TestClient, ledger: Ledger) -> None:
    """A batch is stored whole; what was received before is not new."""
    batch = [event("e1"), event("e2", agreement="shop", milestone="launch")]
    assert send(sender, batch[:1]).json() == {"received": 1, "new": 1}
    assert send(sender, batch).json() == {"received": 2, "new": 1}
    assert send(sender, []).json() == {"received": 0, "new": 0}
    assert billed(ledger) == ["shop/design", "shop/launch"]


def test_other_content_under_one_id(sender: TestClient, ledger: Ledger) -> None:
    """An id that comes again and says something else is refused for good: sending it again does not help."""
    send(sender, event())
    check_refused(send(sender, event(agreement="shop", milestone="launch")), 409, said="said something else")
    assert billed(ledger) == ["shop/design"]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_off(settings: Settings, ledger: Ledger, method: str) -> None:
    """Without a secret there is no endpoint."""
    with client_of(settings, ledger, None) as sender:
        assert sender.request(method, PATH, content=b"{}", headers=signed(b"{}")).status_code == 404


def test_no_company_yet(settings: Settings, ledger: Ledger) -> None:
    """An event that comes before the first company was applied is stored all the same."""
    with client_of(settings, ledger, SECRET) as sender:
        assert send(sender, event()).status_code == 202
    assert stored(ledger) == [("e1", "waiting")]
