"""The portal as programs see it: whom it answers, what it takes, and what it never gives away."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from activities.ledger import audit_trail, dispute_files, disputes, invoices, portal_links
from activities.ledger.tables import MessageRow, PortalLinkRow
from tests.starter.web.portal.clients import Clients
from tests.starter.web.story import COMPANY

PDF = b"%PDF-1.7\n%made by hand"
_SECRET = re.compile(r'name="secret" value="([0-9a-f]{64})"')


def secret(browser: TestClient, path: str) -> str:
    found = _SECRET.search(browser.get(path).text)
    assert found
    return found[1]


def events(clients: Clients, number: str) -> list[str]:
    with clients.ledger.transaction() as tx:
        return [each.event for each in audit_trail.trail(tx, invoices.find(tx, number).id)]


def test_headers(clients: Clients, browser: TestClient) -> None:
    """No page of a client is kept, indexed, framed, or named to another site; none sets a cookie."""
    path = clients.path(clients.sent("one"))
    for answer in (browser.get(path), browser.get("/i/nobody"), browser.head(path)):
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "set-cookie" not in answer.headers


def test_links_that_lead_nowhere(clients: Clients, browser: TestClient) -> None:
    """Expired, revoked, unknown and broken links give one and the same page; so does what is under them."""
    expired, revoked = clients.sent("one"), clients.sent("two")
    paths = [
        clients.path(expired),
        clients.path(revoked),
        "/i/" + "A" * 43,
        "/i/x",
        "/i/..%2f",
        "/i/" + "é" * 43,
    ]
    with clients.ledger.transaction() as tx:
        tx.execute(
            update(PortalLinkRow)
            .where(PortalLinkRow.token == paths[0].removeprefix("/i/"))
            .values(expires_at=clients.at - timedelta(seconds=1))
        )
        row = invoices.find(tx, revoked, lock=True)
        assert portal_links.revoke(tx, row, COMPANY, by="lena", channel="cli", at=clients.at) == 1
        assert portal_links.revoke(tx, row, COMPANY, by="lena", channel="cli", at=clients.at) == 0
    pages = [browser.get(path) for path in paths]
    pages += [
        browser.get(f"{paths[0]}/receipt"),
        browser.post(f"{paths[1]}/promise", data={"on": "2030-01-01"}),
    ]
    without_nonce = {re.sub(r'nonce="[^"]*"', "", each.text) for each in pages}
    assert [each.status_code for each in pages] == [404] * len(pages)
    assert len(without_nonce) == 1
    assert "This link does not work" in pages[0].text
    assert "Dieser Link" in browser.get("/i/x", headers={"accept-language": "de-CH,de;q=0.9"}).text
    assert clients.path(revoked) not in paths


def test_trying_links(clients: Clients, browser: TestClient) -> None:
    """Whoever tries links is soon told to wait; valid links go on."""
    path = clients.path(clients.sent("one"))
    answers = [browser.get(f"/i/{number:043}").status_code for number in range(35)]
    assert answers[0] == 404 and answers[-1] == 429
    assert browser.get(path).status_code == 200


def test_nothing_of_another_client(clients: Clients, browser: TestClient) -> None:
    """With the link to one invoice, no document, form or receipt of another one can be reached."""
    mine, other = clients.sent("one"), clients.sent("two", "fr")
    path = clients.path(mine)
    with clients.ledger.transaction() as tx:
        theirs = invoices.find(tx, other).document
        own = invoices.find(tx, mine).document
    assert browser.get(f"{path}/files/{own}").content.startswith(b"%PDF")
    assert browser.get(f"{path}/files/{theirs}").status_code == 404
    assert other not in browser.get(path).text
    foreign = {"secret": secret(browser, path), "on": (clients.at + timedelta(days=3)).date().isoformat()}
    assert browser.post(f"{clients.path(other)}/promise", data=foreign).status_code == 403
    assert "payment promised" not in events(clients, other)


def test_only_people_look(clients: Clients, browser: TestClient) -> None:
    """HEAD, GET and prefetch say nothing about the client; what the page tells does, once a day in the audit trail."""
    number = clients.sent("one")
    path = clients.path(number)
    browser.head(path)
    given = secret(browser, path)
    browser.get(path, headers={"sec-purpose": "prefetch"})
    browser.post(f"{path}/seen", data={"secret": "0" * 64})
    with clients.ledger.transaction() as tx:
        assert invoices.find(tx, number).viewed_at is None
    for _ in range(3):
        assert browser.post(f"{path}/seen", data={"secret": given}).status_code == 204
    assert events(clients, number).count("viewed") == 1
    with clients.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        assert row.viewed_at and audit_trail.verify(tx, row.id) == []


def test_dispute_with_files(clients: Clients, browser: TestClient) -> None:
    """A dispute of lines with files is noted once, however often it is sent; staff alone can save what came."""
    number = clients.sent("one")
    path = clients.path(number)
    fields = {
        "secret": secret(browser, path),
        "what": "lines",
        "line": "2",
        "code": "quantity",
        "reason": "Only eight hours were agreed on.",
    }
    files = [
        ("file", ("C:\\scan\\stunden.pdf", PDF, "text/html")),
        ("file", ("note.txt", "Grüße".encode(), "x/y")),
    ]
    for _ in range(2):
        answer = browser.post(f"{path}/dispute", data=fields, files=files)
        assert answer.status_code == 200 and "we have your message" in answer.text
    with clients.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        (dispute,) = disputes.of_invoice(tx, row)
        assert (dispute.code, dispute.opened_by, dispute.channel) == (
            "quantity",
            "client:nordlicht",
            "portal",
        )
        # line 2 of 4200 + 1260 + 350 net, with 19 % tax: 1260 * 1.19
        assert dispute.amount == row.disputed_amount == Decimal("1499.40")
        kept = dispute_files.of_invoice(tx, row)
    assert [(each.name, each.media_type) for each in kept] == [
        ("note.txt", "text/plain"),
        ("stunden.pdf", "application/pdf"),
    ]
    address = f"/disputes/{dispute.id}/files/{kept[1].sha256}"
    led_to = browser.get(address, follow_redirects=False).headers["location"]
    assert led_to.startswith("/sign-in?back=%2Fdisputes%2F")
    token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/sign-in").text)
    assert token
    browser.post("/session", data={"csrf": token[1], "person": "lena"})
    assert f'href="{address}"' in browser.get(f"/invoices/{number}").text
    saved = browser.get(address)
    assert saved.content == PDF
    assert saved.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in saved.headers["content-security-policy"]


HOSTILE = {
    "page": ("a.pdf", b"<html><script>alert(1)</script>"),
    "vector": ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>"),
    "program": ("a.txt", b"MZ\x90\x00\x03"),
    "script": ("a.txt", b"#!/bin/sh\nrm -rf /"),
    "archive": ("a.pdf", b"PK\x03\x04word"),
    "empty": ("a.txt", b""),
    "too large": ("a.pdf", b"%PDF-" + b"0" * (5 * 1024 * 1024)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_files_that_are_not_taken(clients: Clients, browser: TestClient, kind: str) -> None:
    """Files count by their content; what is not taken leaves nothing behind, and what was typed stays in the form."""
    number = clients.sent("one", rendered=False)
    path = clients.path(number)
    fields = {"secret": secret(browser, path), "what": "whole", "reason": "See the <b>file</b>."}
    answer = browser.post(
        f"{path}/dispute", data=fields, files=[("file", (*HOSTILE[kind], "application/pdf"))]
    )
    assert answer.status_code == 422
    assert "Please send" in answer.text and "See the &lt;b&gt;file&lt;/b&gt;." in answer.text
    assert "disputed" not in events(clients, number)


def test_too_many_files(clients: Clients, browser: TestClient) -> None:
    """Six files are one too many; a form larger than any is not read to its end."""
    path = clients.path(clients.sent("one", rendered=False))
    fields = {"secret": secret(browser, path), "reason": "See the files."}
    six = [("file", (f"{count}.pdf", PDF)) for count in range(6)]
    assert browser.post(f"{path}/dispute", data=fields, files=six).status_code == 422
    huge = [("file", (f"{count}.pdf", b"%PDF-" + b"0" * 5_000_000)) for count in range(5)]
    answer = browser.post(f"{path}/dispute", data=fields, files=huge)
    assert answer.status_code == 413 and "too large" in answer.text


def test_promise(clients: Clients, browser: TestClient) -> None:
    """A day is announced, moved, and refused where it is past or too far; the same one again changes nothing."""
    number = clients.sent("one", rendered=False)
    path = clients.path(number)
    given = secret(browser, path)

    def announce(days: int) -> int:
        on = (clients.at + timedelta(days=days)).date().isoformat()
        return int(browser.post(f"{path}/promise", data={"secret": given, "on": on}).status_code)

    assert [announce(days) for days in (12, 12, 15, -3, 4000)] == [200, 200, 200, 422, 422]
    assert browser.post(f"{path}/promise", data={"secret": given, "on": "soon"}).status_code == 422
    assert events(clients, number).count("payment promised") == 2


def test_copies(clients: Clients, browser: TestClient) -> None:
    """A copy goes to the address given, shown masked only; three a day, and a second click is no second one."""
    number = clients.sent("one")
    path = clients.path(number)
    given = secret(browser, path)

    def ask(to: str) -> int:
        return int(browser.post(f"{path}/copy", data={"secret": given, "to": to}).status_code)

    assert ask("not an address") == 422
    assert ask("eve@evil.example\r\nBcc: all@evil.example") == 422
    assert [ask("books@nordlicht.example"), ask("books@nordlicht.example"), ask("b@n.example")] == [
        200,
        200,
        200,
    ]
    assert [ask("c@n.example"), ask("c@n.example"), ask("d@n.example")] == [200, 200, 422]
    page = browser.get(path).text
    assert "books@nordlicht" not in page and "b•••@n•••.example" in page
    with clients.ledger.transaction() as tx:
        sent = tx.scalars(select(MessageRow.recipient).where(MessageRow.event == "invoice-copy")).all()
    assert sorted(sent) == ["b@n.example", "books@nordlicht.example", "c@n.example"]


def test_what_is_settled(clients: Clients, browser: TestClient) -> None:
    """Of an invoice that is paid there is a receipt, and nothing to announce, dispute, pay or have sent."""
    number = clients.sent("one")
    path = clients.path(number)
    given = secret(browser, path)
    assert browser.get(f"{path}/receipt").status_code == 404
    clients.paid(number, "6913.90")
    page = browser.get(path).text
    assert "This invoice is settled" in page and "<form" not in page
    assert browser.get(f"{path}/receipt").content.startswith(b"%PDF")
    tomorrow = (clients.at + timedelta(days=1)).date().isoformat()
    for act, fields in (
        ("dispute", {"reason": "too late"}),
        ("promise", {"on": tomorrow}),
        ("copy", {"to": "a@b.example"}),
    ):
        assert browser.post(f"{path}/{act}", data={"secret": given, **fields}).status_code == 409, act
    assert browser.post(f"{path}/pay", data={"secret": given}).status_code == 409


def test_withdrawn(clients: Clients, browser: TestClient) -> None:
    """A client may withdraw its own objection; collection goes on, and it can object again."""
    number = clients.sent("one", rendered=False)
    path = clients.path(number)
    given = secret(browser, path)
    browser.post(f"{path}/dispute", data={"secret": given, "reason": "We did not order this."})
    page = browser.get(path).text
    assert "Being clarified" in page and "We did not order this." in page and "/promise" not in page
    for _ in range(2):
        assert browser.post(f"{path}/withdraw", data={"secret": given}).status_code == 200
    assert events(clients, number).count("dispute ended") == 1
    assert f"{path}/dispute" in browser.get(path).text
