"""HubSpot's and Dropbox Sign's deliveries through the web app: the genuine ones bill what they make due, once."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from activities.crm.hubspot_webhook import HubSpotWebhook
from activities.esign.dropbox_sign_webhook import DropboxSignWebhook
from activities.ledger import events
from activities.ledger.database import Ledger
from activities.providers.provider import NotGenuine, Received
from starter.web.vendor_webhooks import prepare
from tests.activities.crm.hubspot_account import DEAL, HubSpotAccount
from tests.activities.crm.hubspot_account import SECRET as HUBSPOT_SECRET
from tests.activities.esign.dropbox_sign_account import EXAMPLE, KEY, DropboxSignAccount
from tests.activities.ledger.conftest import rows
from tests.starter.web.vendors import (
    DROPBOX,
    HUBSPOT,
    act_on_all,
    all_signed,
    by_hubspot,
    connected,
    form,
    stage_changed,
    stored,
)
from workers.settings import Settings

BASE = "https://billow.test"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def account() -> Iterator[HubSpotAccount]:
    account = HubSpotAccount().example()
    with account.server:
        yield account


@pytest.fixture
def papers() -> Iterator[DropboxSignAccount]:
    papers = DropboxSignAccount().example()
    with papers.server:
        yield papers


@pytest.fixture
def sender(
    settings: Settings,
    ledger: Ledger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    account: HubSpotAccount,
    papers: DropboxSignAccount,
) -> Iterator[TestClient]:
    """Whoever sends to the app; while keys rotate, two of each are known."""
    secrets = {"hubspot_client_secret": f"new-secret {HUBSPOT_SECRET}", "papers_api_key": f"{KEY} new-key"}
    at = {"crm": account.server.url, "contracts": papers.server.url}
    with connected(settings, ledger, tmp_path, monkeypatch, **at, **secrets) as made:
        yield made


def hubspot(sender: TestClient, content: Any, **changes: Any) -> Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    answer: Response = sender.post(HUBSPOT, content=body, headers=by_hubspot(body, BASE + HUBSPOT, **changes))
    return answer


def dropbox(sender: TestClient, content: Any) -> Response:
    body, headers = form(content)
    answer: Response = sender.post(DROPBOX, content=body, headers=headers)
    return answer


def billed(ledger: Ledger) -> list[str]:
    """What the events that came of the deliveries bill."""
    events.act_on_waiting(ledger, datetime.now(UTC))
    return [key for (key,) in rows(ledger, "select billing_key from invoices order by 1")]


# --- the schemes, by what the vendors have published ---

VECTOR = Received(
    "POST",
    "https://www.example.com/webhook_uri",
    {
        "x-hubspot-signature-v3": "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
        "x-hubspot-request-timestamp": "1693657560000",
    },
    b"{'example_field':'example_value'}",
)
"""SOURCE: hubspot-api-python, tests/spec/utils/test_signature.py; its body is no JSON."""


def test_hubspots_vector() -> None:
    """The signature HubSpot has published is genuine within five minutes, both ways, and for nothing else."""
    signed_at = datetime.fromtimestamp(1693657560, UTC)
    webhook = HubSpotWebhook()
    for seconds in (-300, 0, 300):
        with pytest.raises(NotGenuine, match="not JSON"):  # past the signature
            webhook.verify(VECTOR, ["other", HUBSPOT_SECRET], signed_at + timedelta(seconds=seconds))
    for seconds in (-301, 301):
        with pytest.raises(NotGenuine, match="stale"):
            webhook.verify(VECTOR, [HUBSPOT_SECRET], signed_at + timedelta(seconds=seconds))
    for changed in (
        Received("PUT", VECTOR.url, VECTOR.headers, VECTOR.body),
        Received("POST", VECTOR.url + "/", VECTOR.headers, VECTOR.body),
        Received("POST", VECTOR.url, VECTOR.headers, VECTOR.body + b" "),
        Received(
            "POST",
            VECTOR.url,
            {**VECTOR.headers, "x-hubspot-request-timestamp": "1693657560001"},
            VECTOR.body,
        ),
    ):
        with pytest.raises(NotGenuine, match="signature"):
            webhook.verify(changed, [HUBSPOT_SECRET], signed_at)
    with pytest.raises(NotGenuine, match="signature"):
        webhook.verify(VECTOR, ["other"], signed_at)


HASHES = {
    "unknown_error": "c574f5d3090c2936360b4e36cf6835cf3e2206b84fdc6347e6b28ca721ae1371",
    "account_confirmed": "6dc5b7aad93cf54915e0089d6c31d61b3833f66f51459171c69f8fa211308848",
    "signature_request_sent": "08d45a6b7677492b78be030cef18cfeaece8fe67e163cc8e526ee638ad483756",
    "template_created": "4a9b22fa68d5addb8b6313eea9d42ecb393903a4240b71503ef78e9dac6c100d",
}
"""SOURCE: hellosign-openapi, test_fixtures/EventCallbackHelper_*.json, of 1348177752; with and without metadata."""


@pytest.mark.parametrize("metadata", [True, False])
@pytest.mark.parametrize("kind", HASHES)
def test_dropbox_signs_fixtures(kind: str, metadata: bool) -> None:
    """The eight events Dropbox Sign has published are genuine for its key, and not for that key reversed."""
    event: dict[str, Any] = {"event_time": "1348177752", "event_type": kind, "event_hash": HASHES[kind]}
    if metadata:
        event["event_metadata"] = {"related_signature_id": "ad4d8a769b555fa5ef38691465d426682bf2c992"}
    body, headers = form({"account_guid": "63522885f9261e2b04eea043933ee7313eb674fd", "event": event})
    received, at = Received("POST", BASE + DROPBOX, headers, body), datetime.fromtimestamp(1348177752, UTC)
    (found,) = DropboxSignWebhook().verify(received, ["other", KEY], at)
    assert found.content["event"] == event
    with pytest.raises(NotGenuine, match="event_hash"):
        DropboxSignWebhook().verify(received, [KEY[::-1]], at)


@pytest.mark.parametrize(
    ("age", "genuine"),
    [
        (timedelta(), True),
        (timedelta(days=3), True),
        (timedelta(days=4, seconds=1), False),
        (timedelta(minutes=-6), False),
    ],
)
def test_dropbox_signs_window(age: timedelta, genuine: bool) -> None:
    """A delivery may come as late as Dropbox Sign tries, three days, and a day more; not later, nor ahead of time."""
    event = {
        "event_time": "1348177752",
        "event_type": "template_created",
        "event_hash": HASHES["template_created"],
    }
    body, headers = form({"event": event})
    received, now = Received("POST", "", headers, body), datetime.fromtimestamp(1348177752, UTC) + age
    if genuine:
        assert DropboxSignWebhook().verify(received, [KEY], now)
    else:
        with pytest.raises(NotGenuine, match="stale"):
            DropboxSignWebhook().verify(received, [KEY], now)


def test_new_types_are_genuine() -> None:
    """An event of a type the library does not know yet is verified all the same."""
    stamp, kind = str(int(NOW.timestamp())), "signature_request_framed"
    digest = hmac.new(KEY.encode(), f"{stamp}{kind}".encode(), hashlib.sha256).hexdigest()
    body, headers = form({"event": {"event_time": stamp, "event_type": kind, "event_hash": digest}})
    (found,) = DropboxSignWebhook().verify(Received("POST", "", headers, body), [KEY], NOW)
    assert found.content["event"]["event_type"] == kind


# --- through the web app ---


def test_a_deal_is_won(sender: TestClient, ledger: Ledger) -> None:
    """A genuine event is stored and answered; acted on, the deal is read again and billed once."""
    answer = hubspot(sender, [stage_changed()])
    assert (answer.status_code, answer.text) == (200, "")
    assert stored(ledger) == [("hubspot", "waiting", 0)]
    assert rows(ledger, "select 1 from invoices") == []
    assert act_on_all(ledger) == [("acted on", "billow.deal.won")]
    assert billed(ledger) == ["network/price"]


def test_everybody_has_signed(sender: TestClient, ledger: Ledger) -> None:
    """A genuine event is stored and answered as Dropbox Sign wants it; acted on, the request is fetched and billed."""
    answer = dropbox(sender, all_signed(EXAMPLE))
    assert (answer.status_code, answer.text) == (200, "Hello API Event Received")
    assert answer.headers["content-type"].startswith("text/plain")
    assert act_on_all(ledger) == [("acted on", "billow.contract.signed")]
    assert billed(ledger) == ["paper/price"]


@pytest.mark.parametrize("secret", [HUBSPOT_SECRET, "new-secret"])
def test_either_secret_of_hubspot(sender: TestClient, secret: str) -> None:
    """While client secrets rotate, each of them signs."""
    assert hubspot(sender, [stage_changed()], secret=secret).status_code == 200


@pytest.mark.parametrize("key", [KEY, "new-key"])
def test_either_key_of_dropbox_sign(sender: TestClient, key: str) -> None:
    """While API keys rotate, each of them signs."""
    assert dropbox(sender, all_signed(EXAMPLE, key=key)).status_code == 200


def test_replayed(sender: TestClient, ledger: Ledger) -> None:
    """The same delivery again, or tried again by the vendor with a new signature, is answered and changes nothing."""
    body = json.dumps([stage_changed()]).encode()
    headers = by_hubspot(body, BASE + HUBSPOT)
    for _ in range(3):
        assert sender.post(HUBSPOT, content=body, headers=headers).status_code == 200
    assert hubspot(sender, [stage_changed(attemptNumber=1)], age=100).status_code == 200
    paper = all_signed(EXAMPLE)
    for _ in range(3):
        assert dropbox(sender, paper).status_code == 200
    assert stored(ledger) == [("hubspot", "waiting", 3), ("papers", "waiting", 2)]
    act_on_all(ledger)
    assert billed(ledger) == ["network/price", "paper/price"]


def test_not_unique(sender: TestClient, ledger: Ledger) -> None:
    """Events that share HubSpot's eventId and differ in what they are about are two events."""
    same = [stage_changed(), stage_changed("9870002"), stage_changed(occurredAt=1769947200001)]
    assert hubspot(sender, same).status_code == 200
    assert len(stored(ledger)) == 3


def test_a_hundred_at_once(sender: TestClient, ledger: Ledger, account: HubSpotAccount) -> None:
    """HubSpot sends many events in one delivery: each is a message of its own."""
    for n in range(2, 101):
        account.deal(str(9870000 + n), dealstage="qualifiedtobuy")
    batch = [stage_changed(str(9870000 + n), event=n) for n in range(1, 101)]
    assert hubspot(sender, batch).status_code == 200
    assert len(stored(ledger)) == 100
    assert sorted(set(act_on_all(ledger))) == [
        ("acted on", "billow.deal.won"),
        ("nothing due", "it says nothing that bills anything"),
    ]
    assert billed(ledger) == ["network/price"]


@pytest.mark.parametrize("first", ["won", "back"])
def test_out_of_order(sender: TestClient, ledger: Ledger, account: HubSpotAccount, first: str) -> None:
    """Whatever order events come in, what counts is how the deal stands now."""
    won, back = (
        stage_changed(event=1),
        stage_changed(event=2, propertyValue="qualifiedtobuy", occurredAt=1769947300000),
    )
    for each in (won, back) if first == "won" else (back, won):
        assert hubspot(sender, [each]).status_code == 200
    account.objects["deals"][DEAL]["dealstage"] = "qualifiedtobuy"
    assert {status for status, _ in act_on_all(ledger)} == {"nothing due"}
    assert billed(ledger) == []
    account.objects["deals"][DEAL]["dealstage"] = "closedwon"
    assert hubspot(sender, [stage_changed(event=3, occurredAt=1769947400000)]).status_code == 200
    act_on_all(ledger)
    assert billed(ledger) == ["network/price"]


@pytest.mark.parametrize(
    "changes",
    [
        {"subscriptionType": "deal.creation", "propertyName": None},
        {"subscriptionType": "contact.propertyChange"},
        {"propertyName": "amount"},
        {"subscriptionType": "object.propertyChange", "objectTypeId": "0-1"},
        {"objectId": 404},
    ],
)
def test_nothing_due(sender: TestClient, ledger: Ledger, changes: dict[str, Any]) -> None:
    """Other events, and deals that are gone, bill nothing."""
    assert hubspot(sender, [stage_changed() | changes]).status_code == 200
    assert act_on_all(ledger) == [("nothing due", "it says nothing that bills anything")]


def test_generic_subscription(sender: TestClient, ledger: Ledger) -> None:
    """HubSpot's newer subscriptions to objects of any kind say it, too."""
    hubspot(sender, [stage_changed(subscriptionType="object.propertyChange", objectTypeId="0-3")])
    assert act_on_all(ledger) == [("acted on", "billow.deal.won")]


def test_the_body_is_not_believed(sender: TestClient, ledger: Ledger, papers: DropboxSignAccount) -> None:
    """The hash does not cover the body: what it says of a request counts only if the request, fetched again, does."""
    papers.request("a" * 40, is_complete=False)
    for contract in ("a" * 40, "none"):
        assert dropbox(sender, all_signed(contract)).status_code == 200
    assert {status for status, _ in act_on_all(ledger)} == {"nothing due"}


@pytest.mark.parametrize("kind", ["signature_request_sent", "signature_request_signed", "callback_test"])
def test_other_events_of_dropbox_sign(sender: TestClient, ledger: Ledger, kind: str) -> None:
    """Other events, the test of an address among them, are received and bill nothing."""
    stamp = str(int(datetime.now(UTC).timestamp()))
    digest = hmac.new(KEY.encode(), f"{stamp}{kind}".encode(), hashlib.sha256).hexdigest()
    content = all_signed(EXAMPLE, event_time=stamp, event_type=kind, event_hash=digest)
    assert dropbox(sender, content).text == "Hello API Event Received"
    assert act_on_all(ledger) == [("nothing due", "it says nothing that bills anything")]


def refused(answer: Response, status: int, ledger: Ledger) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert stored(ledger) == []
    assert KEY not in answer.text and HUBSPOT_SECRET not in answer.text


HEADERS: list[dict[str, str | None]] = [
    {"x-hubspot-signature-v3": "AAAA"},
    {"x-hubspot-signature-v3": None},
    {"x-hubspot-signature-v3": "\u00e9"},
    {"x-hubspot-request-timestamp": None},
    {"x-hubspot-request-timestamp": "now"},
    {"x-hubspot-request-timestamp": "9" * 30},
    {"x-hubspot-request-timestamp": "later"},
]


@pytest.mark.parametrize("change", HEADERS)
def test_forged_for_hubspot(sender: TestClient, ledger: Ledger, change: dict[str, str | None]) -> None:
    """What is not signed as it should be is refused, and nothing is stored."""
    body = json.dumps([stage_changed()]).encode()
    signed = by_hubspot(body, BASE + HUBSPOT)
    if change == {"x-hubspot-request-timestamp": "later"}:
        change = {"x-hubspot-request-timestamp": str(int(signed["x-hubspot-request-timestamp"]) + 5)}
    given = signed | change
    headers = {name: value.encode("latin-1") for name, value in given.items() if value is not None}
    refused(sender.post(HUBSPOT, content=body, headers=headers), 401, ledger)


def test_signed_for_somewhere_else(sender: TestClient, ledger: Ledger) -> None:
    """A signature for another address, or by a secret we do not know, is none for this one."""
    body = json.dumps([stage_changed()]).encode()
    elsewhere = by_hubspot(body, "https://other.example" + HUBSPOT)
    refused(sender.post(HUBSPOT, content=body, headers=elsewhere), 401, ledger)
    refused(hubspot(sender, [stage_changed()], secret="stranger"), 401, ledger)
    refused(
        sender.post(f"{HUBSPOT}?a=1", content=body, headers=by_hubspot(body, BASE + HUBSPOT)), 401, ledger
    )


@pytest.mark.parametrize(("age", "status"), [(290, 200), (310, 401), (-290, 200), (-310, 401)])
def test_stale_for_hubspot(sender: TestClient, age: float, status: int) -> None:
    """A delivery signed more than five minutes ago, or as far ahead, is refused."""
    assert hubspot(sender, [stage_changed()], age=age).status_code == status


@pytest.mark.parametrize(
    "content",
    [
        all_signed(EXAMPLE, key="stranger"),
        all_signed(EXAMPLE, event_hash=""),
        all_signed(EXAMPLE, event_hash="\u00e9"),
        all_signed(EXAMPLE, event_type="signature_request_sent"),
        all_signed(EXAMPLE, event_time="1348177752"),
        all_signed(EXAMPLE, event_time=None),
        all_signed(EXAMPLE, age=5 * 86400),
        all_signed(EXAMPLE, age=-3600),
        {"event": "all_signed"},
        {},
        [],
        "{",
    ],
)
def test_forged_for_dropbox_sign(sender: TestClient, ledger: Ledger, content: Any) -> None:
    """What has no hash of ours, is stale or is no event is refused, and nothing is stored."""
    refused(dropbox(sender, content), 401, ledger)


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_truncated(sender: TestClient, ledger: Ledger, cut: int) -> None:
    """A body that lost its end is refused, be it signed like that or not."""
    body = json.dumps([stage_changed()]).encode()
    headers = by_hubspot(body, BASE + HUBSPOT)
    refused(sender.post(HUBSPOT, content=body[:-cut], headers=headers), 401, ledger)
    refused(hubspot(sender, body[:-cut]), 401, ledger)
    paper, kind = form(all_signed(EXAMPLE))
    refused(sender.post(DROPBOX, content=paper[: -cut - 5], headers=kind), 401, ledger)
    refused(sender.post(DROPBOX, content=paper[: -len("\r\n--limit--\r\n")], headers=kind), 401, ledger)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'[{"eventId": 1}]', b"null", b"[" * 100_000])
def test_no_events(sender: TestClient, ledger: Ledger, content: bytes) -> None:
    """A signed body that is no list of events is refused."""
    refused(hubspot(sender, content), 401, ledger)


def test_no_form(sender: TestClient, ledger: Ledger) -> None:
    """A form without the field, or with two of it, or without a boundary, is refused."""
    body, headers = form(all_signed(EXAMPLE), name="data")
    refused(sender.post(DROPBOX, content=body, headers=headers), 401, ledger)
    body, headers = form(all_signed(EXAMPLE))
    twice = body.replace(b"--limit--\r\n", b"") + body
    refused(sender.post(DROPBOX, content=twice, headers=headers), 401, ledger)
    refused(sender.post(DROPBOX, content=body, headers={"content-type": "multipart/form-data"}), 401, ledger)


def test_oversized(sender: TestClient, ledger: Ledger) -> None:
    """More than a megabyte is refused before it is looked at."""
    refused(hubspot(sender, [stage_changed(sourceId="x" * 2**20)]), 413, ledger)
    refused(dropbox(sender, {**all_signed(EXAMPLE), "more": "x" * 2**20}), 413, ledger)


def test_wrong_content_type(sender: TestClient, ledger: Ledger) -> None:
    """Each vendor's own content type is taken and no other."""
    body = json.dumps([stage_changed()]).encode()
    headers = by_hubspot(body, BASE + HUBSPOT) | {"content-type": "text/plain"}
    refused(sender.post(HUBSPOT, content=body, headers=headers), 415, ledger)
    paper = json.dumps(all_signed(EXAMPLE)).encode()
    refused(sender.post(DROPBOX, content=paper, headers={"content-type": "application/json"}), 415, ledger)


@pytest.mark.parametrize("path", [HUBSPOT, DROPBOX])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_wrong_method(sender: TestClient, ledger: Ledger, path: str, method: str) -> None:
    """Deliveries are posted."""
    refused(sender.request(method, path), 405, ledger)


@pytest.mark.parametrize("odd", ["a\0b", "\ud800", "\\u0000"])
def test_odd_characters(sender: TestClient, ledger: Ledger, odd: str) -> None:
    """Characters the ledger cannot keep are kept as something else: the vendor need not send it for days."""
    assert hubspot(sender, [stage_changed(propertyValue=odd), stage_changed(eventId=odd)]).status_code == 200
    assert dropbox(sender, {**all_signed(EXAMPLE), "title": odd}).status_code == 200
    assert len(stored(ledger)) == 3
    assert {status for status, _ in act_on_all(ledger)} == {"acted on"}


def test_prepared(sender: TestClient, ledger: Ledger) -> None:
    """Preparing for the vendors that are connected leaves no trace."""
    prepare(sender.app.state.desk)  # type: ignore[attr-defined]
    assert stored(ledger) == [] and rows(ledger, "select 1 from integrations") == []


@pytest.mark.parametrize("secrets", [{"hubspot_client_secret": "", "papers_api_key": ""}])
def test_off(
    settings: Settings,
    ledger: Ledger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    secrets: dict[str, str],
) -> None:
    """Without a secret the endpoint is not there."""
    with connected(
        settings, ledger, tmp_path, monkeypatch, crm="http://x", contracts="http://x", **secrets
    ) as sender:
        assert hubspot(sender, [stage_changed()]).status_code == 404
        assert dropbox(sender, all_signed(EXAMPLE)).status_code == 404
