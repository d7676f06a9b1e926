"""Pages of PDFs as pictures: every page, in its own shape, however many look at once, and nothing without bounds."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pikepdf
import pytest
from PIL import Image

from activities.documents import page_pictures
from activities.documents.errors import PageUnreadable
from billing.errors import NotFound


def pdf_of(*sizes: tuple[float, float], password: str = "") -> bytes:
    """A PDF with a page of each size in points; each has a black square of 72 points at its lower left."""
    made, kept = pikepdf.new(), io.BytesIO()
    for size in sizes:
        page = made.add_blank_page(page_size=size)
        page.Contents = made.make_stream(b"0 0 72 72 re f")
    made.save(kept, encryption=pikepdf.Encryption(user=password, owner=password) if password else False)
    return kept.getvalue()


A4 = (595.28, 841.89)


def test_page_as_it_is() -> None:
    """A4 at 110 dots an inch is 910 by 1,287 pixels (8.27 in, 11.69 in); what is drawn is there, the rest is white."""
    drawn = Image.open(io.BytesIO(page_pictures.picture(pdf_of(A4), 1))).convert("RGB")
    assert drawn.size == (910, 1287)
    assert drawn.getpixel((50, 1287 - 50)) == (0, 0, 0)
    assert drawn.getpixel((50, 1287 - 120)) == (255, 255, 255)


def test_every_page() -> None:
    """Each page has its own shape, one that lies on its side too."""
    pdf = pdf_of(A4, (841.89, 595.28))
    assert page_pictures.count(pdf) == 2
    shapes = [Image.open(io.BytesIO(page_pictures.picture(pdf, number))).size for number in (1, 2)]
    assert shapes == [(910, 1287), (1287, 910)]


def test_poster() -> None:
    """A page of 200 inches is drawn as small as it must be."""
    drawn = Image.open(io.BytesIO(page_pictures.picture(pdf_of((14400, 7200)), 1)))
    assert drawn.size == (2000, 1000)


@pytest.mark.parametrize("number", [-1, 0, 2, 10**30])
def test_no_such_page(number: int) -> None:
    """There is no picture before the first page or after the last."""
    with pytest.raises(NotFound, match="no picture of page"):
        page_pictures.picture(pdf_of(A4), number)


def test_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a document without end only the first pages are drawn, and of one that is too large none."""
    pdf = pdf_of(*[A4] * 61)
    with pytest.raises(NotFound):
        page_pictures.picture(pdf, 61)
    monkeypatch.setattr(page_pictures, "MOST_BYTES", len(pdf) - 1)
    with pytest.raises(PageUnreadable, match="too large"):
        page_pictures.count(pdf)


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7 nothing", b"\x89PNG", pdf_of(A4, password="secret")])
def test_unreadable(pdf: bytes) -> None:
    """What is no PDF, is cut off, or needs a password is refused in words."""
    with pytest.raises(PageUnreadable, match="open the PDF itself"):
        page_pictures.picture(pdf, 1)


def test_many_at_once() -> None:
    """Threads that look at once all get the same picture."""
    pdf = pdf_of(A4)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: page_pictures.picture(pdf, 1), range(24)))) == 1
