"""The PDF of an invoice, of whatever kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activities.documents.errors import RenderingFailed as RenderingFailed
from activities.documents.invoice_values import values
from activities.documents.look import PLAIN, LookFiles
from activities.documents.press import page
from activities.documents.press import renderer_versions as renderer_versions
from activities.documents.press import typeset as typeset
from activities.documents.press import warm_up as warm_up
from activities.languages.catalogue import CatalogueFaulty
from billing.document import InvoiceDocument

if TYPE_CHECKING:
    from activities.einvoice.files import EInvoiceFiles

_TEMPLATE = "invoice.html"


def render_invoice(
    document: InvoiceDocument, look: LookFiles = PLAIN, einvoice: EInvoiceFiles | None = None
) -> bytes:
    """The invoice as PDF/A-3b in the draft's language (English where there is no translation) and in a look.

    With `einvoice`, the file is a hybrid: its CII is embedded. The same arguments give the same bytes with the same
    `renderer_versions()`. `RenderingFailed` if a character has no glyph in any installed font (check with
    `unprintable` before a number is taken), or the template or the look is faulty.
    """
    html = page(_TEMPLATE, _values(document, look), document.number, look)
    return typeset(html, document.number, look, einvoice)


def proof(document: InvoiceDocument, look: LookFiles = PLAIN) -> None:
    """Writes the page without setting it: finds what the template cannot do with this document, in milliseconds.

    `RenderingFailed` says what. Takes the place of rendering before a number is taken.
    """
    page(_TEMPLATE, _values(document, look), "this document", look)


def _values(document: InvoiceDocument, look: LookFiles) -> dict[str, Any]:
    try:
        return values(document, look)
    except CatalogueFaulty as error:
        raise RenderingFailed(f"the look's own language cannot be used: {error}") from error
