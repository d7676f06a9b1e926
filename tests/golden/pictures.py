"""Documents as pictures and as text, small enough to be kept."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lxml import etree
from PIL import Image, ImageChops
from pypdf import PdfReader

from activities.einvoice.files import einvoice_files
from billing.document import InvoiceDocument

FOLDER = Path(__file__).parent / "pages"
XML = Path(__file__).parent / "xml"
DPI = 45
MOST_PAGES = 6
_COLOURS = 32

can_draw = shutil.which("pdftoppm") is not None


def xml_of(name: str, document: InvoiceDocument) -> list[tuple[Path, bytes]]:
    """The e-invoice of a document in both syntaxes, indented, and where it is kept."""
    files = einvoice_files(document)
    assert files is not None, name
    return [
        (XML / f"{name}.{syntax}.xml", _indented(xml))
        for syntax, xml in (("cii", files.cii), ("ubl", files.ubl))
    ]


def _indented(xml: bytes) -> bytes:
    tree = etree.fromstring(xml, etree.XMLParser(remove_blank_text=True))
    return etree.tostring(tree, pretty_print=True, xml_declaration=True, encoding="UTF-8")


def text_of(pdf: bytes) -> str:
    """All the words, page by page, in the order they are drawn."""
    pages = [
        re.sub(r"[^\S\n]+", " ", page.extract_text()).strip() for page in PdfReader(io.BytesIO(pdf)).pages
    ]
    return "\n\f\n".join(pages) + "\n"


def picture_of(pdf: bytes, dpi: int = DPI) -> Image.Image:
    """The first pages side by side, in few colours."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "document.pdf").write_bytes(pdf)
        subprocess.run(
            ["pdftoppm", "-r", str(dpi), "-l", str(MOST_PAGES), "-png", "document.pdf", "page"],
            cwd=folder,
            check=True,
            timeout=60,
        )
        pages = [Image.open(path).convert("RGB") for path in sorted(Path(folder).glob("*.png"))]
    width, height = pages[0].size
    sheet = Image.new("RGB", (width * len(pages) + 4 * (len(pages) - 1), height), "#808080")
    for at, page in enumerate(pages):
        sheet.paste(page, (at * (width + 4), 0))
    return sheet


def compact(picture: Image.Image) -> Image.Image:
    return picture.quantize(_COLOURS, dither=Image.Dither.NONE)


def difference(one: Image.Image, other: Image.Image) -> float:
    """The share of dots that differ plainly, 0 to 1; 1 for pictures of different size."""
    if one.size != other.size:
        return 1.0
    apart = ImageChops.difference(one.convert("L"), other.convert("L")).point(lambda dot: 255 * (dot > 96))
    return apart.histogram()[255] / (one.width * one.height)
