"""Pages of our own PDFs as pictures, for whoever looks at one in a browser: not every browser shows a PDF in a page."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pypdfium2
from PIL import Image

from activities.documents.errors import PageUnreadable
from billing.errors import NotFound

DOTS_PER_INCH = 110
MOST_BYTES, MOST_PAGES, MOST_PIXELS = 32_000_000, 60, 2_000
"""Of a file; shown of it; along an edge of a picture. A4 is 910 by 1,287 pixels."""

_COLOURS, _POINTS = 64, 72
_lock = threading.Lock()
"""PDFium is not made for threads: one at a time, whatever the document (pypdfium2, "Thread incompatibility")."""


def count(pdf: bytes) -> int:
    """How many pages it has. `PageUnreadable` if it is no PDF, needs a password, or is larger than `MOST_BYTES`."""
    with _opened(pdf) as document:
        return len(document)


def picture(pdf: bytes, number: int) -> bytes:
    """The page with that number, from 1, as a PNG on white. `PageUnreadable` as for `count`, `NotFound`
    where it has no such page, or it lies behind `MOST_PAGES`.
    """
    with _opened(pdf) as document:
        if not 1 <= number <= min(len(document), MOST_PAGES):
            raise NotFound(f"there is no picture of page {number} of {len(document)}")
        page = document[number - 1]
        scale = min(DOTS_PER_INCH / _POINTS, MOST_PIXELS / max(*page.get_size(), 1.0))
        drawn: Image.Image = page.render(scale=scale).to_pil().convert("RGB")
    kept = io.BytesIO()
    few = drawn.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(kept, "PNG", optimize=True)
    return kept.getvalue()


@contextmanager
def _opened(pdf: bytes) -> Iterator[pypdfium2.PdfDocument]:
    if len(pdf) > MOST_BYTES:
        raise PageUnreadable("the document is too large to be shown in pictures; open the PDF itself")
    with _lock:
        try:
            with closing(pypdfium2.PdfDocument(pdf)) as document:
                yield document
        except pypdfium2.PdfiumError as error:
            raise PageUnreadable("the document cannot be shown in pictures; open the PDF itself") from error
