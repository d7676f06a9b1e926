"""Whole stories of decisions in a real browser, and what must be refused there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from activities.delivery.signed_links import About, SignedLink, SignedLinks
from activities.ledger import delegation, invoices, views
from activities.ledger.tables import ApprovalRow
from billing.approval_policy import ApprovalPolicy
from billing.exceptions import ReasonCode
from tests.browser.conftest import arrived, fits, on_a_desk, sign_in
from tests.starter.web.story import COMPANY, Story
from workers.settings import Settings
from workers.web_secret import secret


@pytest.fixture
def other_desk(browser: Browser, address: str) -> Iterator[Page]:
    """Another person's browser."""
    yield from on_a_desk(browser, address)


def last_event(story: Story, key: str = "one") -> tuple[str, str]:
    with story.ledger.transaction() as tx:
        found = views.timeline(tx, f"manual/{key}")[-1]
    return found.event, found.actor


def test_approve_on_its_page(story: Story, desk: Page) -> None:
    """Sign in, open the approval by keyboard, see what differs, approve with one key."""
    story.issued(
        "last", at=story.at - timedelta(days=30), title="Platform support, October", prices=("5000",)
    )
    story.asked("one", title="Platform support, November", prices=("6000",))
    sign_in(desk, "Tom Iversen")
    desk.keyboard.press("j")
    desk.keyboard.press("Enter")
    arrived(desk, "/approvals/*")
    expect(desk.get_by_role("heading", name="What differs from the last invoice")).to_be_visible()
    expect(desk.locator("table.differences")).to_contain_text("+20%")
    assert fits(desk)
    desk.keyboard.press("a")
    expect(desk.get_by_text("You approved manual/one.")).to_be_visible()
    expect(desk.get_by_text("Nothing to decide here any more.")).to_be_visible()
    assert last_event(story) == ("approved", "tom")


def test_reject(story: Story, desk: Page) -> None:
    """Rejected with a reason, what it would have billed is waived."""
    story.asked("one")
    sign_in(desk, "Rosa Akel")
    desk.get_by_role("link", name="Nordlicht Verlag GmbH").click()
    arrived(desk, "/approvals/*")
    desk.get_by_text("Reject …").click()
    desk.get_by_label("Why").fill("twice the price")
    desk.get_by_label("is waived: never billed").check()
    desk.get_by_role("button", name="Reject this draft").click()
    expect(desk.get_by_text("what it billed is waived")).to_be_visible()
    expect(desk.get_by_text("The draft was rejected by Rosa Akel.")).to_be_visible()


@pytest.fixture
def two_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A company of which both approvers must agree."""
    _with_tier(monkeypatch, needed=2)


def _with_tier(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    tier = COMPANY.approvals.tiers[0].model_copy(update=changes)
    changed = COMPANY.model_copy(update={"approvals": ApprovalPolicy(tiers=(tier,))})
    monkeypatch.setattr("tests.starter.web.story.COMPANY", changed)


def test_second_approver(two_needed: None, story: Story, desk: Page, other_desk: Page) -> None:
    """The first approval is not enough and is shown to the second approver, whose approval is."""
    story.asked("one")
    sign_in(desk, "Tom Iversen")
    expect(desk.get_by_text("2 approvals are missing")).to_be_visible()
    desk.get_by_role("button", name="Approve").click()
    expect(desk.get_by_text("You approved manual/one.")).to_be_visible()
    sign_in(other_desk, "Rosa Akel")
    other_desk.get_by_role("link", name="Nordlicht Verlag GmbH").click()
    arrived(other_desk, "/approvals/*")
    expect(other_desk.get_by_text("agreed: Tom Iversen").first).to_be_visible()
    other_desk.get_by_role("button", name="Approve").click()
    expect(other_desk.get_by_text("Tier agreed: Tom Iversen, Rosa Akel.")).to_be_visible()


def test_delegate(story: Story, desk: Page) -> None:
    """Whoever stands in for an approver who is away finds the draft in the inbox, and decides."""
    story.asked("one")
    today = story.at.date()
    delegation.announce(
        story.ledger,
        "tom",
        "uma",
        today,
        today + timedelta(days=3),
        reason="",
        by="uma",
        for_others=True,
        at=story.at,
    )
    sign_in(desk, "Uma Keller")
    desk.get_by_role("button", name="Approve").click()
    expect(desk.get_by_text("You approved manual/one.")).to_be_visible()
    assert last_event(story) == ("approved", "uma")


def test_exception_repaired(story: Story, desk: Page) -> None:
    """A missing contact is picked from those written to before; the draft is made again."""
    story.issued("last", at=story.at - timedelta(days=30))
    story.raised("one", ReasonCode.NO_CONTACT, "the CRM names no billing contact")
    sign_in(desk, "Lena Brandt")
    desk.get_by_role("link", name="Nordlicht Verlag GmbH").click()
    arrived(desk, "/exceptions/*")
    desk.get_by_text("Set the contact …").click()
    desk.get_by_label("Kim Sommer").check()
    desk.get_by_label("Why, and who says so").fill("Kim called")
    desk.get_by_role("button", name="Set it and check again").click()
    expect(desk.get_by_text("Set for this invoice only")).to_be_visible()
    with story.ledger.transaction() as tx:
        row = story.invoice(tx, "manual/one")
        assert (row.overrides["contact.email"], row.fetch_again_for) == ("ap@nordlicht.example", "lena")


def test_several_together(monkeypatch: pytest.MonkeyPatch, story: Story, desk: Page) -> None:
    """Where the tier allows it, what is ticked by keyboard is approved at once, and nothing else."""
    _with_tier(monkeypatch, together=True)
    from activities.ledger import company_records
    from tests.starter.web import story as stories

    company_records.apply_company(story.ledger, stories.COMPANY, "company", "lena", story.at)
    for key, days in (("one", 3), ("two", 2), ("three", 1)):
        story.asked(key, at=story.at - timedelta(hours=days))
    sign_in(desk, "Tom Iversen")
    for key in ("j", "x", "j", "x"):
        desk.keyboard.press(key)
    desk.get_by_role("button", name="Approve what is ticked").click()
    expect(desk.get_by_text("You approved 2 drafts.")).to_be_visible()
    expect(desk.locator(".card.approval")).to_have_count(1)


def test_one_by_one(story: Story, desk: Page) -> None:
    """Where the tier wants each draft looked at by itself, there is nothing to tick."""
    story.asked("one")
    sign_in(desk, "Tom Iversen")
    expect(desk.locator("input[type=checkbox]")).to_have_count(0)


def test_wrong_role(story: Story, desk: Page) -> None:
    """A viewer sees the draft and finds no form; one that is sent all the same is refused by name of the role."""
    story.asked("one")
    sign_in(desk, "Vito Sala")
    desk.goto("/?for=all")
    expect(desk.get_by_role("button", name="Approve")).to_have_count(0)
    desk.get_by_role("link", name="Nordlicht Verlag GmbH").click()
    arrived(desk, "/approvals/*")
    expect(desk.get_by_text("You are not asked about this draft.")).to_be_visible()
    desk.evaluate("""() => {
        const form = document.querySelector("form[action='/session/end']");
        form.action = "/commands/decide";
        form.submit();
    }""")
    expect(desk.get_by_text("this needs the role approver")).to_be_visible()
    assert last_event(story)[0] == "approval asked"


def _link(story: Story, settings: Settings, made: int, person: str = "tom") -> str:
    with story.ledger.transaction() as tx:
        asked = tx.scalars(select(ApprovalRow).where(ApprovalRow.invoice == made)).one()
        link = SignedLink(About.APPROVAL, asked.id, person, asked.digest)
    return SignedLinks([secret(settings.home)], "").to(link)


def test_link_from_a_mail(story: Story, settings: Settings, desk: Page) -> None:
    """From the link in a mail by sign-in to the draft; opened again after the decision, it says what became of it."""
    path = _link(story, settings, story.asked("one"))
    desk.goto(path)
    expect(desk.get_by_text("opening this page decides nothing")).to_be_visible()
    desk.get_by_role("link", name="Sign in and decide").click()
    desk.locator("main").get_by_role("button", name="Tom Iversen").click()
    arrived(desk, "/approvals/*")
    desk.get_by_role("button", name="Approve").click()
    expect(desk.get_by_text("You approved manual/one.")).to_be_visible()
    desk.goto(path)
    expect(desk.get_by_text("Nothing is left to decide: approved")).to_be_visible()


def test_forged_link(story: Story, settings: Settings, desk: Page) -> None:
    """A link somebody has changed leads nowhere."""
    path = _link(story, settings, story.asked("one"))
    said, dot, signature = path.rpartition(".")
    # its first letter: some bits of the last one count for nothing
    answer = desk.goto(f"{said}{dot}{'b' if signature.startswith('a') else 'a'}{signature[1:]}")
    assert answer is not None and answer.status == 404
    expect(desk.get_by_text("It is not one of ours")).to_be_visible()


def test_double_submit(two_needed: None, story: Story, desk: Page) -> None:
    """A second click on Approve counts no second time, though two approvals are needed."""
    story.asked("one")
    sign_in(desk, "Tom Iversen")
    desk.get_by_role("button", name="Approve").dblclick()
    expect(desk.get_by_text("You approved manual/one.")).to_be_visible()
    with story.ledger.transaction() as tx:
        events = [each.event for each in views.timeline(tx, "manual/one")]
    assert events.count("approved") == 1


def test_back_button(story: Story, desk: Page) -> None:
    """Back to the page before the decision, its form decides nothing any more, and says so."""
    story.asked("one")
    sign_in(desk, "Tom Iversen")
    desk.get_by_role("link", name="Nordlicht Verlag GmbH").click()
    arrived(desk, "/approvals/*")
    stale = desk.locator("main").inner_html()
    assert "Approve" in stale
    desk.get_by_role("button", name="Approve").click()
    expect(desk.get_by_text("You approved manual/one.")).to_be_visible()
    desk.wait_for_load_state()
    desk.evaluate(
        "html => { document.querySelector('main').innerHTML = html; }", stale
    )  # as a browser keeps it
    desk.get_by_role("button", name="Approve").click()
    expect(desk.get_by_text("Not done.")).to_be_visible()
    assert last_event(story)[0] == "decision refused"


def test_stale_page(story: Story, desk: Page) -> None:
    """What was looked at is another draft by now: nothing is approved, and the page asks to look again."""
    made = story.asked("one")
    sign_in(desk, "Tom Iversen")
    desk.get_by_role("link", name="Nordlicht Verlag GmbH").click()
    arrived(desk, "/approvals/*")
    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, made)
        asked = tx.scalars(select(ApprovalRow).where(ApprovalRow.invoice == made)).one()
        row.draft_digest = asked.digest = "e" * 64
    desk.get_by_role("button", name="Approve").click()
    expect(
        desk.get_by_text("The draft has changed since; look at it again and decide anew").first
    ).to_be_visible()


def test_two_at_once(story: Story, desk: Page, other_desk: Page) -> None:
    """Two approvers before the same draft: the first decides, the second is told that it is decided."""
    story.asked("one")
    for page, name in ((desk, "Tom Iversen"), (other_desk, "Rosa Akel")):
        sign_in(page, name)
        page.get_by_role("link", name="Nordlicht Verlag GmbH").click()
        arrived(page, "/approvals/*")
    desk.get_by_role("button", name="Approve").click()
    expect(desk.get_by_text("You approved manual/one.")).to_be_visible()
    other_desk.get_by_text("Reject …").click()
    other_desk.get_by_label("Why").fill("no")
    other_desk.get_by_role("button", name="Reject this draft").click()
    expect(other_desk.get_by_text("Nothing to decide").first).to_be_visible()
    with story.ledger.transaction() as tx:
        events = [each.event for each in views.timeline(tx, "manual/one")]
    assert "approved" in events and "rejected" not in events
