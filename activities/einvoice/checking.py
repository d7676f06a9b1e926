"""Any e-invoice file held against the official rules: CII, UBL, or a PDF with one of them inside; anybody's."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum

import pikepdf
from lxml import etree

from activities.einvoice.validation import cii_breaches, ubl_breaches
from billing.einvoice.breach import Breach
from billing.einvoice.words import cleaned
from billing.errors import Refused

MOST_BYTES = 20 * 1024 * 1024
"""Of a file: the largest e-invoice with attachments that portals take has less."""

FILE_NAMES = ("factur-x.xml", "xrechnung.xml", "zugferd-invoice.xml", "ZUGFeRD-invoice.xml")
"""What the e-invoice inside a PDF is called: Factur-X, XRechnung, ZUGFeRD 2.0 and 1.0."""

_CII = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
_UBL = {
    f"{{urn:oasis:names:specification:ubl:schema:xsd:{kind}-2}}{kind}" for kind in ("Invoice", "CreditNote")
}
_EN_16931 = "urn:cen.eu:en16931:2017"
_GUIDELINE = "{*}ExchangedDocumentContext/{*}GuidelineSpecifiedDocumentContextParameter/{*}ID"
_CUSTOMIZATION = "{*}CustomizationID"


class Syntax(StrEnum):
    """How an e-invoice is written."""

    CII = "CII"
    UBL = "UBL"


@dataclass(frozen=True)
class Checked:
    """What a file is, and what it breaks; `specification` is what it says it follows (BT-24)."""

    syntax: Syntax
    specification: str
    breaches: tuple[Breach, ...]


def check(data: bytes) -> Checked:
    """The file held against the schema of its syntax, CEN's rules and, for CII, those of Factur-X.

    Rules of Peppol and XRechnung are kept over invoices in Billow's own terms, so they are not asked here. `Refused` if
    the file is no e-invoice of EN 16931, or none that can be read; `RulesMissing` if the rules are not installed.
    """
    if len(data) > MOST_BYTES:
        raise Refused(f"the file has {len(data):,} bytes, more than any e-invoice ({MOST_BYTES:,})")
    root = _read(_inside(data) if data[:1024].lstrip().startswith(b"%PDF") else data)
    xml = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    if root.tag == _CII:
        specification = (root.findtext(_GUIDELINE) or "").strip()
        _must_be_en_16931(specification)
        national = specification != _EN_16931
        return Checked(Syntax.CII, specification, cii_breaches(xml, national=national, words=_official))
    if root.tag in _UBL:
        specification = (root.findtext(_CUSTOMIZATION) or "").strip()
        return Checked(Syntax.UBL, specification, ubl_breaches(xml, words=_official))
    raise Refused(
        f"the file is no e-invoice: it begins with <{etree.QName(root).localname}>, not with a CII "
        "CrossIndustryInvoice, a UBL Invoice or a UBL CreditNote"
    )


def _official(_rule: str, text: str) -> str:
    """The published text: what Billow would say of its own records helps nobody with another's file."""
    return cleaned(text)


def _inside(pdf: bytes) -> bytes:
    try:
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            attached = opened.attachments
            for name in FILE_NAMES:
                if name in attached:
                    return _unpacked(attached[name].get_file().obj)
    except pikepdf.PasswordError as error:
        raise Refused("the PDF is encrypted; take its password off first") from error
    except (pikepdf.PdfError, zlib.error) as error:
        raise Refused(f"the PDF cannot be read: {error}") from error
    raise Refused(f"the PDF has no e-invoice inside: none of {', '.join(FILE_NAMES)} is attached to it")


def _unpacked(stream: pikepdf.Object | None) -> bytes:
    """The bytes of an attached file, and never more of them than a file may have: a thousand times may be packed."""
    if not isinstance(stream, pikepdf.Stream):
        raise Refused("the PDF names an e-invoice, and there is none inside")
    data, filters = stream.read_raw_bytes(), stream.get("/Filter", pikepdf.Array())
    for each in [filters] if isinstance(filters, pikepdf.Name) else filters:
        if each != pikepdf.Name.FlateDecode or stream.get("/DecodeParms") is not None:
            raise Refused("the e-invoice inside the PDF is packed in a way that is not read here")
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(data, MOST_BYTES)
        if unpacking.unconsumed_tail:
            raise Refused(f"the e-invoice inside the PDF has more than {MOST_BYTES:,} bytes")
    return bytes(data)


def _read(xml: bytes) -> etree._Element:
    """Well-formed XML without a document type: entities of a stranger's file are never looked up nor expanded."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_pis=True)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        reason = re.sub(r" \(<string>, line \d+\)$", "", str(error))
        raise Refused(f"the file is no PDF and no well-formed XML: {reason}") from error
    if root.getroottree().docinfo.doctype:
        raise Refused(
            "the file has a document type declaration, which no e-invoice has; it is not read further"
        )
    return root


def _must_be_en_16931(specification: str) -> None:
    """The smaller and larger profiles of Factur-X are other documents, under other rules."""
    if specification == _EN_16931 or specification.startswith(f"{_EN_16931}#compliant#"):
        return
    raise Refused(
        f"the file follows {specification or 'no specification'}, and only EN 16931 and usages that comply with it are "
        "checked here"
    )
