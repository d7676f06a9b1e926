"""From laid-out pages to a PDF/A-3b file, with the e-invoice inside where there is one.

SOURCE: ISO 19005-3 (PDF/A-3); Factur-X 1.09 / ZUGFeRD 2.5, chapter on embedding: one XML file of type `text/xml`, its
relationship to the document, and four properties in the XMP with an extension schema that declares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import weasyprint
from lxml import etree

from activities.documents import guard
from activities.documents.errors import RenderingFailed

if TYPE_CHECKING:
    from activities.einvoice.files import EInvoiceFiles

_RDF = """\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:fx="{fx}"
    xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
    xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
    xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<rdf:Description rdf:about=""><pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>{fx}</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>{declared}</rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
<rdf:Description rdf:about="">{stated}</rdf:Description>
</rdf:RDF>"""

_PROPERTY = """\
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>
<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>
<pdfaProperty:description>{says}</pdfaProperty:description></rdf:li>"""

_PROPERTIES = {
    "DocumentType": "what the embedded file is",
    "DocumentFileName": "name of the embedded file",
    "Version": "version of the standard of the embedded file",
    "ConformanceLevel": "profile of the embedded file",
}


def write_pdf(pages: weasyprint.Document, einvoice: EInvoiceFiles | None = None) -> bytes:
    """The pages as PDF/A-3b, with the CII of the e-invoice embedded where one is given; every file passes the guard.

    The page must name its instant (`<meta name="dcterms.created">`, UTC): with it the same pages give the same bytes.
    `RenderingFailed` says what the guard found.
    """
    metadata = pages.metadata
    metadata.attachments = [_attachment(einvoice, metadata.created)] if einvoice else []
    with _xmp(metadata, einvoice):
        pdf: bytes = pages.write_pdf(pdf_variant="pdf/a-3b", finisher=_finish)
    guard.check(pdf, einvoice)
    return pdf


def _attachment(einvoice: EInvoiceFiles, created: str | None) -> weasyprint.Attachment:
    if not created:
        raise RenderingFailed("the template does not say when the document was made (meta dcterms.created)")
    at = datetime.fromisoformat(created).astimezone(UTC)
    return weasyprint.Attachment(
        string=einvoice.cii,
        name=guard.FILE_NAMES[einvoice.profile],
        description=f"Factur-X {einvoice.profile}",
        relationship=guard.RELATIONSHIP,
        created=at,
        modified=at,
    )


@contextmanager
def _xmp(metadata: Any, einvoice: EInvoiceFiles | None) -> Iterator[None]:
    """Meanwhile the pages' XMP holds the properties of the e-invoice, in its one `rdf:RDF`.

    WeasyPrint would write a second one beside it, which readers of Factur-X do not see.
    """
    if einvoice is None:
        yield
        return
    stated, plain = _stated(einvoice), metadata.generate_rdf_metadata

    def with_einvoice(*variant: Any) -> bytes:
        rdf = etree.fromstring(plain(*variant))
        rdf.extend(etree.fromstring(stated))
        return etree.tostring(rdf, encoding="utf-8")

    metadata.generate_rdf_metadata = with_einvoice
    try:
        yield
    finally:
        metadata.generate_rdf_metadata = plain


def _stated(einvoice: EInvoiceFiles) -> str:
    """The properties of the e-invoice as RDF, and the extension schema without which PDF/A does not allow them."""
    values = {
        "DocumentType": "INVOICE",
        "DocumentFileName": guard.FILE_NAMES[einvoice.profile],
        "Version": guard.VERSIONS[einvoice.profile],
        "ConformanceLevel": einvoice.profile,
    }
    return _RDF.format(
        fx=guard.FACTUR_X,
        declared="".join(_PROPERTY.format(name=name, says=says) for name, says in _PROPERTIES.items()),
        stated="".join(f"<fx:{name}>{values[name]}</fx:{name}>" for name in _PROPERTIES),
    )


def _finish(_: weasyprint.Document, pdf: Any) -> None:
    """What WeasyPrint 70 writes and PDF/A-3 or Factur-X does not want."""
    if "AF" in pdf.catalog:  # each file is listed twice
        pdf.catalog["AF"][:] = list(dict.fromkeys(pdf.catalog["AF"]))
    for each in pdf.objects:
        extra = getattr(each, "extra", None)
        if extra is None:
            continue
        extra.pop("Interpolate", None)  # ISO 19005-3, 6.2.8: raster images are not interpolated
        if extra.get("Type") == "/EmbeddedFile":  # else whatever this machine calls a file of that name
            extra["Subtype"] = "/text#2fxml"
