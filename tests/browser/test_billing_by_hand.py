"""Billing by hand and money from the bank in a real browser: looked at first, done once, put right again."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from activities.ledger import commands, views
from tests.browser.conftest import fits, sign_in
from tests.starter.web.story import Story


@pytest.fixture
def unscripted(browser: Browser, address: str) -> Iterator[Page]:
    """A page on a phone that runs no scripts."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, base_url=address, java_script_enabled=False
    )
    yield context.new_page()
    context.close()


def requested(story: Story) -> int:
    """How many invoices there are."""
    with story.ledger.transaction() as tx:
        return len(views.invoices(tx, views.InvoiceFilter(), story.at))


def test_one_off(story: Story, desk: Page) -> None:
    """A one-off is looked at, changed, looked at again and billed; sent once more after going back, it stays one."""
    sign_in(desk, "Lena Brandt")
    desk.goto("/bill/one-off")
    desk.get_by_label("Client").select_option("ateliers")
    desk.get_by_label("Title").fill("Workshop in Lyon")
    desk.get_by_label("Why no agreement covers it").fill("asked by mail of 3 November")
    line = desk.get_by_role("group", name="Line 1")
    line.get_by_label("Description").fill("A day on site")
    line.get_by_label("Quantity").fill("1,5")
    line.get_by_label("Price of one, net").fill("1200,00")
    desk.get_by_role("button", name="Look at it first").click()
    expect(desk.get_by_role("heading", name="This would be billed")).to_be_visible()
    expect(desk.locator("tfoot")).to_contain_text("1,800.00")
    line.get_by_label("Price of one, net").fill("12000,00")
    desk.get_by_role("button", name="Bill this").click()
    expect(desk.get_by_text("This is not what you had looked at")).to_be_visible()
    expect(desk.locator("tfoot")).to_contain_text("18,000.00")
    assert requested(story) == 0
    line.get_by_label("Price of one, net").fill("1200,00")
    desk.get_by_role("button", name="Look at it first").click()
    expect(desk.locator("tfoot")).to_contain_text("1,800.00")
    desk.wait_for_load_state()
    assert fits(desk)
    looked_at = desk.locator("main").evaluate(
        "main => { for (const each of main.querySelectorAll('input')) each.setAttribute('value', each.value);"
        " return main.innerHTML; }"
    )
    desk.get_by_role("button", name="Bill this").click()
    expect(desk.get_by_text("New invoice manual/")).to_be_visible()
    desk.wait_for_load_state()
    desk.evaluate(
        "html => { document.querySelector('main').innerHTML = html; }", looked_at
    )  # as a browser keeps it
    desk.get_by_role("button", name="Bill this").click()
    expect(desk.get_by_text("was asked for already; nothing was added")).to_be_visible()
    assert requested(story) == 1


def test_several_and_undone(story: Story, unscripted: Page) -> None:
    """On a phone without scripts a payment is booked for two invoices, and one booking is taken back."""
    one, two = story.issued("one", prices=("1000",)), story.issued("two", prices=("2000",))
    commands.keep_unmatched(
        story.ledger,
        Decimal("3000.00"),
        "EUR",
        received_on=story.at.date(),
        payer="Nordlicht Holding",
        reference="both of November",
        by="lena",
        at=story.at,
    )
    page = unscripted
    sign_in(page, "Lena Brandt")
    page.goto("/bank")
    page.get_by_text("Book for several …").click()
    rows = page.get_by_role("group", name="Invoices").locator(".tick-line")
    rows.nth(0).get_by_label("Invoice number").fill(one)
    rows.nth(1).get_by_label("Invoice number").fill(two)
    rows.nth(1).get_by_label("Amount").fill("1800.00")
    assert fits(page)
    page.get_by_role("button", name="Book for these").click()
    expect(page.get_by_text(f"1,190.00 is booked for {one}")).to_be_visible()
    expect(page.get_by_text("10.00 of it waits still")).to_be_visible()
    page.goto(f"/invoices/{two}")
    page.locator("details summary", has_text="from this invoice …").click()
    page.locator("details[open] textarea[name=reason]").fill("for the other company")
    page.get_by_role("button", name="Take it from this invoice").click()
    expect(page.get_by_text(f"is taken from {two} again; it is owed once more")).to_be_visible()
    assert fits(page)
    with story.ledger.transaction() as tx:
        assert views.invoice(tx, two, story.at).open == Decimal("2380.00")
