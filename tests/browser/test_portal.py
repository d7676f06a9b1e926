"""A client before its invoice in a real browser: on a phone and wide, in three languages, with and without links."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from activities.ledger import dispute_files, disputes, invoices
from activities.ledger.database import Ledger
from starter.local_stack import ports
from starter.web import create_app
from tests.browser.conftest import fits
from tests.starter.web.portal.clients import Clients
from tests.starter.web.story import Story
from workers.settings import Settings

WORDS = {
    "de": ("Rechnung", "Fällig am", "Zahlung ankündigen", "Senden", "wir haben den Tag notiert"),
    "en": ("Invoice", "Due by", "Say when you will pay", "Send", "we have noted the day"),
    "fr": ("Facture", "À payer d'ici le", "Annoncer votre paiement", "Envoyer", "nous avons noté la date"),
}


@pytest.fixture
def served(settings: Settings) -> Settings:
    port = ports.choose(28900 + os.getpid() % 200 * 4, None, "a port")
    return settings.model_copy(update={"public_url": None, "web_port": port})


@pytest.fixture
def clients(served: Settings, database_url: str) -> Iterator[Clients]:
    """Clients of a company with a logo, on a fresh ledger."""
    ledger = Ledger(database_url)
    yield Clients(served, Story(ledger, datetime.now(UTC)), logo=True)
    ledger.close()


@pytest.fixture
def address(clients: Clients, served: Settings) -> Iterator[str]:
    """The app, served as `billow web` serves it."""
    app = create_app(served, clients.ledger)
    server = uvicorn.Server(uvicorn.Config(app, port=served.web_port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the web app did not start"
    yield f"http://127.0.0.1:{served.web_port}"
    server.should_exit = True
    thread.join()


def opened(
    browser: Browser, address: str, *, width: int = 360, scheme: str = "light", script: bool = True
) -> Page:
    """A page of a browser that was never here before."""
    context = browser.new_context(
        viewport={"width": width, "height": 780},
        base_url=address,
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    return context.new_page()


def _noted(complaints: list[str], message: ConsoleMessage) -> None:
    complaints.append(message.text)


@pytest.mark.parametrize("language", WORDS)
def test_every_width_and_scheme(browser: Browser, clients: Clients, address: str, language: str) -> None:
    """In each language the page fits a phone and a screen, by day and night, with all forms open, and breaks no rule
    of accessibility."""
    path = clients.path(clients.sent("one", language))
    for width in (360, 1280):
        for scheme in ("light", "dark"):
            page = opened(browser, address, width=width, scheme=scheme)
            complaints: list[str] = []
            page.on("console", partial(_noted, complaints))
            page.goto(path)
            for each in page.locator("details").all():
                each.evaluate("element => { element.open = true }")
            expect(page.get_by_text(WORDS[language][1]).first).to_be_visible()
            assert page.locator("html").get_attribute("lang") == language
            assert fits(page), (language, width)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert complaints == []
            page.context.close()


@pytest.mark.parametrize("language", WORDS)
def test_announce(browser: Browser, clients: Clients, address: str, language: str) -> None:
    """On a phone, a client announces the day of its payment in its own language."""
    number = clients.sent("one", language, rendered=False)
    _, _, title, send, thanks = WORDS[language]
    page = opened(browser, address)
    page.goto(clients.path(number))
    page.get_by_text(title, exact=True).click()
    day = (clients.at + timedelta(days=20)).date()
    page.locator("input[type=date]").fill(day.isoformat())
    page.locator("#promise").get_by_role("button", name=send).click()
    expect(page.get_by_role("status")).to_contain_text(thanks)
    with clients.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        assert row.promised_for == day
        assert row.viewed_at is not None


def test_dispute_with_file(browser: Browser, clients: Clients, address: str, tmp_path: Path) -> None:
    """A client objects to one line, with a file; the rest of the invoice stays due."""
    number = clients.sent("one", "de", rendered=False)
    file = tmp_path / "Abnahme.pdf"
    file.write_bytes(b"%PDF-1.7\nAbnahme")
    page = opened(browser, address)
    page.goto(clients.path(number))
    page.get_by_text("Etwas stimmt nicht", exact=True).click()
    page.get_by_label("Nur einzelne Positionen").check()
    page.locator("input[name=line]").nth(1).check()
    page.get_by_label("Grund").select_option("quantity")
    page.get_by_label("Was stimmt nicht?").fill("Vereinbart waren acht Stunden.")
    page.locator("input[type=file]").set_input_files(file)
    page.locator("#dispute").get_by_role("button", name="Senden").click()
    expect(page.get_by_role("status")).to_contain_text("wir haben Ihre Nachricht")
    expect(page.get_by_text("Vereinbart waren acht Stunden.")).to_be_visible()
    assert fits(page)
    with clients.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        (dispute,) = disputes.of_invoice(tx, row)
        assert [each["line"] for each in dispute.lines] == [2]
        assert [each.name for each in dispute_files.of_invoice(tx, row)] == ["Abnahme.pdf"]


def test_pay(browser: Browser, clients: Clients, address: str) -> None:
    """A client pays online on the page of the provider and comes back; the bank details are there as well."""
    number = clients.sent("one", "en", rendered=False)
    page = opened(browser, address)
    page.goto(clients.path(number))
    expect(page.get_by_text("DE02 1203 0000 0000 2020 51")).to_be_visible()
    expect(page.locator(".code svg")).to_be_visible()
    page.get_by_role("button", name="Pay €6,913.90 online").click()
    page.wait_for_url("**/stand-in-checkout/**")


def test_without_script(browser: Browser, clients: Clients, address: str) -> None:
    """Nothing a client can do needs a script."""
    number = clients.sent("one", "en", rendered=False)
    page = opened(browser, address, script=False)
    page.goto(clients.path(number))
    page.get_by_text("Something is not right", exact=True).click()
    page.get_by_label("What is not right?").fill("We were billed twice.")
    page.locator("#dispute").get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("we have your message")
    page.get_by_role("button", name="It is settled").click()
    expect(page.get_by_role("status")).to_contain_text("withdrawn")


def test_who_looks(browser: Browser, clients: Clients, address: str) -> None:
    """A page that is only loaded, scripts and all, was not looked at; one that a person moves over later was."""
    number = clients.sent("one", "en", rendered=False)
    page = opened(browser, address, width=1280)
    page.clock.install(time=clients.at)
    # however slow the machine, it has only just been opened
    page.clock.pause_at(clients.at + timedelta(hours=1))
    page.goto(clients.path(number), wait_until="networkidle")
    page.mouse.move(100, 100)
    page.clock.run_for(2_000)
    page.evaluate("dispatchEvent(new PointerEvent('pointermove'))")
    with clients.ledger.transaction() as tx:
        assert invoices.find(tx, number).viewed_at is None
    with page.expect_response("**/seen") as told:
        page.mouse.move(300, 300)
    assert told.value.status == 204
    with clients.ledger.transaction() as tx:
        assert invoices.find(tx, number).viewed_at is not None


def test_links_that_ended(browser: Browser, address: str) -> None:
    """A link that leads nowhere says so, in the language of the browser, and what to do."""
    for width in (360, 1280):
        page = opened(browser, address, width=width)
        page.set_extra_http_headers({"accept-language": "fr-FR"})
        answer = page.goto("/i/" + "A" * 43)
        assert answer is not None and answer.status == 404
        expect(page.get_by_role("heading", name="Ce lien ne fonctionne pas")).to_be_visible()
        assert fits(page)
        page.context.close()
