"""Documents as pictures of their pages: whole, by whoever may open the document, and in words where there is none."""

from __future__ import annotations

import io
import re

import pikepdf
import pytest
from PIL import Image

from activities.documents import page_pictures
from activities.ledger import invoices
from starter.web.desk import Desk
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story
from tests.starter.web.test_deciding import approval_of

_PICTURE = re.compile(r'<img src="([^"]+)" alt="([^"]+)"')


def kept(story: Story, visitor: Visitor, data: bytes) -> str:
    """Gives an issued invoice a document with these bytes; its hash."""
    number, desk = story.issued("one"), visitor.app.state.desk  # type: ignore[attr-defined]
    assert isinstance(desk, Desk)
    return story.with_document(number, desk.documents.put(data), len(data))


def pdf(pages: int) -> bytes:
    """A PDF of so many empty pages."""
    made, file = pikepdf.new(), io.BytesIO()
    for _ in range(pages):
        made.add_blank_page(page_size=(595, 842))
    made.save(file)
    return file.getvalue()


def test_every_page_of_a_document(story: Story, visitor: Visitor) -> None:
    """A document of three pages is three pictures that say which they are; they are kept, since it never changes."""
    sha256 = kept(story, visitor, pdf(3))
    frame = visitor.sign_in("vito").get(f"/documents/{sha256}/pages")
    assert "frame-ancestors 'self'" in frame.headers["content-security-policy"]
    assert frame.headers["x-frame-options"] == "SAMEORIGIN"
    pictures = _PICTURE.findall(frame.text)
    assert [said for _, said in pictures] == ["Page 1 of 3", "Page 2 of 3", "Page 3 of 3"]
    for path, _ in pictures:
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert "immutable" in answer.headers["cache-control"]
        assert Image.open(io.BytesIO(answer.content)).size == (910, 1287)
    assert visitor.get(f"/documents/{sha256}/pages/4.png").status_code == 404


def test_draft(story: Story, visitor: Visitor) -> None:
    """A draft that is asked about is shown by its pages, kept by nobody; one that changed says so instead."""
    made = story.asked("one")
    visitor.sign_in("tom")
    asked = approval_of(story, "one")
    assert f'src="/approvals/{asked}/draft/pages"' in visitor.get(f"/approvals/{asked}").text
    frame = visitor.get(f"/approvals/{asked}/draft/pages")
    ((path, said),) = _PICTURE.findall(frame.text)
    assert said == "Page 1 of 1"
    answer = visitor.get(path)
    assert answer.headers["cache-control"] == "private, no-store"
    drawn = Image.open(io.BytesIO(answer.content))
    assert drawn.size == (910, 1287) and len(drawn.convert("L").histogram()) > 1
    darkest, _ = drawn.convert("L").getextrema()
    assert isinstance(darkest, int) and darkest < 100  # something is written on it
    with story.ledger.transaction() as tx:
        invoices.locked(tx, made).draft_digest = "0" * 64
    changed = visitor.get(f"/approvals/{asked}/draft/pages")
    assert "The draft has changed since" in changed.text and "<img" not in changed.text
    assert visitor.get(path).status_code == 409


def test_long(story: Story, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long document the first pages are shown, and it is said where the others are."""
    monkeypatch.setattr(page_pictures, "MOST_PAGES", 2)
    sha256 = kept(story, visitor, pdf(5))
    frame = visitor.sign_in("vito").get(f"/documents/{sha256}/pages").text
    assert len(_PICTURE.findall(frame)) == 2 and "The other pages of the 5 are in the PDF." in frame


def test_not_to_be_shown(story: Story, visitor: Visitor) -> None:
    """What is no whole PDF is told in the frame; a document nobody knows, too; a stranger gets to sign in."""
    sha256 = kept(story, visitor, b"%PDF-1.7 cut off")
    for path in (f"/documents/{sha256}/pages", f"/documents/{sha256}/pages/1.png"):
        assert visitor.get(path, follow_redirects=False).status_code == 303
    visitor.sign_in("vito")
    assert "Open the PDF itself" in visitor.get(f"/documents/{sha256}/pages").text
    assert visitor.get(f"/documents/{sha256}/pages/1.png").status_code == 409
    assert "knows no PDF" in visitor.get(f"/documents/{'0' * 64}/pages").text
    assert visitor.get("/documents/%00/pages").status_code == 200
