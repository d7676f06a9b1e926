"""Takes the pictures of every page into docs/screens, and the client's into docs/portal: `make screens`.

ARGS="money portal" takes some.
"""

from __future__ import annotations

import io
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from pydantic import SecretStr

from activities.ledger.database import Ledger, migrate
from benchmarks.pages import database
from starter.local_stack import mailbox, ports
from starter.web import create_app
from tests.browser.conftest import CHROMIUM
from tests.screens import portal
from tests.screens.dealings import deal
from tests.starter.web.furnished import furnish
from tests.starter.web.portal.clients import Clients
from tests.starter.web.story import Story
from workers.document_store import document_store
from workers.settings import Settings

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
COLOURS, MOST_HEIGHT = 112, 1500
"""Of a picture: pages are calm, so few colours do; what lies deeper than so many pixels is cut off."""

PAGES = {
    "inbox": "/?for=all",
    "approval": "/approvals/{waiting}",
    "exception": "/exceptions/{exception}",
    "invoices": "/invoices",
    "invoice": "/invoices/{invoice}",
    "money": "/money",
    "clients": "/clients",
    "client": "/clients/nordlicht",
    "agreements": "/agreements",
    "agreement": "/agreements/support",
    "bill-agreement": "/bill/agreement?agreement=support&reason=They%20asked%20for%20it&look=1",
    "bill-once": "/bill/one-off?client=ateliers",
    "bill-event": "/bill/event?agreement=relaunch",
    "runs": "/runs",
    "run": "/runs/run:1",
    "bank": "/bank",
    "statement": "/bank/statements/1",
    "integrations": "/integrations",
    "integration": "/integrations/events",
    "policies": "/policies",
    "mailbox": "/mailbox",
    "absences": "/absences",
    "tokens": "/tokens",
    "sign-ins": "/sign-ins",
    "preferences": "/preferences",
}
PORTAL = "portal"
LOOKS = (
    ("wide-light", 1600, "light"),
    ("wide-dark", 1600, "dark"),
    ("narrow-light", 360, "light"),
    ("narrow-dark", 360, "dark"),
)


def main(only: list[str]) -> None:
    """Every page that is named, or all, in four looks; tells those that could not be shown."""
    if CHROMIUM is None:
        sys.exit("No chromium here: `make browser` installs it.")
    if only != [PORTAL]:
        with _company() as (story, settings):
            furnish(story)
            _mail(settings)
            deal(story, places(story)["invoice"], document_store(settings))
            with _served(story, settings) as base, sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
                )
                for look, width, scheme in LOOKS:
                    _taken(browser, base, look, width, scheme, only, places(story))
                browser.close()
    if not only or PORTAL in only:
        with _company() as (story, settings):
            paths = portal.invoices_of(Clients(settings, story, logo=True))
            with _served(story, settings) as base:
                portal.take(base, paths)


@contextmanager
def _company() -> Iterator[tuple[Story, Settings]]:
    """The small company on a ledger of its own."""
    with tempfile.TemporaryDirectory(prefix="billow-screens-") as home, database(Path(home)) as url:
        migrate(url)
        ledger = Ledger(url)
        try:
            yield (
                Story(ledger, datetime.now(UTC)),
                Settings(
                    database_url=SecretStr(url),
                    home=Path(home),
                    mailbox=Path(home) / "mailbox",
                    development=True,
                    web_port=ports.choose(28900, None, "a port"),
                ),
            )
        finally:
            ledger.close()


@contextmanager
def _served(story: Story, settings: Settings) -> Iterator[str]:
    """The app, as `billow web` serves it; its address."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings, story.ledger), port=settings.web_port, log_level="warning")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{settings.web_port}"
    finally:
        server.should_exit = True
        thread.join()


def places(story: Story) -> dict[str, str]:
    """What fills the places in addresses."""
    from sqlalchemy import select

    from activities.ledger.tables import ApprovalRow, ExceptionRow, InvoiceRow

    with story.ledger.transaction() as tx:
        return {
            "waiting": str(tx.scalar(select(ApprovalRow.id).limit(1))),
            "exception": str(tx.scalar(select(ExceptionRow.id).limit(1))),
            "invoice": str(
                tx.scalar(select(InvoiceRow.number).where(InvoiceRow.title == "Server operations"))
            ),
        }


def _taken(
    browser: Browser, base: str, look: str, width: int, scheme: str, only: list[str], filled: dict[str, str]
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-GB",
        base_url=base,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto("/sign-in")
    if not only or "sign-in" in only:
        keep(page.screenshot(), f"sign-in-{look}")
    page.locator("main").get_by_role("button", name="Tom Iversen").click()
    page.wait_for_url("**/")
    for name, path in PAGES.items():
        if only and name not in only:
            continue
        answer = page.goto(path.format(**filled))
        if answer is None or answer.status != 200:
            sys.stderr.write(f"{name}: {answer and answer.status}\n")
            continue
        if page.locator("iframe.document").count():  # a frame is drawn once it is in sight
            page.locator("iframe.document").first.scroll_into_view_if_needed()
            page.frame_locator("iframe.document").locator("img").first.evaluate("image => image.decode()")
            page.evaluate("scrollTo(0, 0)")
        height = min(int(page.evaluate("document.documentElement.scrollHeight")), MOST_HEIGHT)
        page.set_viewport_size({"width": width, "height": max(height, 640)})
        keep(page.screenshot(), f"{name}-{look}")
        page.set_viewport_size({"width": width, "height": 900})
    context.close()


def keep(data: bytes, name: str) -> None:
    """Writes a picture, in few colours."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    image = Image.open(io.BytesIO(data)).convert("RGB")
    few = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)


def _mail(settings: Settings) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "billing@elbwerk.example", "ap@nordlicht.example"
    message["Subject"] = "Invoice ELB-2026-00001"
    message.set_content("Dear Kim,\n\nhere is our invoice.")
    assert settings.mailbox is not None
    mailbox.keep(settings.mailbox, "a@elbwerk.example", ["ap@nordlicht.example"], message.as_bytes())


if __name__ == "__main__":
    main(sys.argv[1:])
