"""The golden documents: every document in every language and look as it was when it was found good."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from activities.languages.catalogue import LANGUAGES
from billing.document_kind import DocumentKind
from tests.golden import pictures
from tests.golden.documents import DOCUMENTS, EINVOICES, LETTERS, LOOKS, written

_TOLERANCE = 0.02
"""The share of dots that may differ: other versions of Pango or a font move letters by a hair."""

_TRANSLATED = re.compile(r"\.(?!en)[a-z]{2}\.")
"""Documents in another language than English: their pictures are for looking at, the words decide."""

_ANEW = "if it is meant, draw it anew with 'make golden' and look at what has changed"


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_as_it_was(name: str) -> None:
    """The words are the same on the same pages, and the picture is but for a hair."""
    pdf = DOCUMENTS[name]()
    assert pictures.text_of(pdf) == (pictures.FOLDER / f"{name}.txt").read_text("utf-8"), _ANEW
    if pictures.can_draw and not _TRANSLATED.search(name):
        with Image.open(pictures.FOLDER / f"{name}.png") as golden:
            assert pictures.difference(pictures.picture_of(pdf), golden) < _TOLERANCE, _ANEW


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_look_says_the_same(language: str) -> None:
    """Looks set one page: what a golden document says in one of them, letter by letter, it says in all three."""
    for name in (*DocumentKind, *LETTERS):
        assert len({written(name, language, look) for look in LOOKS.values()}) == 1, name


@pytest.mark.parametrize("name", sorted(EINVOICES))
def test_xml_as_it_was(name: str) -> None:
    """The e-invoice says the same, in both syntaxes."""
    for path, xml in pictures.xml_of(name, EINVOICES[name]()):
        assert xml == path.read_bytes(), _ANEW


def test_none_too_many() -> None:
    """The folder holds the pictures and texts of these documents, and less than 6 MB."""
    kept = list(pictures.FOLDER.iterdir())
    assert {path.name for path in kept} == {f"{name}.{kind}" for name in DOCUMENTS for kind in ("png", "txt")}
    assert sum(path.stat().st_size for path in kept) < 6_000_000


@pytest.mark.parametrize("changed", ["shifted", "recoloured", "other page"])
def test_a_change_is_seen(changed: str) -> None:
    """A page moved by 2 mm, a look of another colour, or another document is beyond the tolerance."""
    with Image.open(pictures.FOLDER / "invoice.en.bold.png") as picture:
        golden = picture.convert("RGB")
    if changed == "shifted":
        other = Image.new("RGB", golden.size, "white")
        other.paste(golden, (0, 4))
    elif changed == "recoloured":
        other = golden.point(lambda dot: 255 if dot < 128 else dot)
    else:
        with Image.open(pictures.FOLDER / "credit-note.en.bold.png") as picture:
            other = picture.convert("RGB")
    assert pictures.difference(other, golden) >= _TOLERANCE
