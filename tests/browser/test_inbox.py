"""The inbox in a real browser, on a phone, by keyboard alone."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from activities.ledger import views
from activities.ledger.database import Ledger
from billing.exceptions import ReasonCode
from starter.local_stack import ports
from starter.web import create_app
from tests.starter.web.story import Story
from workers.settings import Settings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: `make browser` installs it")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless chromium."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield made
        made.close()


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    """The company on a fresh ledger."""
    ledger = Ledger(database_url)
    yield Story(ledger, datetime.now(UTC))
    ledger.close()


@pytest.fixture
def address(story: Story, settings: Settings) -> Iterator[str]:
    """The app, served as `billow web` serves it."""
    port = ports.choose(28700, None, "a port")
    served = settings.model_copy(update={"public_url": None, "web_port": port})
    server = uvicorn.Server(uvicorn.Config(create_app(served, story.ledger), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the web app did not start"
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A phone's page; anything it complains about fails the test."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, base_url=address)
    complaints: list[str] = []

    def noted(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    made = context.new_page()
    made.on("console", noted)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    context.close()
    assert complaints == []


def focus_by_tab(page: Page, text: str) -> None:
    """Presses the tabulator until the control with this text has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()").startswith(text):
            return
    pytest.fail(f"{text!r} cannot be reached by keyboard")


def fits(page: Page) -> bool:
    """Whether nothing hangs over the edge of the page."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_approve_by_keyboard(story: Story, page: Page) -> None:
    """An approver signs in, approves and looks at the invoice with keys alone; every page fits a phone."""
    story.asked("one")
    page.goto("/")
    focus_by_tab(page, "Tom Iversen")
    page.keyboard.press("Enter")
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
    page.goto("/sign-in")
    page.get_by_role("button", name="Tom Iversen").last.click()
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
