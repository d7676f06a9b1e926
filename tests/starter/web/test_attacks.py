"""What somebody would try who means ill: with fields that strangers fill, addresses, hosts, links and files."""

from __future__ import annotations

import csv
import io
import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.ledger import commands, dispute_commands
from activities.ledger.database import Ledger
from billing.approval_policy import Channel
from billing.exceptions import ReasonCode
from starter.web import create_app
from starter.web.limits import LINKS, SIGN_INS, site_of
from starter.web.permissions import RULES
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story
from tests.starter.web.test_permissions import calls
from workers.settings import Settings

SCRIPT = "<script>alert(1)</script>"
BREAKS_OUT = "\"'><img src=x onerror=alert(2)>{{7*7}}"
EVIL = f"{SCRIPT}{BREAKS_OUT}"

PAGES = (
    "/",
    "/?for=all",
    "/invoices",
    "/invoices/{number}",
    "/invoices/manual/asked",
    "/approvals/1",
    "/exceptions/1",
    "/clients",
    "/clients/nordlicht",
    "/money",
    "/bank",
    "/absences",
    "/tokens",
    "/bill/one-off",
)


@pytest.fixture
def infested(story: Story) -> str:
    """Whatever a client, a vendor or a payer can fill has a script in it; the number of an invoice."""
    number = story.issued(
        "issued", at=story.at - timedelta(days=40), name=EVIL, title=EVIL, prices=("1000", "2")
    )
    story.issued("second", at=story.at - timedelta(days=40), name=EVIL, title=EVIL)
    story.asked("asked", name=EVIL, title=EVIL)
    story.raised("stopped", ReasonCode.SOURCES_DIFFER, EVIL, name=EVIL, title=EVIL)
    day = story.at.date()
    about: Any = {"by": "lena", "at": story.at}
    commands.keep_unmatched(
        story.ledger, Decimal(7), "EUR", received_on=day, payer=EVIL, reference=EVIL, **about
    )
    commands.pay(
        story.ledger, number, Decimal(1), "EUR", received_on=day, channel=Channel.WEB, note=EVIL, **about
    )
    dispute_commands.promise(
        story.ledger, number, on=day + timedelta(days=9), channel=Channel.WEB, note=EVIL, **about
    )
    commands.dispute(story.ledger, "manual/second", reason=EVIL, channel=Channel.WEB, **about)
    return number


@pytest.mark.parametrize("language", ["en", "de"])
def test_nothing_runs(story: Story, visitor: Visitor, infested: str, language: str) -> None:
    """What strangers write is text on every page, in whatever place it stands."""
    visitor.sign_in("uma").headers["accept-language"] = language
    shown = 0
    for path in PAGES:
        answer = visitor.get(path.format(number=infested))
        assert answer.status_code == 200, (path, answer.text[:400])
        assert SCRIPT not in answer.text and "<img src=x" not in answer.text, path
        assert "\"'>" not in answer.text and "49<" not in answer.text, path
        shown += "&lt;script&gt;alert(1)" in answer.text
    assert shown >= 9, "the pages show what was written"


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", "＠"])
def test_no_formula_in_a_file(story: Story, visitor: Visitor, begins: str) -> None:
    """A spreadsheet runs nothing of what a client is called or an invoice is for (CWE-1236)."""
    formula = f'{begins}HYPERLINK("https://evil.example";"pay")'
    story.drafted("one", name=formula, title=formula)
    text = visitor.sign_in("vito").get("/invoices.csv").content.decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    for cell in (line["Client's name"], line["Title"]):
        assert cell.startswith("'") and "HYPERLINK" in cell


@pytest.mark.parametrize(
    "path",
    [
        "/static/..%2f..%2fapp.py",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static//etc/passwd",
        "/documents/..%2f..%2fweb-secret",
        "/documents/%2fetc%2fpasswd",
        "/mailbox/..%2fweb-secret",
        "/mailbox/%2e%2e%2fweb-secret/html",
        "/mailbox/%00/html",
        "/messages/..%2f..%2fetc%2fpasswd",
        "/message-bodies/../../etc/passwd",
        "/disputes/1/files/..%2f..%2fweb-secret",
        "/runs/..%2f1",
        "/integrations/..%2fx",
        "/clients/..%2f..%2fx",
        "/i/..%2f..%2fx",
        "/i/none/files/..%2fweb-secret",
    ],
)
def test_no_way_out_of_a_folder(story: Story, visitor: Visitor, path: str) -> None:
    """An address with the way to another folder in it leads nowhere, and shows nothing of the machine."""
    answer = visitor.sign_in("uma").get(path)
    assert answer.status_code == 404, answer.text
    assert "root:" not in answer.text and "Settings" not in answer.text


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\n//evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/%0d%0aSet-Cookie:%20a=b",
        "/\r\nSet-Cookie: a=b",
        "https:evil.example",
    ],
)
def test_no_way_to_another_site(story: Story, visitor: Visitor, back: str) -> None:
    """After signing in, and after a command, one is on a page of ours, wherever a link says to go."""
    token = visitor.token()
    begun = visitor.post(
        "/session", data={"csrf": token, "person": "tom", "back": back}, follow_redirects=False
    )
    given = visitor.post(
        "/commands/hold", data={"csrf": visitor.token("/"), "back": back}, follow_redirects=False
    )
    for answer in (begun, given):
        assert answer.status_code == 303
        place = answer.headers["location"]
        assert place.startswith("/") and not place.startswith(("//", "/\\")) and "\n" not in place
        assert "a=b" not in str(answer.headers.get_list("set-cookie"))
    assert 'href="javascript:' not in visitor.get("/sign-in", params={"back": back}).text


def test_head_is_kept_like_get(story: Story, settings: Settings, ledger: Ledger) -> None:
    """Nobody gets past a door by asking for the head only, and no other method finds a way in."""
    app = create_app(settings, ledger)
    wrong = {}
    with Visitor(app, base_url="https://billow.test", raise_server_exceptions=False) as visitor:
        for call in calls(app):
            if call.method != "GET" or RULES[call.key].role is None:
                continue
            for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
                answer = visitor.request(method, call.path, follow_redirects=False)
                if answer.status_code not in (303, 401, 405):
                    wrong[f"{method} {call.path}"] = answer.status_code
    assert wrong == {}


def test_links_and_sign_ins_apart(story: Story, ledger: Ledger, settings: Settings) -> None:
    """A scanner that opens all links of an office's mails keeps nobody there from signing in."""
    with Visitor(
        create_app(settings, ledger), base_url="https://billow.test", client=("192.0.2.9", 1)
    ) as visitor:
        token = visitor.token()
        assert {visitor.get("/d/none").status_code for _ in range(LINKS)} == {404}
        assert visitor.get("/d/none").status_code == 429
        assert visitor.post("/session", data={"csrf": token, "person": "tom"}).status_code == 200


def test_one_site_is_one_address(story: Story, ledger: Ledger, settings: Settings) -> None:
    """Whoever has a site's worth of IPv6 addresses may try no more often than anybody else."""
    app = create_app(settings, ledger)
    answers = []
    for number in range(SIGN_INS + 1):
        with Visitor(app, base_url="https://billow.test", client=(f"2001:db8:1:2::{number:x}", 1)) as visitor:
            answers.append(visitor.get("/sign-in/provider").status_code)
    assert (answers[-2], answers[-1]) == (404, 429)
    with Visitor(app, base_url="https://billow.test", client=("2001:db8:1:3::1", 1)) as visitor:
        assert visitor.get("/sign-in/provider").status_code == 404


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_site_of(address: str, counted: str) -> None:
    """An address of IPv4 is one's own, also in the clothes of IPv6; of IPv6 a site has the first 64 bits."""
    assert site_of(address) == counted


def test_secrets_in_no_log(
    story: Story, visitor: Visitor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links and tokens of API are in no line of a log: neither refused nor when something of ours fails."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("starter.web.signed_links._led", lambda *_: 1 / 0)
    visitor.get("/d/secret-of-a-link")
    visitor.get("/i/secret-of-a-client")
    visitor.get("/api/v1/me", headers={"Authorization": "Bearer billow_secret-of-a-program"})
    visitor.sign_in("vito").post("/commands/pay", data={"csrf": visitor.token("/")})
    told = [each.getMessage() for each in caplog.records if not each.name.startswith(("httpx", "httpcore"))]
    assert any("was refused POST /commands/pay" in each for each in told)
    assert [each for each in told if "secret-of" in each] == []
