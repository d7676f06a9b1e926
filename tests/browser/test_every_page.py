"""Every page of the app, wide and narrow, light and dark, English and German: nothing axe-core objects to, nothing cut.

A page joins by being a route. One with places to fill in needs an address in `ADDRESSES`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from activities.ledger import preferences
from activities.ledger.preferences import Preferences
from activities.ledger.tables import MessageRow
from starter.local_stack import mailbox
from starter.web import create_app
from starter.web.doors import every_route
from tests.browser.conftest import arrived, fits, sign_in
from tests.starter.web.furnished import furnish
from tests.starter.web.story import Story
from workers.settings import Settings

ADDRESSES: dict[str, Callable[[Story, Settings], str]] = {
    "/approvals/{id:int}": lambda *_: "/approvals/1",
    "/approvals/{id:int}/draft/pages": lambda *_: "/approvals/1/draft/pages",
    "/exceptions/{id:int}": lambda *_: "/exceptions/1",
    "/d/{token}": lambda *_: "/d/none",
    "/invoices/{reference:path}": lambda story, _: f"/invoices/{story.issued('seen', title='Seen')}",
    "/clients/{client}": lambda *_: "/clients/nordlicht",
    "/agreements/{agreement}": lambda *_: "/agreements/support",
    "/bank/statements/{statement:int}": lambda *_: "/bank/statements/1",
    "/messages/{key:path}": lambda story, _: f"/messages/{_asked(story)}",
    "/runs/{run}": lambda *_: "/runs/run:1",
    "/integrations/{connection}": lambda *_: "/integrations/events",
    "/mailbox/{id}": lambda _, settings: f"/mailbox/{_message(settings)}",
}
"""How a page with places to fill in is reached; it may make what it shows."""

NOT_PAGES = {
    "/approvals/{id:int}/draft.pdf",
    "/approvals/{id:int}/draft/pages/{number:int}.png",
    "/documents/{sha256}",  # bytes
    "/documents/{sha256}/pages",  # as those of a draft
    "/documents/{sha256}/pages/{number:int}.png",
    "/disputes/{dispute:int}/files/{sha256}",  # the same, always as an attachment
    "/stand-in-checkout/{session}",  # a payment provider's page: shown where paying is tested
    "/integrations/{connection}/message",  # needs a vendor's delivery: shown where those are tested
    "/mailbox/{id}/html",  # the sender's own
    "/message-bodies/{key:path}",  # the same, of a message that was sent
    "/mailbox/{id}/attachments/{number:int}",
    "/invoices.csv",
    "/healthz",
    "/readyz",
    "/favicon.ico",
}

MORE = (
    "/?for=all",
    "/invoices?status=late&sort=-due",
    "/invoices?q=nothing",
    "/runs?all=1",
    "/nowhere",
    "/credit-notes/preview?invoice=manual/part&reason=agreed",
)


def _asked(story: Story) -> str:
    """The key of a message to somebody who is asked to approve."""
    made = story.asked("told", title="Told")
    with story.ledger.transaction() as tx:
        return tx.scalars(select(MessageRow.key).where(MessageRow.invoice == made).limit(1)).one()


def _message(settings: Settings) -> str:
    message = EmailMessage()
    message["From"], message["To"] = "billing@elbwerk.example", "ap@nordlicht.example"
    message["Subject"] = "Invoice ELB-2026-00001"
    message.set_content("Dear Kim,\n\nhere is our invoice.")
    assert settings.mailbox is not None
    return mailbox.keep(settings.mailbox, "a@elbwerk.example", ["ap@nordlicht.example"], message.as_bytes())


def pages(story: Story, settings: Settings) -> list[str]:
    """The addresses of every page of the app, and of some in other states."""
    app = create_app(settings, story.ledger)
    routes = [
        path for method, path, _ in every_route(app.routes) if method == "GET" and path not in NOT_PAGES
    ]
    shown = [path for path in routes if not path.startswith(("/api/", "/i/", "/webhooks/", "/sign-in/"))]
    missing = [path for path in shown if "{" in path and path not in ADDRESSES]
    assert not missing, (
        f"give these an address in ADDRESSES, or say in NOT_PAGES why they are none: {missing}"
    )
    return [ADDRESSES[path](story, settings) if "{" in path else path for path in shown] + list(MORE)


LOOKS = {
    "wide, light, English": (1600, "light", "en-GB"),
    "narrow, dark, German": (360, "dark", "de-DE"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_page(story: Story, settings: Settings, browser: Browser, address: str, look: str) -> None:
    """No page breaks a rule of axe-core, hangs over the edge, or is refused anything by its own content policy."""
    furnish(story)
    width, scheme, language = LOOKS[look]
    found: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale=language,
        base_url=address,
    )
    page = context.new_page()
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console", lambda said: found.append(said.text) if "Content Security Policy" in said.text else None
    )
    page.goto("/sign-in")
    found += _faults(page, "/sign-in")
    page.locator("main").get_by_role("button", name="Uma Keller").click()
    arrived(page, "/")
    for path in pages(story, settings):
        answer = page.goto(path)
        if answer is None or not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        found += _faults(page, path)
        if page.locator("html").get_attribute("lang") != language:
            found.append(f"{path}: not in {language}")
    context.close()
    assert found == []


def _faults(page: Page, path: str) -> list[str]:
    faults = [] if fits(page) else [f"{path}: hangs over the edge"]
    for violation in Axe().run(page).response["violations"]:
        where = "; ".join(str(node["target"][0]) for node in violation["nodes"][:3])
        faults.append(f"{path}: {violation['id']}: {violation['help']} at {where}")
    return faults


@pytest.mark.parametrize("appearance", ["light", "dark"])
def test_chosen_appearance(story: Story, browser: Browser, address: str, appearance: str) -> None:
    """The appearance a person chose holds against that of the system, with contrast enough."""
    story.issued("one", at=story.at - timedelta(days=40))
    with story.ledger.transaction() as tx:
        preferences.keep(tx, "tom", Preferences(appearance=appearance), at=story.at)
    other = "dark" if appearance == "light" else "light"
    context = browser.new_context(color_scheme=other, base_url=address)  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, "Tom Iversen")
    page.goto("/invoices")
    ground = (
        page.evaluate("getComputedStyle(document.body).backgroundColor").removeprefix("rgb(").split(",")[0]
    )
    assert (int(ground) > 128) == (appearance == "light")
    assert _faults(page, "/invoices") == []
    context.close()
