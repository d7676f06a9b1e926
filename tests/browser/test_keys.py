"""Single keys on the pages, and the pages without any script."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Browser, Page, expect

from activities.ledger import preferences
from activities.ledger.preferences import Preferences
from tests.browser.conftest import arrived, sign_in
from tests.starter.web.story import Story


def test_rows_search_and_places(story: Story, page: Page) -> None:
    """Rows by j and k, Enter opens one, / searches, g and a letter lead elsewhere, ? says so; not while typing."""
    first, second = (
        story.issued(key, at=story.at - timedelta(days=days)) for key, days in (("one", 2), ("two", 1))
    )
    sign_in(page, "Tom Iversen")
    page.clock.set_fixed_time(story.at)  # g and its letter are one, however slow the machine
    page.keyboard.press("g")
    page.keyboard.press("i")
    arrived(page, "/invoices")
    for key, number in (("j", second), ("j", first), ("j", first), ("k", second), ("j", first)):
        page.keyboard.press(key)
        expect(page.get_by_role("link", name=number)).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("jk?g ")
    expect(page.get_by_role("searchbox")).to_have_value("jk?g ")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    # a dialog that is gone keeps the keys for some milliseconds more
    expect(page.locator("body")).to_be_focused()
    for key in ("k", "j"):
        page.keyboard.press(key)
        expect(page.get_by_role("link", name=first)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("ELB-")


def test_switched_off(story: Story, page: Page) -> None:
    """Who switches single keys off is left alone by them."""
    story.issued("one")
    with story.ledger.transaction() as tx:
        preferences.keep(tx, "tom", Preferences(shortcuts=False), at=story.at)
    sign_in(page, "Tom Iversen")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.keyboard.press("Tab")  # would a key have led elsewhere, that page had begun to load before this one
    assert page.url.endswith("/") and page.title().startswith("Inbox")


def test_menu_on_a_phone(story: Story, page: Page) -> None:
    """The places are a sheet that a button opens, and Escape closes."""
    sign_in(page, "Tom Iversen")
    places = page.get_by_role("navigation", name="Pages", exact=True)
    expect(places).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(places).to_be_visible()
    page.keyboard.press("Escape")
    expect(places).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    places.get_by_role("link", name="Invoices").click()
    arrived(page, "/invoices")


def test_without_scripts(story: Story, browser: Browser, address: str) -> None:
    """Without scripts a person signs in, filters, sorts, keeps a view, and approves."""
    story.asked("one")
    context = browser.new_context(java_script_enabled=False, base_url=address)
    page = context.new_page()
    sign_in(page, "Tom Iversen")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("You approved manual/one.")).to_be_visible()
    page.goto("/invoices")
    page.get_by_role("searchbox").fill("platform")
    with page.expect_navigation():
        page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("link", name="manual/one")).to_be_visible()
    page.get_by_role("columnheader", name="Gross").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Gross")).to_have_attribute("aria-sort", "descending")
    page.get_by_text("Keep this view").click()
    page.get_by_label("Name").fill("Platform by amount")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("link", name="Platform by amount")).to_have_attribute("aria-current", "true")
    context.close()
