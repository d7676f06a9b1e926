"""The guard: a PDF as it should be passes; broken on purpose, each way, it is refused for that reason."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pikepdf
import pytest
import weasyprint
from pikepdf import Array, Dictionary, Name, String

from activities.documents import guard
from activities.documents.errors import RenderingFailed
from activities.documents.hybrid import write_pdf
from activities.documents.look import PLAIN
from activities.documents.rendering import Rendered, render
from billing.einvoice.model import Profile
from tests.activities.documents.samples import invoice

Change = Callable[[pikepdf.Pdf], None]


@pytest.fixture(scope="module")
def made() -> Rendered:
    """A hybrid invoice."""
    return render(invoice(), PLAIN)


def broken(pdf: bytes, change: Change) -> bytes:
    """The file with one thing changed."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        change(opened)
        written = io.BytesIO()
        opened.save(written, fix_metadata_version=False, static_id=True)
    return written.getvalue()


def packet(old: str, new: str) -> Change:
    """Something else in the XMP."""

    def change(pdf: pikepdf.Pdf) -> None:
        data = pdf.Root.Metadata.read_bytes()
        assert old.encode() in data, data
        pdf.Root.Metadata = pdf.make_stream(data.replace(old.encode(), new.encode()), Type=Name.Metadata)

    return change


def file(pdf: pikepdf.Pdf) -> Any:
    """The specification of the embedded file."""
    return pdf.Root.AF[0]


def font(pdf: pikepdf.Pdf) -> Any:
    return next(
        each for each in pdf.objects if isinstance(each, Dictionary) and each.get("/Subtype") == Name.Type0
    )


def added(pdf: pikepdf.Pdf, value: Any) -> None:
    """One more object, to which the first page leads."""
    pdf.pages[0].obj.Added = pdf.make_indirect(value)


def paint(pdf: pikepdf.Pdf, instructions: bytes) -> None:
    page = pdf.pages[0]
    page.contents_add(instructions)


def annotation(**entries: Any) -> Change:
    """One more annotation."""

    def change(pdf: pikepdf.Pdf) -> None:
        usual: dict[str, Any] = {"Type": Name.Annot, "Subtype": Name.Link, "F": 4, "Rect": [0, 0, 1, 1]}
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(Dictionary(**{**usual, **entries}))])

    return change


def twice(pdf: pikepdf.Pdf) -> None:
    packet("</rdf:RDF>", "</rdf:RDF><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>")(pdf)


def _set(place: Callable[[pikepdf.Pdf], Any], key: str, value: Any) -> Change:
    return lambda pdf: place(pdf).__setitem__(key, value)


def _without(place: Callable[[pikepdf.Pdf], Any], key: str) -> Change:
    return lambda pdf: place(pdf).__delitem__(key)


def _root(pdf: pikepdf.Pdf) -> Any:
    return pdf.Root


def _info(pdf: pikepdf.Pdf) -> Any:
    return pdf.docinfo


def _picture(**entries: Any) -> Change:
    usual = {
        "Subtype": Name.Image,
        "Width": 1,
        "Height": 1,
        "BitsPerComponent": 8,
        "ColorSpace": Name.DeviceRGB,
    }
    return lambda pdf: added(pdf, pdf.make_stream(b"000", **{**usual, **entries}))


def _descriptor(pdf: pikepdf.Pdf) -> Any:
    return font(pdf).DescendantFonts[0].FontDescriptor


MUTATIONS: dict[str, tuple[Change, str]] = {
    "two RDF": (twice, "2 rdf:RDF in the XMP"),
    "no XMP": (_without(_root, "/Metadata"), "its XMP cannot be read"),
    "XMP that is no XML": (packet("</x:xmpmeta>", ""), "its XMP cannot be read"),
    "another part of PDF/A": (packet('part="3"', 'part="2"'), "not 3 B"),
    "another level of PDF/A": (packet('conformance="B"', 'conformance="A"'), "not 3 B"),
    "another profile": (packet("Level>EN 16931<", "Level>EXTENDED<"), r"fx:ConformanceLevel is \['EXTENDED'\]"),
    "another file name": (packet("FileName>factur-x.xml<", "FileName>x.xml<"), "fx:DocumentFileName"),
    "another type": (packet("Type>INVOICE<", "Type>ORDER<"), "fx:DocumentType"),
    "another version": (packet("Version>1.0<", "Version>2.0<"), "fx:Version"),
    "no extension schema": (packet("namespaceURI>urn:factur-x", "namespaceURI>urn:x"), "extension schema"),
    "an extension schema with a hole": (packet("<pdfaProperty:name>Version<", "<pdfaProperty:name>Odd<"), "not whole"),
    "no title": (_without(_info, "/Title"), "no title"),
    "another title": (_set(_info, "/Title", String("Odd")), "its title is 'Odd' in one place"),
    "no author": (_without(_info, "/Author"), "no author"),
    "no date of creation": (_without(_info, "/CreationDate"), "no date of creation"),
    "another date": (_set(_info, "/ModDate", String("D:20200101000000Z")), "date of modification is '20200101"),
    "no language": (_without(_root, "/Lang"), "names no language"),
    "no output intent": (_without(_root, "/OutputIntents"), "0 output intents"),
    "two output intents": (
        lambda pdf: pdf.Root.OutputIntents.append(pdf.Root.OutputIntents[0]), "2 output intents"),
    "an output intent in CMYK": (
        lambda pdf: pdf.Root.OutputIntents[0].DestOutputProfile.__setitem__("/N", 4), "no RGB profile"),
    "listed twice": (lambda pdf: pdf.Root.AF.append(pdf.Root.AF[0]), "2 associated and 1 embedded"),
    "not listed": (_without(_root, "/AF"), "0 associated and 1 embedded"),
    "another relationship": (_set(file, "/AFRelationship", Name.Data), "relationship of factur-x.xml is /Data"),
    "another MIME type": (lambda pdf: file(pdf).EF.F.__setitem__("/Subtype", Name("/a/b")), "not text/xml"),
    "no date of the file": (lambda pdf: file(pdf).EF.F.Params.__delitem__("/ModDate"), "has no date"),
    "a file of another name": (_set(file, "/UF", String("x.xml")), "not called factur-x.xml"),
    "another XML": (lambda pdf: file(pdf).EF.F.write(b"<xml/>"), "not the e-invoice"),
    "a font not embedded": (_without(_descriptor, "/FontFile2"), "is not embedded"),
    "a font without text": (_without(font, "/ToUnicode"), "ToUnicode"),
    "a font with empty text": (lambda pdf: font(pdf).ToUnicode.write(b""), "ToUnicode"),
    "a font of type 3": (_set(font, "/Subtype", Name.Type3), "of type 3"),
    "a picture interpolated": (_picture(Interpolate=True), "interpolated"),
    "a picture in CMYK": (_picture(ColorSpace=Name.DeviceCMYK), "CMYK"),
    "a palette in CMYK": (_picture(ColorSpace=Array([Name.Indexed, Name.DeviceCMYK, 0, String("0000")])), "CMYK"),
    "a page painted in CMYK": (lambda pdf: paint(pdf, b"0 0 0 1 k"), "painted in CMYK"),
    "lines in CMYK": (lambda pdf: paint(pdf, b"0 0 0 1 K"), "painted in CMYK"),
    "a drawing painted in CMYK": (
        lambda pdf: added(pdf, pdf.make_stream(b"0 0 0 1 k", Subtype=Name.Form)), "painted in CMYK"),
    "a picture in the page": (
        lambda pdf: paint(pdf, b"BI /W 1 /H 1 /CS /G /BPC 8 ID 0 EI"), "among the instructions"),
    "PostScript": (lambda pdf: added(pdf, pdf.make_stream(b"", Subtype=Name.PS)), "PostScript"),
    "JavaScript": (annotation(A=Dictionary(S=Name.JavaScript, JS=String("1"))), "it holds JavaScript"),
    "JavaScript of the document": (
        lambda pdf: pdf.Root.Names.__setitem__("/JavaScript", Dictionary(Names=Array([]))), "names of /JavaScript"),
    "an action": (annotation(A=Dictionary(S=Name.Launch)), "an action /Launch"),
    "an action at opening": (_set(_root, "/OpenAction", Dictionary(S=Name.GoTo)), "has /OpenAction"),
    "an action of a page": (lambda pdf: pdf.pages[0].obj.__setitem__("/AA", Dictionary()), "acts by itself"),
    "a form": (_set(_root, "/AcroForm", Dictionary()), "has /AcroForm"),
    "layers": (_set(_root, "/OCProperties", Dictionary()), "has /OCProperties"),
    "a film": (annotation(Subtype=Name.Movie), "an annotation /Movie"),
    "a link that is not printed": (annotation(F=0), "not both seen and printed"),
    "a hidden link": (annotation(F=6), "not both seen and printed"),
    "odd blending": (lambda pdf: added(pdf, Dictionary(BM=Name.Odd)), "blending /Odd"),
    "a transfer function": (lambda pdf: added(pdf, Dictionary(TR=Name.Identity)), "transfer function"),
    "a part elsewhere": (
        lambda pdf: added(pdf, pdf.make_stream(b"", F=String("other.bin"))), "in another file"),
}  # fmt: skip


def test_as_it_should_be(made: Rendered) -> None:
    """A hybrid invoice passes, also once it was opened and written again with nothing changed."""
    assert guard.problems(made.pdf, made.einvoice) == []
    assert guard.problems(broken(made.pdf, lambda _: None), made.einvoice) == []


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_each_check_has_been_seen_failing(made: Rendered, mutation: str) -> None:
    """One thing wrong, and the guard says which."""
    change, says = MUTATIONS[mutation]
    with pytest.raises(RenderingFailed, match=says):
        guard.check(broken(made.pdf, change), made.einvoice)


def test_without_document_id(made: Rendered) -> None:
    """A file without an ID is refused; WeasyPrint writes none where it writes plain PDF."""
    pages = weasyprint.HTML(string="<p>").render()
    assert "it has no document ID (6.1.3)" in guard.problems(pages.write_pdf())


def test_encrypted(made: Rendered) -> None:
    """An encrypted file is refused, with and without a password that is asked for."""
    for password in ("", "secret"):
        with pikepdf.open(io.BytesIO(made.pdf)) as opened:
            written = io.BytesIO()
            opened.save(written, encryption=pikepdf.Encryption(owner="owner", user=password))
        assert "it is encrypted (6.1.3)" in guard.problems(written.getvalue(), made.einvoice)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"<html>"])
def test_no_pdf(data: bytes) -> None:
    """What is no PDF is refused in words."""
    with pytest.raises(RenderingFailed, match="cannot be read"):
        guard.check(data)


def test_one_that_was_not_asked_for(made: Rendered) -> None:
    """An e-invoice in a document that has none, or none in one that has, is refused."""
    assert made.einvoice is not None
    assert "a file is embedded, and none was to be" in guard.problems(made.pdf)
    other = replace(made.einvoice, cii=made.einvoice.cii + b" ")
    assert guard.problems(made.pdf, other) == ["factur-x.xml is not the e-invoice that was to be embedded"]
    other = replace(made.einvoice, profile=Profile.XRECHNUNG)
    assert "the embedded file is not called xrechnung.xml (Factur-X)" in guard.problems(made.pdf, other)


MADE = (
    "<html lang=de><head><title>T</title><meta name=author content=A>"
    "<meta name=dcterms.created content=2026-01-01T00:00:00Z><meta name=dcterms.modified content=2026-01-01T00:00:00Z>"
    "</head><body>"
)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<p style='color: device-cmyk(0 1 1 0)'>red</p>", "CMYK"),
        ("<form><input value=x></form>", ""),
        ("<p style='opacity: 0.5'>half</p><a href='https://billow.test'>link</a>", ""),
        ("<div style='mix-blend-mode: multiply; background: linear-gradient(red, blue)'>x</div>", ""),
    ],
)
def test_what_a_template_can_do(body: str, says: str) -> None:
    """Pages with colours in CMYK are refused; transparency, links, gradients and drawn forms are not."""
    pages = weasyprint.HTML(string=MADE + body).render()
    if says:
        with pytest.raises(RenderingFailed, match=says):
            write_pdf(pages)
    else:
        assert write_pdf(pages)


def test_everything_that_is_wrong_is_named(made: Rendered) -> None:
    """Several faults stand in one message, so that a template is repaired once."""

    def several(pdf: pikepdf.Pdf) -> None:
        del pdf.Root.Lang
        del pdf.Root.OutputIntents

    with pytest.raises(RenderingFailed, match=r"0 output intents.*; the document names no language"):
        guard.check(broken(made.pdf, several), made.einvoice)
