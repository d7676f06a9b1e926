"""The pictures of the client's page: a screen, and three phones side by side, in three languages."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from activities.ledger import dispute_commands
from billing.approval_policy import Channel
from billing.dispute import DisputeCode
from tests.browser.conftest import CHROMIUM
from tests.starter.web.portal.clients import Clients

FOLDER = Path(__file__).parents[2] / "docs" / "portal"
PHONE, BETWEEN, DEEPEST = 360, 30, 1190
COLOURS = 128


def invoices_of(clients: Clients) -> dict[str, str]:
    """The pages of an invoice that is open, one objected to in part, and one that is paid, by language."""
    found = {language: clients.sent(f"portal-{language}", language) for language in ("de", "en", "fr")}
    dispute_commands.dispute(
        clients.ledger,
        found["en"],
        reason="The second line was not ordered",
        code=DisputeCode.NOT_ORDERED,
        lines=(2,),
        by="lena",
        channel=Channel.WEB,
        at=clients.at,
    )
    clients.paid(found["fr"], str(clients.open_amount(found["fr"])))
    return {language: clients.path(number) for language, number in found.items()}


def take(base: str, paths: dict[str, str]) -> None:
    """Both pictures, of the app served at `base`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        keep(_picture(browser, base + paths["de"], width=1140), "wide")
        phones = [
            _picture(browser, base + path, width=PHONE, dark=each == "en") for each, path in paths.items()
        ]
        browser.close()
    height = min(max(each.height for each in phones), DEEPEST)
    side_by_side = Image.new("RGB", (len(phones) * (PHONE + BETWEEN) - BETWEEN, height), "white")
    for place, phone in enumerate(phones):
        side_by_side.paste(phone, (place * (PHONE + BETWEEN), 0))
    keep(side_by_side, "phones")


def _picture(browser: Browser, address: str, *, width: int, dark: bool = False) -> Image.Image:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    answer = page.goto(address)
    assert answer is not None and answer.status == 200, address
    drawn = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    context.close()
    return drawn


def keep(image: Image.Image, name: str) -> None:
    few = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)
