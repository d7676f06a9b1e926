"""Signing in with an identity provider: a real one on this machine, which says whatever a test has it say."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import oidc_provider_mock
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from activities.delivery.signed_links import About, SignedLink, SignedLinks
from activities.ledger.database import Ledger
from activities.ledger.tables import ApprovalRow
from starter.local_stack import ports
from starter.web import create_app
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story
from workers.settings import NotConfigured, Settings
from workers.web_secret import secret

CLIENT = "billow"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that signs anybody in."""
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


def served(settings: Settings, ledger: Ledger, issuer: str) -> Visitor:
    """A visitor of the app in production, whose people sign in with the provider."""
    changed = settings.model_copy(
        update={
            "development": False,
            "oidc_issuer": issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SecretStr("a secret/of ours"),
        }
    )
    return Visitor(create_app(changed, ledger), base_url="https://billow.test", raise_server_exceptions=False)


@pytest.fixture
def browser(story: Story, settings: Settings, ledger: Ledger, issuer: str) -> Iterator[Visitor]:
    """Somebody who has not signed in yet."""
    with served(settings, ledger, issuer) as made:
        yield made


def departed(browser: Visitor, back: str = "/invoices?q=x") -> str:
    """The address of the provider the browser is sent to."""
    answer = browser.get("/sign-in/provider", params={"back": back}, follow_redirects=False)
    assert answer.status_code == 303
    return str(answer.headers["location"])


def answered(issuer: str, address: str, **claims: object) -> str:
    """The address the provider sends the browser back to, after somebody with these claims has agreed."""
    said = {"email": "tom@elbwerk.example", "email_verified": True} | claims
    httpx.put(f"{issuer}/users/tom-1", json=said).raise_for_status()
    return str(httpx.post(address, data={"sub": "tom-1"}).headers["location"])


def arrived(browser: Visitor, address: str) -> httpx.Response:
    """The page the browser ends on."""
    answer = browser.get(address)
    assert isinstance(answer, httpx.Response)
    return answer


def kept_in(browser: Visitor) -> dict[str, object]:
    """What the browser's session holds."""
    content = base64.b64decode(browser.cookies["__Host-billow"].split(".")[0])
    found: dict[str, object] = json.loads(content)
    return found


def test_sign_in(browser: Visitor, issuer: str, ledger: Ledger) -> None:
    """A person is signed in by a verified address, however it is written, and led to where they wanted to go."""
    asked = browser.get("/invoices").text
    assert "Sign in with localhost" in asked and "Tom Iversen" not in asked
    page = arrived(browser, answered(issuer, departed(browser), email="Tom@Elbwerk.example"))
    assert (page.url.path, page.url.query, "Tom Iversen" in page.text) == ("/invoices", b"q=x", True)
    with ledger.transaction() as tx:
        [row] = tx.execute(text("select person, how, subject from sign_ins")).all()
    assert tuple(row) == ("tom", "by localhost", f"{issuer}#tom-1")


def test_link_from_a_mail(
    browser: Visitor, issuer: str, story: Story, settings: Settings, ledger: Ledger
) -> None:
    """In production a link leads by the provider to what is asked; the cookie is this host's alone, and https's.

    Whoever the provider says is somebody else is told whose link it is, and decides nothing by it.
    """
    made = story.asked("one")
    with ledger.transaction() as tx:
        asked = tx.scalars(select(ApprovalRow).where(ApprovalRow.invoice == made)).one()
        link = SignedLink(About.APPROVAL, asked.id, "tom", asked.digest)
    path = SignedLinks([secret(settings.home)], "").to(link)
    opened = browser.get(path)
    assert "opening this page decides nothing" in opened.text and "Nordlicht" not in opened.text
    cookie = opened.headers["set-cookie"].lower()
    assert cookie.startswith("__host-billow=") and "path=/;" in cookie and "domain=" not in cookie
    assert "secure" in cookie and "httponly" in cookie and "samesite=lax" in cookie
    back = f"/approvals/{asked.id}"
    assert f'href="/sign-in?back={back}"' in opened.text
    assert f"back={back}" in unquote(browser.get("/sign-in", params={"back": back}).text)
    page = arrived(browser, answered(issuer, departed(browser, back)))
    assert page.url.path == back and "What differs from the last invoice" in page.text
    assert browser.get(path).url.path == back
    with served(settings, ledger, issuer) as other:
        arrived(other, answered(issuer, departed(other), email="rosa@elbwerk.example"))
        assert "It was sent to Tom Iversen; you are signed in as Rosa Akel" in other.get(path).text


def test_question(browser: Visitor) -> None:
    """The provider is asked for a code, with a state, a nonce and a challenge only this browser can meet."""
    asked = {key: value[0] for key, value in parse_qs(urlsplit(departed(browser)).query).items()}
    kept = kept_in(browser)["departure"]
    assert isinstance(kept, dict)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(kept["verifier"].encode()).digest()).rstrip(b"=")
    assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
    assert asked["redirect_uri"] == "https://billow.test/sign-in/callback"
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (challenge.decode(), "S256")
    assert (asked["state"], asked["nonce"]) == (kept["state"], kept["nonce"])
    assert "openid" in asked["scope"].split() and "email" in asked["scope"].split()


def test_new_session(browser: Visitor, issuer: str) -> None:
    """Nothing of the session before the sign-in is left: neither its form token nor what was kept for the answer."""
    browser.get("/sign-in")
    before = kept_in(browser)["csrf"]
    arrived(browser, answered(issuer, departed(browser)))
    after = kept_in(browser)
    assert "departure" not in after and after["csrf"] != before


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email": "kim@elsewhere.example"}, "nobody has the address kim@elsewhere.example in people.yaml"),
        ({"email_verified": False}, "has not verified tom@elbwerk.example"),
        ({"email_verified": "yes"}, "has not verified tom@elbwerk.example"),
        ({"email": ""}, "does not say your address"),
        ({"nonce": "another"}, "belongs to another sign-in"),
        ({"aud": "another"}, "meant for another program"),
        ({"aud": ["billow", "other"], "azp": "other"}, "meant for another program"),
        ({"iss": "https://other.example"}, "meant for another program"),
        ({"iat": timedelta(minutes=20)}, "minutes ahead of this machine"),
        ({"exp": timedelta(minutes=-20)}, "minutes ago by the clock of this machine"),
        ({"exp": "soon"}, "does not say when it was made"),
    ],
)
def test_not_let_in(browser: Visitor, issuer: str, claims: dict[str, object], said: str) -> None:
    """Who cannot be signed in is told why and what to do, and is not signed in."""
    said_now = {
        name: int(time.time() + each.total_seconds()) if isinstance(each, timedelta) else each
        for name, each in claims.items()
    }
    page = arrived(browser, answered(issuer, departed(browser), **said_now)).text
    assert said.lower() in page.lower()
    assert "Who are you?" in browser.get("/").text


def test_clocks_differ_a_little(browser: Visitor, issuer: str) -> None:
    """A minute between the clocks is no reason to refuse anybody."""
    at = int(time.time())
    page = arrived(browser, answered(issuer, departed(browser), iat=at + 60, exp=at - 60))
    assert page.url.path == "/invoices"


def test_denied(browser: Visitor, issuer: str) -> None:
    """Whoever says no at the provider is told that they did."""
    state = parse_qs(urlsplit(departed(browser)).query)["state"][0]
    page = arrived(browser, f"https://billow.test/sign-in/callback?error=access_denied&state={state}")
    assert "you did not agree" in page.text


def test_forged_state(browser: Visitor, issuer: str) -> None:
    """An answer to a question this browser did not ask signs nobody in, be it forged or brought from elsewhere."""
    address = answered(issuer, departed(browser))
    forged = address.replace("state=", "state=x")
    assert "no question of this browser" in arrived(browser, forged).text
    browser.cookies.clear()
    assert "to another browser" in arrived(browser, address).text
    assert "Who are you?" in browser.get("/").text


def test_used_twice(browser: Visitor, issuer: str) -> None:
    """An answer counts once: the back button does not sign in again."""
    address = answered(issuer, departed(browser))
    arrived(browser, address)
    browser.post("/session/end", data={"csrf": browser.token("/sign-ins")})
    assert "too late, or to another browser" in arrived(browser, address).text


def test_too_late(browser: Visitor, issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer long after the question is not taken."""
    from datetime import timedelta

    monkeypatch.setattr("starter.web.sign_in.ANSWERED_WITHIN", timedelta(seconds=-1))
    assert "came too late" in arrived(browser, answered(issuer, departed(browser))).text


def test_code_of_nobody(browser: Visitor) -> None:
    """A code the provider does not know is refused by it, and that is said."""
    state = parse_qs(urlsplit(departed(browser)).query)["state"][0]
    page = arrived(browser, f"https://billow.test/sign-in/callback?code=made-up&state={state}")
    assert "refused (400" in page.text


def test_two_with_one_address(story: Story, browser: Visitor, issuer: str, ledger: Ledger) -> None:
    """An address two people share says of neither who they are."""
    from datetime import UTC, datetime

    from activities.ledger.company_records import apply_company
    from tests.starter.web.story import COMPANY

    people = tuple(each.model_copy(update={"email": "tom@elbwerk.example"}) for each in COMPANY.people)
    apply_company(ledger, COMPANY.model_copy(update={"people": people}), "c", "uma", datetime.now(UTC))
    page = arrived(browser, answered(issuer, departed(browser)))
    assert "Several people have the address" in page.text


def test_provider_down(story: Story, settings: Settings, ledger: Ledger) -> None:
    """While the provider is away the page says so; nothing breaks."""
    dead = f"http://localhost:{ports.choose(28900, None, 'a port')}"
    with served(settings, ledger, dead) as browser:
        page = browser.get("/sign-in/provider")
        assert (page.status_code, page.url.path) == (200, "/sign-in")
        assert "does not answer as an identity provider does now" in page.text


def test_other_issuer(story: Story, settings: Settings, ledger: Ledger, issuer: str) -> None:
    """A provider that calls itself something else than was configured is not trusted."""
    with served(settings, ledger, issuer.replace("localhost", "LOCALHOST")) as browser:
        page = browser.get("/sign-in/provider").text
    assert "BILLOW_OIDC_ISSUER must be just that" in page


def test_nobody_is_chosen(browser: Visitor) -> None:
    """In production nobody is signed in by a click."""
    browser.get("/sign-in/provider", follow_redirects=False)
    browser.get("/sign-in")
    answer = browser.post("/session", data={"csrf": str(kept_in(browser)["csrf"]), "person": "tom"})
    assert (answer.status_code, "not a development installation" in answer.text) == (403, True)


def test_no_provider(story: Story, visitor: Visitor) -> None:
    """Where there is no provider its addresses lead nowhere."""
    assert [visitor.get(f"/sign-in/{each}").status_code for each in ("provider", "callback")] == [404, 404]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"BILLOW_OIDC_ISSUER": "http://id.example", "BILLOW_OIDC_CLIENT_ID": "x"}, "reached by https://"),
        ({"BILLOW_OIDC_ISSUER": "https://id.example"}, "needs BILLOW_OIDC_CLIENT_ID"),
    ],
)
def test_settings(tmp_path: object, variables: dict[str, str], said: str) -> None:
    """A provider half configured, or in plain text, is refused at the start."""
    with pytest.raises(NotConfigured, match=said):
        Settings.from_environment(
            {"BILLOW_HOME": str(tmp_path), "BILLOW_DATABASE_URL": "postgresql+psycopg://x@y/z", **variables}
        )
