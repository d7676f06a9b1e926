"""The acts on the page of an invoice in a real browser, on a phone: with a script, without one, and pressed twice."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from activities.ledger import views
from activities.ledger.read_models import InvoiceView
from tests.browser.conftest import fits, sign_in
from tests.starter.web.story import Story


def _invoice(story: Story, number: str) -> InvoiceView:
    with story.ledger.transaction() as tx:
        return views.invoice(tx, number, story.at)


def test_credit_is_looked_at_first(story: Story, page: Page) -> None:
    """Half an hour is credited: looked at, issued with one click, and the way back issues no second one."""
    number = story.issued("one")
    sign_in(page, "Lena Brandt")
    page.goto(f"/invoices/{number}")
    page.locator("#credit > summary").click()
    credit = page.locator("#credit")
    credit.get_by_label("an amount, tax included").check()
    credit.get_by_label("Amount in EUR").fill("59.50")
    credit.get_by_label("Why; it stands on the credit note").fill("half an hour too much")
    assert fits(page)
    credit.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_text("Nothing is issued yet.")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Issue the credit note").click()
    expect(page.get_by_text("is issued; it is made and mailed now")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Issue the credit note").click()
    expect(page.get_by_text("was issued already; nothing was added")).to_be_visible()
    assert len(_invoice(story, number).credit_notes) == 1


def test_overtaken_page(story: Story, page: Page) -> None:
    """A write-off from a page that a payment has overtaken is not done, and the page says why."""
    number = story.issued("one")
    sign_in(page, "Tom Iversen")
    page.goto(f"/invoices/{number}")
    story.paid(number, "8000.00")
    page.locator("#write-off > summary").click()
    form = page.locator("#write-off")
    form.get_by_label("Why").fill("insolvent")
    form.get_by_role("button", name="Write it off").click()
    expect(form.locator("input:invalid")).to_have_count(1)  # nobody has ticked that it cannot be undone
    form.get_by_label("This cannot be undone").check()
    form.get_by_role("button", name="Write it off").click()
    expect(page.get_by_text("has moved on since you opened the page (payment received)")).to_be_visible()
    assert _invoice(story, number).written_off == 0


def test_way_back_forgets(story: Story, page: Page) -> None:
    """The way back shows an empty form: a tick filled in again without its amount would give up all that is open."""
    number = story.issued("one")
    sign_in(page, "Tom Iversen")
    page.goto(f"/invoices/{number}")
    page.locator("#write-off > summary").click()
    form = page.locator("#write-off")
    form.get_by_label("Amount, if not all that is open").fill("10.00")
    form.get_by_label("Why").fill("small change")
    form.get_by_label("This cannot be undone").check()
    page.goto("/")
    page.go_back()
    page.locator("#write-off > summary").click()
    expect(form.get_by_label("This cannot be undone")).not_to_be_checked()
    expect(form.get_by_label("Why")).to_have_value("")


def test_without_a_script(story: Story, browser: Browser, address: str) -> None:
    """A line is disputed and the dispute decided in a browser that runs no scripts."""
    number = story.issued("one")
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "Lena Brandt")
    page.goto(f"/invoices/{number}")
    page.locator("#dispute > summary").click()
    form = page.locator("#dispute")
    form.get_by_label("What the client says").fill("hours of 12 October")
    form.locator("input[name=line-2]").check()
    form.get_by_role("button", name="Note the dispute").click()
    expect(page.get_by_text("is disputed (line 2); the rest stays due.")).to_be_visible()
    page.locator("#reject-dispute > summary").click()
    page.get_by_label("The answer, as the client reads it").fill("they are on the signed sheet")
    page.get_by_role("button", name="Reject the dispute").click()
    expect(page.get_by_text("the claim stands, and the client is told")).to_be_visible()
    context.close()
    assert _invoice(story, number).disputed is None
