"""A look at a document before anybody gets it: marked as a preview, with everything that is wrong with it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from io import BytesIO

import pikepdf

from activities.documents.assets import NotServed
from activities.documents.look import LookFiles
from activities.documents.sample_documents import PAGES, Parties, invoice_page
from activities.documents.trial import Fault, fault_of, within
from activities.documents.weasyprint_log import weasyprint_warnings
from billing.document import InvoiceDocument

MARK = "Preview: "
"""Before the title of every preview, by which a file is known to be one."""

_SECONDS = 60.0
_STAMP = """\
<div style="position: fixed; top: 95mm; left: -5mm; width: 180mm; text-align: center; transform: rotate(-38deg);
 font: bold 92pt 'Noto Sans', sans-serif; letter-spacing: 6pt; color: rgba(200, 60, 40, .16)">Preview</div>
"""


@dataclass(frozen=True)
class Wanted:
    """What to show: a sample by its name in `PAGES`, between these parties, or a real document in place of it."""

    look: LookFiles
    sample: str
    parties: Parties
    real: InvoiceDocument | None = None


@dataclass(frozen=True)
class Previewed:
    """The PDF, if there is one, and what is wrong; `milliseconds` it took."""

    pdf: bytes | None
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]
    milliseconds: int


def preview(wanted: Wanted) -> Previewed:
    """Renders the document with the word Preview across each page. Never raises for what stands in a template."""
    from activities.documents.press import typeset

    began, pdf, faults = time.perf_counter(), None, []
    with weasyprint_warnings(logged=False) as warnings:
        try:
            with within(_SECONDS):
                pdf = typeset(_marked(_page(wanted)), "the preview", wanted.look)
        except Exception as error:  # noqa: BLE001  whatever a template does is its fault
            faults.append(fault_of(error, wanted.sample if wanted.real is None else wanted.real.number))
    told = tuple(dict.fromkeys(each for each in warnings if _concerns_people(each)))
    return Previewed(pdf, tuple(faults), told, round((time.perf_counter() - began) * 1000))


def is_preview(data: bytes) -> bool:
    """Whether a file is a preview, which may be written over."""
    try:
        with pikepdf.open(BytesIO(data)) as pdf, pdf.open_metadata() as metadata:
            return str(metadata.get("dc:title", "")).startswith(MARK)
    except pikepdf.PdfError:
        return False


def _page(wanted: Wanted) -> str:
    if wanted.real is not None:
        return invoice_page(wanted.real, wanted.look)
    return PAGES[wanted.sample](wanted.parties, wanted.look)


def _marked(html: str) -> str:
    return html.replace("<title>", f"<title>{MARK}", 1).replace("</body>", _STAMP + "</body>", 1)


def _concerns_people(warning: str) -> bool:
    """What was left out of the page; not what WeasyPrint thinks of Billow's own style sheets."""
    return NotServed.__name__ in warning or "Failed to load" in warning or ".notdef" in warning
