"""The inbox in a real browser, on a phone, by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from activities.ledger import views
from billing.exceptions import ReasonCode
from tests.browser.conftest import arrived, fits, focus_by_tab, sign_in
from tests.starter.web.story import Story


def test_approve_by_keyboard(story: Story, page: Page) -> None:
    """An approver signs in, approves and looks at the invoice with keys alone; every page fits a phone."""
    story.asked("one")
    page.goto("/")
    focus_by_tab(page, "Tom Iversen")
    page.keyboard.press("Enter")
    arrived(page, "/")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    assert fits(page)
    focus_by_tab(page, "Approve")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You approved manual/one.")).to_be_visible()
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    with story.ledger.transaction() as tx:
        assert views.timeline(tx, "manual/one")[-1].event == "approved"
    for path in ("/invoices", "/invoices/manual/one", "/mailbox"):
        page.goto(path)
        assert fits(page), path


def test_reject_by_keyboard(story: Story, page: Page) -> None:
    """The form to reject opens by keyboard and does not send without a reason."""
    story.asked("one")
    page.goto("/")
    focus_by_tab(page, "Rosa Akel")
    page.keyboard.press("Enter")
    arrived(page, "/")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    focus_by_tab(page, "Reject …")
    page.keyboard.press("Enter")
    focus_by_tab(page, "Reject this draft")
    page.keyboard.press("Enter")
    expect(page.locator("textarea:invalid")).to_be_focused()
    page.keyboard.type("twice the price")
    focus_by_tab(page, "Reject this draft")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You rejected manual/one; it will be billed again.")).to_be_visible()


def test_inbox_looks_again(story: Story, page: Page) -> None:
    """New work appears by itself, but never while somebody is typing."""
    story.asked("one")
    page.clock.install()
    sign_in(page, "Tom Iversen")
    expect(page.locator(".card")).to_have_count(1)
    story.asked("two", title="Second")
    page.clock.run_for(9_000)
    expect(page.locator(".card")).to_have_count(2)
    comment = page.get_by_label("Comment, if any").first
    comment.fill("half a sen")
    story.raised("three", ReasonCode.EMPTY, "nothing to bill")
    with page.expect_response("**/healthz"):
        page.clock.run_for(30_000)
        page.evaluate("fetch('/healthz')")
    expect(comment).to_have_value("half a sen")
