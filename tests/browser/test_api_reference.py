"""The page that describes the API, in a browser: readable on any screen, light and dark, no link leading nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.conftest import fits

PICTURES = os.environ.get("BILLOW_PICTURES")
"""A folder pictures are put into, to be looked at."""

SOME_OPEN = "document.querySelectorAll('details').forEach((each, n) => each.open = n % 8 === 0)"
"""One operation in eight: they are all drawn alike, and axe-core takes half a minute over all of them."""


@pytest.mark.parametrize(("width", "scheme"), [(1600, "light"), (360, "dark")])
def test_reference(browser: Browser, address: str, width: int, scheme: str) -> None:
    """Nothing axe-core objects to, shut or open; nothing hangs over; no link leads nowhere."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        base_url=address,
    )
    page = context.new_page()
    page.goto("/api/v1/docs")
    faults = []
    for state in ("shut", "open"):
        if state == "open":
            page.evaluate(SOME_OPEN)
        if not fits(page):
            faults.append(f"{state}: hangs over the edge")
        for violation in Axe().run(page).response["violations"]:
            where = "; ".join(str(node["target"][0]) for node in violation["nodes"][:3])
            faults.append(f"{state}: {violation['id']}: {violation['help']} at {where}")
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"api-{width}-{state}.png")
    nowhere = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(each => each.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    if PICTURES:
        page.goto("/api/v1/docs#problems")
        page.screenshot(path=Path(PICTURES) / f"api-{width}-problems.png")
    context.close()
    assert faults == []
    assert nowhere == []
