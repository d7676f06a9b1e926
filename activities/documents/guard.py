"""The guard: every PDF is looked at before anybody gets it, against what PDF/A-3b and Factur-X ask of our files.

It is no validator of any PDF: it knows what WeasyPrint writes, and finds what a template, a picture, a font or a newer
library can get wrong in it. Characters without a glyph are found while the page is set.

SOURCE: ISO 19005-3 (clauses named below), ISO 32000-1, Factur-X 1.09 / ZUGFeRD 2.5.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pikepdf
from lxml import etree

from activities.documents.errors import RenderingFailed

if TYPE_CHECKING:
    from activities.einvoice.files import EInvoiceFiles

FACTUR_X = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
"""The namespace of the four properties that say what is embedded."""

FILE_NAMES = {"EN 16931": "factur-x.xml", "XRECHNUNG": "xrechnung.xml"}
"""What the embedded file is called, by its profile: readers look for exactly these."""

VERSIONS = {"EN 16931": "1.0", "XRECHNUNG": "3.0"}
"""What the XMP calls the version: that of Factur-X, and for XRechnung its own."""

RELATIONSHIP = "Alternative"
"""The XML says the same as the pages: what Germany asks for, and France allows beside `/Data`."""

_NS = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "schema": "http://www.aiim.org/pdfa/ns/schema#",
    "property": "http://www.aiim.org/pdfa/ns/property#",
    "fx": FACTUR_X,
}
_PROPERTIES = ("DocumentType", "DocumentFileName", "Version", "ConformanceLevel")
_ACTIONS = frozenset({"/URI", "/GoTo"})
_ANNOTATIONS = frozenset({"/Link"})
_BLENDING = frozenset({
    "/Normal", "/Compatible", "/Multiply", "/Screen", "/Overlay", "/Darken", "/Lighten", "/ColorDodge", "/ColorBurn",
    "/HardLight", "/SoftLight", "/Difference", "/Exclusion", "/Hue", "/Saturation", "/Color", "/Luminosity",
})  # fmt: skip
_PRINTED, _UNSEEN = 4, 1 | 2 | 32
"""Flags of annotations: printed; invisible, hidden, not viewed (6.3.2)."""

_FIGURES = frozenset({"/W", "/Widths"})
"""Long arrays of numbers: there is nothing in them."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def check(pdf: bytes, einvoice: EInvoiceFiles | None = None) -> None:
    """Nothing, where the file is as PDF/A-3b wants it and holds exactly the e-invoice given (none, none).

    `RenderingFailed` names everything that is wrong; templates, pictures and fonts are to be repaired.
    """
    if found := problems(pdf, einvoice):
        shown = "; ".join(found[:8]) + (f"; and {len(found) - 8} more" if len(found) > 8 else "")
        raise RenderingFailed(f"the PDF is no valid PDF/A-3b: {shown}")


def problems(pdf: bytes, einvoice: EInvoiceFiles | None = None) -> list[str]:
    """What is wrong with the file, each in words; empty where nothing is."""
    try:
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            return list(dict.fromkeys(_problems(opened, einvoice)))
    except pikepdf.PasswordError:
        return ["it is encrypted (6.1.3)"]
    except pikepdf.PdfError as error:
        return [f"it cannot be read: {error}"]


def _problems(pdf: pikepdf.Pdf, einvoice: EInvoiceFiles | None) -> Iterator[str]:
    yield from _file(pdf)
    yield from _metadata(pdf, einvoice)
    yield from _embedded(pdf, einvoice)
    for each in pdf.objects:
        for dictionary in _dictionaries(each):
            for rule in _RULES:
                yield from rule(dictionary)


def _dictionaries(value: Any) -> Iterator[Any]:
    """The object if it is a dictionary, and those that stand in it and nowhere else."""
    if isinstance(value, pikepdf.Stream | pikepdf.Dictionary):
        yield value
        within = [each for key, each in value.items() if key not in _FIGURES]
    elif isinstance(value, pikepdf.Array):
        within = list(value)
    else:
        return
    for each in within:
        if not getattr(each, "is_indirect", True):  # numbers come as Python's own
            yield from _dictionaries(each)


def _file(pdf: pikepdf.Pdf) -> Iterator[str]:
    if pdf.is_encrypted:
        yield "it is encrypted (6.1.3)"
    if len(pdf.trailer.get("/ID", ())) != 2:
        yield "it has no document ID (6.1.3)"
    intents = [each for each in pdf.Root.get("/OutputIntents", ()) if each.get("/S") == "/GTS_PDFA1"]
    if len(intents) != 1:
        yield f"{len(intents)} output intents of PDF/A in place of one (6.2.3)"
    elif getattr(intents[0].get("/DestOutputProfile"), "N", None) != 3:
        yield "the output intent has no RGB profile (6.2.3)"
    if not _LANGUAGE.fullmatch(str(pdf.Root.get("/Lang", ""))):
        yield "the document names no language"
    for key in ("/AA", "/OpenAction", "/AcroForm", "/Requirements", "/NeedsRendering", "/OCProperties"):
        if key in pdf.Root:
            yield f"the document has {key}, which acts, asks or hides (6.1.9, 6.4, 6.5)"
    for name in set(pdf.Root.get("/Names", {})) - {"/EmbeddedFiles", "/Dests"}:
        yield f"the document has names of {name} (6.5.1)"


# metadata -------------------------------------------------------------------------------------------------------


def _metadata(pdf: pikepdf.Pdf, einvoice: EInvoiceFiles | None) -> Iterator[str]:
    try:
        packet = etree.fromstring(pdf.Root.Metadata.read_bytes())
    except (AttributeError, etree.XMLSyntaxError) as error:
        yield f"its XMP cannot be read: {error} (6.6.2)"
        return
    if len(found := packet.findall("rdf:RDF", _NS)) != 1:
        yield f"{len(found)} rdf:RDF in the XMP in place of one (6.6.2)"
    level = (_stated(packet, "pdfaid:part"), _stated(packet, "pdfaid:conformance"))
    if level != (["3"], ["B"]):
        yield f"the XMP says PDF/A {level[0]} {level[1]}, not 3 B (6.6.4)"
    yield from _told(pdf, packet)
    yield from _profile(packet, einvoice)


def _told(pdf: pikepdf.Pdf, packet: etree._Element) -> Iterator[str]:
    """Title, author and dates: there, and the same in the XMP and in the information dictionary (6.6.2.3)."""
    wanted = {
        "/Title": ("title", packet.xpath("//dc:title//rdf:li/text()", namespaces=_NS)),
        "/Author": ("author", packet.xpath("//dc:creator//rdf:li/text()", namespaces=_NS)),
        "/CreationDate": ("date of creation", _stated(packet, "xmp:CreateDate")),
        "/ModDate": ("date of modification", _stated(packet, "xmp:ModifyDate")),
    }
    for key, (name, told) in wanted.items():
        stated = str(pdf.docinfo.get(key, ""))
        if key.endswith("Date"):
            told = [re.sub(r"\D", "", str(each)) for each in told]
            stated = re.sub(r"\D", "", stated)
        if not stated or not told:
            yield f"it has no {name}"
        elif ", ".join(map(str, told)) != stated:
            yield f"its {name} is {stated!r} in one place and {told} in the other (6.6.2.3)"


def _profile(packet: etree._Element, einvoice: EInvoiceFiles | None) -> Iterator[str]:
    """What the XMP says is embedded, and the extension schema without which it may not say so (6.6.2.3.2)."""
    values = {name: _stated(packet, f"fx:{name}") for name in _PROPERTIES}
    if einvoice is None:
        if any(values.values()):
            yield "the XMP says there is an e-invoice inside, and there is none"
        return
    name = FILE_NAMES[einvoice.profile]
    wanted = {
        "DocumentType": "INVOICE",
        "DocumentFileName": name,
        "Version": VERSIONS[einvoice.profile],
        "ConformanceLevel": einvoice.profile,
    }
    for key, value in wanted.items():
        if values[key] != [value]:
            yield f"fx:{key} is {values[key] or 'missing'} in the XMP, not {str(value)!r}"
    for schema in packet.xpath(f"//*[schema:namespaceURI='{FACTUR_X}']", namespaces=_NS):
        declared = schema.xpath(".//property:name/text()", namespaces=_NS)
        if sorted(map(str, declared)) == sorted(_PROPERTIES):
            return
    yield "the extension schema of Factur-X is missing in the XMP, or not whole (6.6.2.3.3)"


def _stated(packet: etree._Element, name: str) -> list[str]:
    """Every value of a simple property, as element or as attribute."""
    return [
        str(each) for each in packet.xpath(f"//rdf:Description/{name}/text() | //@{name}", namespaces=_NS)
    ]


# the e-invoice --------------------------------------------------------------------------------------------------


def _embedded(pdf: pikepdf.Pdf, einvoice: EInvoiceFiles | None) -> Iterator[str]:
    root: Any = pdf.Root
    listed = list(root.get("/AF", ()))
    names = list(root.get("/Names", {}).get("/EmbeddedFiles", {}).get("/Names", ()))[::2]
    if einvoice is None:
        if listed or names:
            yield "a file is embedded, and none was to be"
        return
    if len(listed) != 1 or len(names) != 1:
        yield f"{len(listed)} associated and {len(names)} embedded files in place of one (6.8)"
        return
    file: Any = listed[0]
    name = FILE_NAMES[einvoice.profile]
    if {str(file.get("/F", "")), str(file.get("/UF", "")), str(names[0])} != {name}:
        yield f"the embedded file is not called {name} (Factur-X)"
    if file.get("/AFRelationship") != f"/{RELATIONSHIP}":
        yield f"the relationship of {name} is {file.get('/AFRelationship', 'missing')}, not /{RELATIONSHIP} (6.8)"
    stream = file.get("/EF", {}).get("/F")
    if not isinstance(stream, pikepdf.Stream):
        yield f"{name} is named, but not embedded (6.8)"
        return
    if stream.get("/Subtype") != "/text/xml":
        yield f"{name} is of type {stream.get('/Subtype', 'none')}, not text/xml (6.8)"
    if "/ModDate" not in stream.get("/Params", {}):
        yield f"{name} has no date (6.8)"
    if stream.read_bytes() != einvoice.cii:
        yield f"{name} is not the e-invoice that was to be embedded"


# objects --------------------------------------------------------------------------------------------------------


def _font(each: Any) -> Iterator[str]:
    """Embedded, and readable: a program can find the text behind the glyphs (6.2.11)."""
    if each.get("/Type") != "/Font" or str(each.get("/Subtype", "")).startswith("/CIDFont"):
        return
    name = str(each.get("/BaseFont", "without name"))
    if each.get("/Subtype") == "/Type3":
        yield f"font {name} is of type 3: a colour or bitmap font, which cannot be archived"
        return
    described = each.get("/DescendantFonts", [each])[0].get("/FontDescriptor", {})
    if not any(key in described for key in ("/FontFile", "/FontFile2", "/FontFile3")):
        yield f"font {name} is not embedded (6.2.11.4)"
    mapping = each.get("/ToUnicode")
    if not isinstance(mapping, pikepdf.Stream) or b"beginbf" not in mapping.read_bytes():
        yield f"font {name} does not say which characters its glyphs are (ToUnicode, 6.2.11.7)"


def _picture(each: Any) -> Iterator[str]:
    if each.get("/Subtype") == "/PS" or "/OPI" in each or "/Ref" in each or "/Alternates" in each:
        yield "a picture of a kind that cannot be archived: PostScript, OPI, reference, alternates (6.2.8, 6.2.9)"
    if each.get("/Subtype") == "/Image" and each.get("/Interpolate", False):
        yield "a picture is to be interpolated (6.2.8)"


def _colour(each: Any) -> Iterator[str]:
    for key in ("/ColorSpace", "/CS", "/DefaultCMYK"):
        if key in each and "/DeviceCMYK" in _flat(each[key]):
            yield f"colours in CMYK ({each.get('/Subtype', key)}); pictures must be RGB or grey (6.2.4.3)"


def _flat(value: Any, depth: int = 4) -> set[str]:
    """The names in a colour space, however nested."""
    if isinstance(value, pikepdf.Name):
        return {str(value)}
    if depth and isinstance(value, pikepdf.Array):
        return set().union(*(_flat(each, depth - 1) for each in value))
    if depth and isinstance(value, pikepdf.Dictionary) and not isinstance(value, pikepdf.Stream):
        return set().union(*(_flat(each, depth - 1) for each in value.values()))
    return set()


def _action(each: Any) -> Iterator[str]:
    if "/JS" in each or "/JavaScript" in each:
        yield "it holds JavaScript (6.5.1)"
    if "/AA" in each:
        yield "something acts by itself (/AA, 6.5.2)"
    for key in ("/A", "/OpenAction", "/Next"):
        action = each.get(key)
        if isinstance(action, pikepdf.Dictionary) and "/S" in action and str(action.S) not in _ACTIONS:
            yield f"an action {action.S}; a link may lead to an address or a page (6.5.1)"


def _annotation(each: Any) -> Iterator[str]:
    for note in each.get("/Annots", ()):
        kind, flags = str(note.get("/Subtype", "none")), int(note.get("/F", 0))
        if kind not in _ANNOTATIONS:
            yield f"an annotation {kind}; only links are printed alike everywhere (6.3.1)"
        if not flags & _PRINTED or flags & _UNSEEN:
            yield f"an annotation {kind} that is not both seen and printed (6.3.2)"


def _transparency(each: Any) -> Iterator[str]:
    if "/BM" in each and not _flat(each["/BM"]) <= _BLENDING:
        yield f"blending {each['/BM']} (6.2.10)"
    if "/TR" in each or "/HTP" in each or each.get("/TR2", "/Default") != "/Default":
        yield "a transfer function or halftone (6.2.5)"


def _stream(each: Any) -> Iterator[str]:
    if isinstance(each, pikepdf.Stream):
        if "/F" in each:
            yield "a part of it lies in another file (6.1.7.1)"
        if _flat(each.get("/Filter", pikepdf.Array())) & {"/LZWDecode", "/Crypt"}:
            yield "a part of it is compressed by LZW or encrypted (6.1.7.2)"


def _painted(each: Any) -> Iterator[str]:
    """What only the instructions of a page, drawing or pattern say: colours in CMYK, pictures among them."""
    if each.get("/Type") != "/Page" and not (
        isinstance(each, pikepdf.Stream)
        and (each.get("/Subtype") == "/Form" or each.get("/PatternType") == 1)
    ):
        return
    for step in pikepdf.parse_content_stream(each, "k K cs CS BI ID EI"):
        operator = str(step.operator)
        if operator in ("cs", "CS"):
            if step.operands[0] == "/DeviceCMYK":
                yield "it is painted in CMYK; colours must be RGB or grey (6.2.4.3)"
        elif operator in ("k", "K"):
            yield "it is painted in CMYK; colours must be RGB or grey (6.2.4.3)"
        else:
            yield "a picture stands among the instructions of a page, where nobody checks it (6.2.8)"


_RULES: tuple[Callable[[Any], Iterator[str]], ...] = (
    _font, _picture, _colour, _action, _annotation, _transparency, _stream, _painted,
)  # fmt: skip
