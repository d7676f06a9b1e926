"""What the press keeps for the next document, and what it takes from a look."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from activities.documents import press
from activities.documents.errors import RenderingFailed
from activities.documents.faces import faces
from activities.documents.look import PLAIN, LookFiles
from activities.documents.pdf import render_invoice
from billing.looks import Look, LookName
from tests.activities.documents.samples import invoice
from tests.activities.documents.test_pdf import missing_from

_OWN_FONTS = """
import subprocess, sys
from pathlib import Path
from activities.documents.look import LookFiles
from activities.documents.pdf import render_invoice
from billing.looks import Look
from tests.activities.documents.samples import invoice
font = Path(sys.argv[1]).read_bytes()
for number in range(6):
    look = Look(id="berlin", text_fonts=("own.ttf",), accent=f"#00000{number}")
    render_invoice(invoice(), LookFiles(look=look, files={"own.ttf": font}))
"""


def font_file(family: str) -> Path:
    """The file of an installed font."""
    found = subprocess.run(
        ["fc-match", "--format", "%{file}", f"{family}:style=Book"],
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(found.stdout)


def with_look(files: dict[str, bytes] | None = None, **fields: object) -> LookFiles:
    return LookFiles(look=Look.model_validate({"id": "berlin", **fields}), files=files or {})


def fonts_in(pdf: bytes) -> set[str]:
    """The fonts embedded, without the prefix of their subset."""
    found: set[str] = set()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            fonts = page.Resources.Font
            found |= {str(font.BaseFont).split("+")[-1] for _, font in fonts.items()}
    return found


@pytest.mark.parametrize(
    ("look", "family"),
    [(LookName.CLEAR, "Sans"), (LookName.CLASSIC, "Serif"), (LookName.BOLD, "Sans-Display")],
)
def test_each_look_has_its_type(look: LookName, family: str) -> None:
    """Clear is set in Noto Sans, classic in Noto Serif, bold in Noto Sans Display."""
    names = fonts_in(render_invoice(invoice(), with_look(based_on=look)))
    assert f"Noto-{family}" in names


def test_own_fonts() -> None:
    """Text and headings are set in the fonts of the look, weight and slope as the files say."""
    serif = font_file("DejaVu Serif").read_bytes()
    look = with_look({"fonts/own.ttf": serif}, text_fonts=("fonts/own.ttf",))
    assert "font-weight: 400; font-style: normal" in faces(look)
    names = fonts_in(render_invoice(invoice(), look))
    assert names == {"House-Text", "House-Text-Bold"}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "own.ttf is not among the files"),
        ({"own.ttf": b"no font"}, "own.ttf is no TrueType or OpenType font"),
    ],
)
def test_a_font_that_is_none(files: dict[str, bytes], says: str) -> None:
    """A font that is missing or broken is named."""
    with pytest.raises(RenderingFailed, match=says):
        render_invoice(invoice(), with_look(files, text_fonts=("own.ttf",)))


def test_foot_and_terms_by_language() -> None:
    """The line in the foot and the terms stand in the document's language, else in English, else as there are."""
    look = with_look(footer={"de": "Ein Unternehmen der See", "en": "Of the sea"}, terms={"en": "Our terms"})
    assert missing_from(render_invoice(invoice(), look), ["Ein Unternehmen der See", "Our terms"]) == []
    assert missing_from(render_invoice(invoice(language="fr"), look), ["Of the sea"]) == []


def test_looks_do_not_mix() -> None:
    """A document looks the same whatever was set before it."""
    first = render_invoice(invoice())
    render_invoice(invoice(), with_look(based_on=LookName.BOLD))
    assert render_invoice(invoice()) == first
    assert render_invoice(invoice(), PLAIN) == first


def test_few_looks_are_kept() -> None:
    """However many looks a process meets, it keeps the last few ready."""
    for shade in range(8):
        render_invoice(invoice(), with_look(accent=f"#00000{shade}"))
    assert press._press.cache_info().currsize <= 4


def test_no_folder_is_left_behind(tmp_path: Path) -> None:
    """A process that set documents in fonts of their own leaves no temporary folder."""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    font = str(font_file("DejaVu Serif"))
    subprocess.run([sys.executable, "-c", _OWN_FONTS, font], check=True, env=environment, timeout=120)
    assert list(tmp_path.glob("weasyprint-*")) == []
