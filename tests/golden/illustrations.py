"""The pictures of docs/looks.md."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

from activities.documents.look import LookFiles
from activities.documents.pdf import render_invoice
from billing.document_kind import DocumentKind
from billing.looks import Look, LookName
from billing.work_records import HoursAppendix
from tests.golden import awkward, invoices, pictures
from tests.golden.documents import own

FOLDER = Path(__file__).parents[2] / "docs" / "looks"

_DPI, _COLOURS = 60, 96
_ACCENTS = {LookName.CLEAR: "#1f4e79", LookName.CLASSIC: "#7a1f3d", LookName.BOLD: "#0b6e5f"}


def _look(name: LookName) -> LookFiles:
    return LookFiles(look=Look(id="berlin", based_on=name, accent=_ACCENTS[name]))


def _side_by_side(pages: list[Image.Image]) -> Image.Image:
    gap, height = 14, pages[0].height
    sheet = Image.new("RGB", (sum(page.width + gap for page in pages) + gap, height + 2 * gap), "#c9ced3")
    left = gap
    for page in pages:
        sheet.paste(page, (left, gap))
        left += page.width + gap
    return sheet


def _pages(pdf: bytes, *wanted: int) -> list[Image.Image]:
    """Single pages, counted from 0, out of the picture that has them side by side."""
    sheet = pictures.picture_of(pdf, _DPI)
    count = round(sheet.width / (sheet.height * 210 / 297 + 4))
    width = (sheet.width + 4) // count - 4
    return [sheet.crop((at * (width + 4), 0, at * (width + 4) + width, sheet.height)) for at in wanted]


def _looks(of: Callable[[LookName], LookFiles]) -> Image.Image:
    document = invoices.of_kind(DocumentKind.INVOICE, "en")
    return _side_by_side(
        [page for name in LookName for page in _pages(render_invoice(document, of(name)), 0)]
    )


def _lines() -> Image.Image:
    return _side_by_side(_pages(render_invoice(awkward.lines(70), _look(LookName.CLEAR)), 1, 3))


def _hours() -> Image.Image:
    pages = [
        *_pages(render_invoice(invoices.of_hours(HoursAppendix.BY_PERSON), _look(LookName.CLASSIC)), 1),
        *_pages(render_invoice(invoices.of_hours(HoursAppendix.BY_TICKET), _look(LookName.BOLD)), 1),
    ]
    return _side_by_side(pages)


def _bill() -> Image.Image:
    return _side_by_side(_pages(render_invoice(invoices.swiss("de"), _look(LookName.CLEAR)), 0, 1))


ILLUSTRATIONS: dict[str, Callable[[], Image.Image]] = {
    "three": partial(_looks, _look),
    "own": partial(_looks, own),
    "lines": _lines,
    "hours": _hours,
    "qr-bill": _bill,
}


def draw() -> None:
    """Draws all of them anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, picture in ILLUSTRATIONS.items():
        picture().quantize(_COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)
