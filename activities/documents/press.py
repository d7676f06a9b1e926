"""The press: pages of HTML become PDF/A-3b, with what is costly to make kept for the next document.

A process sets one document at a time: Pango's font maps do not stand threads, so setting takes a lock. To render
faster, run more processes.
"""

from __future__ import annotations

import atexit
import gc
import hashlib
import threading
from functools import lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import weasyprint
from jinja2 import TemplateError
from weasyprint.text.ffi import pango
from weasyprint.text.fonts import FontConfiguration

from activities.documents import fonts, hybrid
from activities.documents.assets import Assets
from activities.documents.errors import RenderingFailed
from activities.documents.faces import faces
from activities.documents.look import PLAIN, LookFiles
from activities.documents.page_templates import TEMPLATES, page_template
from activities.documents.weasyprint_log import weasyprint_warnings
from activities.languages.catalogue import CATALOGUES
from billing.looks import LookName
from billing.taxes.notes import notes_of_the_law

if TYPE_CHECKING:
    from activities.einvoice.files import EInvoiceFiles

_lock = threading.RLock()

_FAULTS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RecursionError, SyntaxError, TypeError,
    ValueError,
)  # fmt: skip
"""What a page that asks for the impossible ends in; the machine's own failures are none of these."""


class _Press:
    """What serves every document of one look: fonts, style sheets and the fetcher of its files."""

    def __init__(self, look: LookFiles) -> None:
        fonts.configure()
        self.fetcher = Assets(look, TEMPLATES)
        self.fonts = FontConfiguration()
        self.styles = [self._style(text) for text in style_sheets(look)]

    def _style(self, text: str) -> weasyprint.CSS:
        return weasyprint.CSS(string=text, font_config=self.fonts, url_fetcher=self.fetcher)

    def lay_out(self, html: str) -> weasyprint.Document:
        page = weasyprint.HTML(string=html, url_fetcher=self.fetcher)
        return page.render(stylesheets=self.styles, font_config=self.fonts, pdf_variant="pdf/a-3b")


@lru_cache(maxsize=4)
def _press(look: LookFiles) -> _Press:
    return _Press(look)


atexit.register(_press.cache_clear)  # each press with fonts of its own has a temporary folder


def style_sheets(look: LookFiles) -> list[str]:
    """The style sheets of a look, in the order they count: Billow's, the fonts of its own, what it adds."""
    based_on = look.look.based_on if look.look else LookName.CLEAR
    own = [(TEMPLATES / "looks" / name).read_text("utf-8") for name in ("paper.css", f"{based_on}.css")]
    return [*own, *(text for text in (faces(look), look.style) if text)]


def page(template: str, values: dict[str, Any], name: str, look: LookFiles = PLAIN) -> str:
    """A template filled in, with the blocks the look overrides; `name` is for messages.

    `RenderingFailed` says what the template cannot write.
    """
    try:
        return page_template(look, template).render(values)
    except (TemplateError, *_FAULTS) as error:
        raise RenderingFailed(f"the template {template} cannot write {name}: {_said(error)}") from error


def typeset(html: str, name: str, look: LookFiles = PLAIN, einvoice: EInvoiceFiles | None = None) -> bytes:
    """A page as PDF/A-3b in a look, with an e-invoice inside if one is given; `name` is for messages.

    The same arguments give the same bytes with the same `renderer_versions()`. `RenderingFailed` if a character has
    no glyph in any font.
    """
    with _lock, weasyprint_warnings() as warnings:
        try:
            pdf = hybrid.write_pdf(_press(look).lay_out(html), einvoice)
        except _FAULTS as error:
            raise RenderingFailed(
                f"{name} cannot be set: {_said(error)}; see what its templates and style sheets ask for"
            ) from error
    if missing := [warning for warning in warnings if ".notdef" in warning]:
        raise RenderingFailed(
            f"{name} holds characters no installed font has ({'; '.join(missing)}); "
            "install a font that has them (Debian: fonts-noto-core, fonts-noto-cjk, fonts-symbola)"
        )
    return pdf


def _said(error: Exception) -> str:
    return "it needs more memory than there is" if isinstance(error, MemoryError) else str(error)


def warm_up() -> None:
    """Loads fonts, style sheets and templates, then takes what lives now out of the garbage collector's sight.

    A rendering process calls it once, after its imports: the collector else costs a quarter of each document.
    """
    with _lock:
        _press(PLAIN)
    fonts.coverage()
    gc.collect()
    gc.freeze()


@lru_cache(maxsize=1)
def renderer_versions() -> dict[str, str]:
    """What the bytes of a PDF depend on besides document and look: programs, templates with their words, fonts."""
    templates = hashlib.sha256()
    for path in sorted(path for path in TEMPLATES.rglob("*") if path.is_file()):
        templates.update(path.relative_to(TEMPLATES).as_posix().encode() + b"\0" + path.read_bytes())
    words = hashlib.sha256(notes_of_the_law())
    for path in sorted(CATALOGUES.glob("*.po")):
        words.update(path.name.encode() + b"\0" + path.read_bytes())
    packages = ("weasyprint", "pydyf", "fonttools", "segno", "qrbill", "babel")
    return {
        **{package: metadata.version(package) for package in packages},
        "pango": _dotted(pango.pango_version()),
        "template": templates.hexdigest()[:16],
        "words": words.hexdigest()[:16],
        "fonts": fonts.installed_digest()[:16],
    }


def _dotted(version: int) -> str:
    """50012 → 1.50.12, as Pango encodes it (10000 a major version)."""
    return f"{version // 10000}.{version // 100 % 100}.{version % 100}"
