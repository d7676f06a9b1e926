"""Links in messages: they show, they never decide by being opened, and they say what is wrong with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from activities.delivery.signed_links import (
    LASTS,
    About,
    LinkExpired,
    NotOurLink,
    SignedLink,
    SignedLinks,
)
from activities.ledger import approvals, company_records, invoices, views
from activities.ledger.tables import ApprovalRow, MessageRow
from billing.approval_policy import ApprovalPolicy, Channel
from starter.web import create_app
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import COMPANY, Story
from workers.settings import Settings
from workers.web_secret import secret

Linked = Callable[..., str]


@pytest.fixture
def linked(story: Story, settings: Settings) -> Linked:
    """The path of a link to the approval of an invoice, as a message to the person has it."""

    def path(made: int, person: str = "tom", digest: str | None = None) -> str:
        with story.ledger.transaction() as tx:
            asked = tx.scalars(select(ApprovalRow).where(ApprovalRow.invoice == made)).one()
            link = SignedLink(About.APPROVAL, asked.id, person, asked.digest if digest is None else digest)
        return SignedLinks([secret(settings.home)], "").to(link)

    return path


def status(story: Story, key: str) -> str:
    with story.ledger.transaction() as tx:
        return str(story.invoice(tx, f"manual/{key}").document_status)


def test_round_trip() -> None:
    """What is signed is read again, also under a secret that is being replaced; anything else is not ours."""
    link = SignedLink(About.APPROVAL, 7, "tom", "a" * 64)
    token = SignedLinks(["old"], "https://billow.test/").to(link).removeprefix("https://billow.test/d/")
    assert SignedLinks(["new", "old"], "").read(token) == SignedLink(About.APPROVAL, 7, "tom", "a" * 16)
    for wrong in (token[:-1], token + "x", "", "none", token.replace(".", "..", 1)):
        with pytest.raises(NotOurLink):
            SignedLinks(["old"], "").read(wrong)
    with pytest.raises(NotOurLink):
        SignedLinks(["new"], "").read(token)


def test_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """After fourteen days a link says that it is too old."""
    links = SignedLinks(["secret"], "")
    token = links.to(SignedLink(About.EXCEPTION, 7, "lena")).removeprefix("/d/")
    later = time.time() + LASTS.total_seconds() + 2
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    with pytest.raises(LinkExpired):
        links.read(token)


def test_a_scanner_decides_nothing(story: Story, visitor: Visitor, linked: Linked) -> None:
    """Who opens a link, however often, changes nothing and learns nothing; the person is led to sign in and decide."""
    path = linked(story.asked("one"))
    for page in [visitor.get(path) for _ in range(3)]:
        assert page.status_code == 200 and "opening this page decides nothing" in page.text
        assert "8,500" not in page.text and "Nordlicht" not in page.text
        assert "/sign-in?back=/approvals/" in page.text
    assert status(story, "one") == "awaiting approval"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 (compatible; scanner of mails)"},
        {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"User-Agent": "Microsoft Office/16.0 (Microsoft Outlook 16.0)", "Accept": "*/*"},
        {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "Sec-Fetch-Site": "none"},
        {"X-Moz": "prefetch", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_machines_that_open_links(
    by_link: None, story: Story, visitor: Visitor, linked: Linked, method: str, headers: dict[str, str]
) -> None:
    """Scanners, previews and prefetching see a page without the invoice that nobody keeps; nothing is decided."""
    path = linked(story.asked("one"))
    with story.ledger.transaction() as tx:
        before = len(views.timeline(tx, "manual/one"))
    answer = visitor.request(method, path, headers=headers)
    assert answer.status_code == 200 and "Nordlicht" not in answer.text and "8,500" not in answer.text
    assert answer.headers["x-robots-tag"] == "noindex, nofollow, noarchive"
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "no-store")
    with story.ledger.transaction() as tx:
        assert len(views.timeline(tx, "manual/one")) == before


def test_signed_in(story: Story, visitor: Visitor, linked: Linked) -> None:
    """The person it was sent to is led to the approval itself; somebody else is told whose it is."""
    path = linked(story.asked("one"))
    assert "What differs from the last invoice" in visitor.sign_in("tom").get(path).text
    page = visitor.sign_in("rosa").get(path).text
    assert "It was sent to Tom Iversen; you are signed in as Rosa Akel" in page


@pytest.mark.parametrize("path", ["/d/none", "/d/WyJhIl0.aaaa.bbbb"])
def test_forged(story: Story, visitor: Visitor, path: str) -> None:
    """A forged link is not one of ours, whether it is opened or decided by."""
    page = visitor.get(path)
    assert page.status_code == 404 and "not one of ours" in page.text
    answer = visitor.post(path, data={"csrf": visitor.token(), "verdict": "approve"})
    assert answer.status_code == 404


def test_expired(story: Story, visitor: Visitor, linked: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that is too old says so, and where what it led to is found."""
    path = linked(story.asked("one"))
    monkeypatch.setattr("starter.web.signed_links.SignedLinks.read", _too_old)
    page = visitor.get(path)
    assert page.status_code == 410 and "Links in messages last 14 days" in page.text


def _too_old(*_: object) -> SignedLink:
    raise LinkExpired


def test_used(story: Story, visitor: Visitor, linked: Linked) -> None:
    """Once it is decided, by whomever, the link says so."""
    path = linked(story.asked("one"))
    story.approved("one", by="rosa")
    assert "Nothing is left to decide: approved" in visitor.get(path).text


def test_another_draft(story: Story, visitor: Visitor, linked: Linked) -> None:
    """A link about an earlier draft leads to the one that stands now, and decides about neither."""
    made = story.asked("one")
    path = linked(made, digest="0" * 64)
    assert "about an earlier draft" in visitor.get(path).text
    current = linked(made)
    with story.ledger.transaction() as tx:
        invoices.locked(tx, made).draft_digest = "f" * 64
    assert "about an earlier draft" in visitor.get(current).text


def test_not_by_link(story: Story, visitor: Visitor, linked: Linked) -> None:
    """Where the tier takes no decisions by link, a POST with a link decides nothing and says why."""
    path = linked(story.asked("one"))
    answer = visitor.post(path, data={"csrf": visitor.token(), "verdict": "approve"})
    assert "sign in, and decide on its page" in answer.text
    assert status(story, "one") == "awaiting approval"


@pytest.fixture
def by_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """A company whose tier takes decisions by link."""
    tier = COMPANY.approvals.tiers[0].model_copy(update={"channels": (Channel.WEB, Channel.LINK)})
    changed = COMPANY.model_copy(update={"approvals": ApprovalPolicy(tiers=(tier,))})
    monkeypatch.setattr("tests.starter.web.story.COMPANY", changed)


def test_by_link(by_link: None, story: Story, visitor: Visitor, linked: Linked) -> None:
    """Where it does, who has the message decides as the person it was sent to: once, and the audit trail says how."""
    path = linked(story.asked("one"))
    assert "without signing in" in visitor.get(path).text
    token = visitor.token()
    assert visitor.post(path, data={"csrf": "", "verdict": "approve"}).status_code == 403
    assert "Done" in visitor.post(path, data={"csrf": token, "verdict": "approve"}).text
    with story.ledger.transaction() as tx:
        last = views.timeline(tx, "manual/one")[-1]
    assert (last.event, last.actor, last.channel) == ("approved", "tom", "link")
    again = visitor.post(path, data={"csrf": token, "verdict": "reject", "comment": "no"})
    assert "Nothing is left to decide" in again.text


def test_form_of_another_browser(
    by_link: None, story: Story, visitor: Visitor, linked: Linked, settings: Settings
) -> None:
    """The form counts only in the browser it was shown in: one that somebody sent along is no form of this one."""
    path, token = linked(story.asked("one")), visitor.token()
    with Visitor(create_app(settings, story.ledger), base_url="https://billow.test") as other:
        other.get(path)
        assert other.post(path, data={"csrf": token, "verdict": "approve"}).status_code == 403
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert visitor.post(path, data={"csrf": token, "verdict": "approve"}, headers=cross).status_code == 403
    assert status(story, "one") == "awaiting approval"


def test_handed_on_to_a_colleague(by_link: None, story: Story, visitor: Visitor, linked: Linked) -> None:
    """Where somebody else is signed in, a link that was handed on decides nothing in anybody's name."""
    path = linked(story.asked("one"))
    page = visitor.sign_in("rosa").get(path).text
    assert "It was sent to Tom Iversen" in page and "without signing in" not in page
    answer = visitor.post(path, data={"csrf": visitor.token("/"), "verdict": "approve"})
    assert "Rosa Akel is signed in here" in answer.text
    assert status(story, "one") == "awaiting approval"


def test_voice_that_is_spent(story: Story, visitor: Visitor, settings: Settings) -> None:
    """Where two must agree, the link of who has agreed offers no second time, and says so."""
    tier = COMPANY.approvals.tiers[0].model_copy(update={"channels": (Channel.LINK,), "needed": 2})
    changed = COMPANY.model_copy(update={"approvals": ApprovalPolicy(tiers=(tier,))})
    company_records.apply_company(story.ledger, changed, "company", "lena", story.at)
    made = story.drafted("two")
    with story.ledger.transaction() as tx:
        asked = approvals.ask(tx, invoices.locked(tx, made), tier, changed, at=story.at)
        assert isinstance(asked, ApprovalRow)
        link = SignedLink(About.APPROVAL, asked.id, "tom", asked.digest)
    path = SignedLinks([secret(settings.home)], "").to(link)
    token = visitor.token()
    assert "Done" in visitor.post(path, data={"csrf": token, "verdict": "approve"}).text
    page = visitor.get(path).text
    assert "Nothing is left to decide: approved" in page and "without signing in" not in page
    assert status(story, "two") == "awaiting approval"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"verdict": "reject"}, "ay why you reject it"),
        ({"verdict": ""}, "ay whether you approve or reject"),
        ({"verdict": "approve\r\nX: y"}, "ay whether you approve or reject"),
        ({}, "ay whether you approve or reject"),
    ],
)
def test_form_half_filled(
    by_link: None, story: Story, visitor: Visitor, linked: Linked, fields: dict[str, str], said: str
) -> None:
    """A form by link that says nothing, or rejects without a reason, decides nothing and says what is missing."""
    path = linked(story.asked("one"))
    assert said in visitor.post(path, data={"csrf": visitor.token()} | fields).text
    assert status(story, "one") == "awaiting approval"


def test_too_late_or_changed(
    by_link: None, story: Story, visitor: Visitor, linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form that was open while the link expired, or while the draft changed, decides nothing."""
    made = story.asked("one")
    path, token = linked(made), visitor.token()
    with story.ledger.transaction() as tx:
        invoices.locked(tx, made).draft_digest = "f" * 64
    answer = visitor.post(path, data={"csrf": token, "verdict": "approve"})
    assert "about an earlier draft" in answer.text
    monkeypatch.setattr("starter.web.signed_links.SignedLinks.read", _too_old)
    assert visitor.post(path, data={"csrf": token, "verdict": "approve"}).status_code == 410
    assert status(story, "one") == "awaiting approval"


def test_who_lost_the_role(by_link: None, story: Story, visitor: Visitor, linked: Linked) -> None:
    """A link to somebody who may not approve decides nothing, whatever the tier says."""
    path = linked(story.asked("one"), person="lena")
    assert "without signing in" not in visitor.get(path).text
    answer = visitor.post(path, data={"csrf": visitor.token(), "verdict": "approve"})
    assert "sign in, and decide on its page" in answer.text


def test_messages_name_what_they_ask(story: Story) -> None:
    """A notice knows what it asks about, so that its link leads there; nobody else's message leads to it."""
    made = story.asked("one")
    with story.ledger.transaction() as tx:
        asked = tx.scalars(select(ApprovalRow).where(ApprovalRow.invoice == made)).one()
        facts = [each.facts for each in tx.scalars(select(MessageRow).where(MessageRow.invoice == made))]
    assert {each["person"] for each in facts} == {"tom", "rosa"}
    assert {(each["about"], each["item"], each["digest"]) for each in facts} == {
        ("approval", asked.id, asked.digest)
    }


def test_lasts_longer_than_deadlines() -> None:
    """A deadline with its reminder is days away; a link outlasts it."""
    assert timedelta(days=7) < LASTS
