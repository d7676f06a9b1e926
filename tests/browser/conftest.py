"""A real browser before the web app, served as `billow web` serves it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatch
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from activities.ledger.database import Ledger
from starter.local_stack import ports
from starter.web import create_app
from tests.starter.web.story import Story
from workers.settings import Settings

expect.set_options(timeout=30_000)
"""As long as Playwright waits for what is to be clicked: a busy machine makes a page in seconds."""

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium here: `make browser` installs it")
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
    # test processes start at the same time: each looks in a range of its own
    port = ports.choose(28000 + os.getpid() % 200 * 4, None, "a port")
    served = settings.model_copy(update={"public_url": None, "web_port": port})
    server = uvicorn.Server(uvicorn.Config(create_app(served, story.ledger), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
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


@pytest.fixture
def desk(browser: Browser, address: str) -> Iterator[Page]:
    """A page on a desk."""
    yield from on_a_desk(browser, address)


def on_a_desk(browser: Browser, address: str) -> Iterator[Page]:
    """A browser of its own, as wide as a desk's."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address)
    yield context.new_page()
    context.close()


def sign_in(page: Page, name: str) -> None:
    """Chooses a person, and waits for the inbox they come to."""
    page.goto("/sign-in")
    page.locator("main").get_by_role("button", name=name).click()
    arrived(page, "/")


def arrived(page: Page, path: str) -> None:
    """Waits until the page at this address, `*` any part of it, is there with its scripts: before a key is pressed
    or anything is read at once, for a click is over before the page it leads to has come."""
    page.wait_for_url(lambda url: fnmatch(urlsplit(url).path, path))


def focus_by_tab(page: Page, text: str) -> None:
    """Presses the tabulator until the control with this text has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        # after the last control nothing has the focus, not even the page with all its text
        if any(text in each for each in page.locator(":focus").all_text_contents()):
            return
    pytest.fail(f"{text!r} cannot be reached by keyboard")


def fits(page: Page) -> bool:
    """Whether nothing hangs over the edge of the page."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
