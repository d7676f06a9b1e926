"""The folder `templates/` of a company: what is in it is read by issuer, and every fault is told by file and line."""

from __future__ import annotations

import struct
import zlib
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from activities.company.folder import Reading, read_folder
from activities.company.problems import Problem, errors
from activities.company.sample import write_starter
from activities.documents.look import LookFiles
from billing.looks import Look, LookName

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 4">%s</svg>'
PO = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"

msgid "Invoice %(number)s"
msgstr "Faktura %(number)s"
"""


def picture(form: str, mode: str = "RGB") -> bytes:
    out = BytesIO()
    Image.new(mode, (4, 4)).save(out, form)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG that says it has 60,000 by 60,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def font(rights: int = 0, signs: str = "aéßñçŁ0123456789€–") -> bytes:
    """A TrueType font whose every sign is empty."""
    names = [".notdef", *(f"u{ord(sign):04X}" for sign in signs)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(sign): f"u{ord(sign):04X}" for sign in signs})
    builder.setupGlyf({name: TTGlyphPen(None).glyph() for name in names})
    builder.setupHorizontalMetrics(dict.fromkeys(names, (500, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Hollow", "styleName": "Regular"})
    builder.setupOS2(fsType=rights)
    builder.setupPost()
    out = BytesIO()
    builder.save(out)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The smallest company, whose issuer is `main`, with an empty folder for its looks."""
    write_starter(tmp_path, date(2026, 11, 22))
    write(tmp_path, "README.md", b"how we look")
    return tmp_path


def write(folder: Path, name: str, data: bytes | str) -> None:
    path = folder / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def issuer(folder: Path) -> str:
    reading = read_folder(folder)
    assert reading.company
    return reading.company.issuers[0].id


def only(reading: Reading) -> Problem:
    (problem,) = reading.problems
    return problem


def test_a_look_with_its_files(folder: Path) -> None:
    """Look, style, blocks and catalogue of the issuer; its own folder comes before what all share."""
    own = issuer(folder)
    write(
        folder,
        "looks.yaml",
        f"- id: {own}\n  based_on: bold\n  logo: logo.svg\n  text_fonts: [fonts/a.ttf]\n",
    )
    write(folder, "logo.svg", SVG % b"")
    write(folder, f"{own}/logo.svg", SVG % b"<path d='M0 0h10v4z'/>")
    write(folder, "fonts/a.ttf", font())
    write(folder, "style.css", "h1 { color: #123456; background: url(asset:logo.svg) }")
    write(folder, f"{own}/style.css", "h1 { color: #654321 }")
    write(folder, "blocks/foot.html", "shared")
    write(folder, f"{own}/blocks/foot.html", "{{ issuer.name }}")
    write(folder, "languages/sv.po", PO)
    reading = read_folder(folder)
    assert reading.problems == []
    assert reading.company and reading.company.looks == (reading.looks[own].look,)
    found = reading.looks[own]
    assert found.look == Look(id=own, based_on=LookName.BOLD, logo="logo.svg", text_fonts=("fonts/a.ttf",))
    assert found.asset("logo.svg") == SVG % b"<path d='M0 0h10v4z'/>"
    assert found.style.splitlines()[-1] == "h1 { color: #654321 }"
    assert found.blocks == {"foot": f"{own}/blocks/foot.html"}
    assert found.languages == {"sv": PO.encode()}


def test_no_folder_no_look(tmp_path: Path) -> None:
    """A company without `templates/` has Billow's looks, and so has one whose folder holds nothing that counts."""
    write_starter(tmp_path, date(2026, 11, 22))
    assert read_folder(tmp_path).looks == {}
    write(tmp_path, ".DS_Store", b"x")
    write(tmp_path, "style.css~", b"x")
    assert (read_folder(tmp_path).looks, read_folder(tmp_path).problems) == ({}, [])


def test_files_alone_make_a_look(folder: Path) -> None:
    """A style sheet without looks.yaml is for every issuer, on the look that comes with Billow."""
    write(folder, "style.css", "h1 { color: #123456 }")
    own = issuer(folder)
    assert read_folder(folder).looks == {
        own: LookFiles(Look(id=own), {"style.css": b"h1 { color: #123456 }"})
    }


FAULTS: list[tuple[str, bytes | str, int, str]] = [
    ("logo.svg", SVG % b"\n<script>x</script>", 2, "<script> has no place"),
    ("logo.svg", SVG % b"<image href='file:///etc/passwd'/>", 1, "a picture loads nothing"),
    ("logo.svg", SVG % b"<image href='data:image/svg+xml,x'/>", 1, "a picture loads nothing"),
    ("logo.svg", SVG % b"<use xmlns:l='http://www.w3.org/1999/xlink' l:href='other.svg#a'/>", 1, "loads nothing"),
    ("logo.svg", SVG % b"<rect style='fill:url(http://x.example/a)'/>", 1, "a picture loads nothing"),
    ("logo.svg", SVG % b"<style>@import 'http://x.example/a.css';</style>", 1, "@import"),
    ("logo.svg", SVG % b"<rect onclick='x()'/>", 1, "is a script"),
    ("logo.svg", SVG % b"<foreignObject/>", 1, "has no place"),
    ("logo.svg", b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>', 1, "entities"),
    ("logo.svg", b"<html/>", 1, "begins with <html>"),
    ("logo.svg", b"<svg", 1, "no SVG"),
    ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 1, "has no size"),
    ("logo.png", b"abc", 1, "no PNG picture"),
    ("logo.png", picture("JPEG"), 1, "a JPEG picture"),
    ("logo.png", bomb(), 1, "60000 × 60000 pixels|no PNG picture"),
    ("logo.jpg", picture("JPEG", "CMYK"), 1, "CMYK"),
    ("logo.png", b"", 1, "is empty"),
    ("logo.png", b"0" * (2 * 1024 * 1024 + 1), 1, "2.0 MB are too large"),
    ("a.ttf", b"\x00\x01\x00\x00 no font at all, whatever it says", 1, "no font|is broken"),
    ("a.ttf", font(rights=0x0002), 1, "forbids to be embedded"),
    ("style.css", "\n@import url(other.css);", 2, "@import is not read"),
    ("style.css", "h1 {\n  background: url(file:///etc/passwd)\n}", 2, "not loaded"),
    ("style.css", "h1 { background: url('https://x.example/a.png') }", 1, "not loaded"),
    ("style.css", "@media print { h1 { background: url(//x.example/a.png) } }", 1, "not loaded"),
    ("style.css", "h1 { background: url(data:image/png;base64,AAAA) }", 1, "not loaded"),
    ("style.css", "h1 { background: url(asset:logo.svg) }", 1, "no asset 'logo.svg'"),
    ("style.css", b"h1 {}\n\xff", 2, "not UTF-8"),
    ("blocks/fuss.html", "x", 1, "no document has a block 'fuss'"),
    ("blocks/foott.html", "x", 1, "did you mean 'foot'"),
    ("blocks/foot.html", "a\n{{ issuer.name }\n", 2, "broken template"),
    ("blocks/foot.html", "{% if 1 %}", 1, "broken template"),
    ("blocks/foot.html", "a\n{% endblock %}{% block heading %}", 2, "broken template"),
    ("blocks/foot.html", "{% include '../../../etc/passwd' %}", 1, "includes, extends and imports nothing"),
    ("blocks/foot.html", "{% block heading %}x{% endblock %}", 1, "blocks/heading.html"),
    ("blocks/foot.html", "\n<script>x</script>", 2, "<script> has no place"),
    ("blocks/foot.html", '<link rel="stylesheet" href="x.css">', 1, "<link> has no place"),
    ("blocks/foot.html", '<img\nsrc="http://x.example/a.png">', 1, "not loaded"),
    ("blocks/foot.html", '<p style="background: url(file:///etc/passwd)">', 1, "not loaded"),
    ("languages/swedish.po", PO, 1, "is no language"),
    ("languages/sv.po", PO.replace('"Faktura %(number)s"', '"Faktura'), 6, "opened and not closed"),
    ("languages/sv.po", PO.replace("Faktura %(number)s", "Faktura %(no)s"), 5, "asks for no"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "line", "says"), FAULTS)
def test_every_fault_by_file_and_line(
    folder: Path, name: str, data: bytes | str, line: int, says: str
) -> None:
    """One fault, one error, on its line, in words that say what to do; the company is not let through."""
    write(folder, name, data)
    reading = read_folder(folder)
    problem = only(reading)
    assert (problem.file, problem.line, problem.warning) == (f"templates/{name}", line, False)
    assert any(each in problem.message for each in says.split("|")), problem.message
    assert reading.company is None


WARNINGS: list[tuple[str, bytes | str, int, str]] = [
    ("styles.css", "h1 {}", 1, "did you mean 'style.css'"),
    ("notes.txt", "x", 1, "is not read"),
    ("nobody/blocks/foot.html", "x", 1, "is not read"),
    ("style.css", "h1 {\n  colr: red }", 2, "unknown property"),
    ("style.css", "h1 {\n  color: #99aabb }", 2, "its contrast is 2.4 : 1"),
    ("style.css", "h1 { color: #eeeeee; background: #cccccc }", 1, "on #cccccc is hard to read"),
    ("a.ttf", font(signs="abc"), 1, "has no é ß"),
]


@pytest.mark.parametrize(("name", "data", "line", "says"), WARNINGS)
def test_what_is_told_and_let_through(
    folder: Path, name: str, data: bytes | str, line: int, says: str
) -> None:
    """What does no harm is a warning: files nobody reads, rules that are left out, colours that are hard to read."""
    write(folder, name, data)
    reading = read_folder(folder)
    problem = only(reading)
    assert (problem.file, problem.line, problem.warning) == (f"templates/{name}", line, True)
    assert says in problem.message
    assert reading.company is not None


RECORDS = [
    ("- id: nobody\n", 1, "there is no issuer 'nobody'"),
    ("- id: {own}\n- id: {own}\n", 2, "has a look already"),
    ("- id: {own}\n  logo: logo.svg\n", 2, "there is no file 'logo.svg'"),
    ("- id: {own}\n  logo: a.ttf\n", 2, "'a.ttf' is no picture"),
    ("- id: {own}\n  text_fonts: [a.ttf, b.ttf]\n", 2, "there is no file 'b.ttf'; did you mean 'a.ttf'?"),
    ("- id: {own}\n  accent: blue\n", 2, "'blue' does not fit"),
    ("- id: {own}\n  based_on: bould\n", 2, "did you mean 'bold'?"),
    ("- id: {own}\n  footer: {de: x}\n  fotter: x\n", 3, "did you mean 'footer'?"),
]


@pytest.mark.parametrize(("text", "line", "says"), RECORDS)
def test_looks_yaml(folder: Path, text: str, line: int, says: str) -> None:
    """A look names an issuer that is there and files that are there, of the right kind."""
    write(folder, "a.ttf", font())
    write(folder, "looks.yaml", text.replace("{own}", issuer(folder)))
    told = [each for each in errors(read_folder(folder).problems) if says in each.message]
    assert [(each.file, each.line) for each in told] == [("templates/looks.yaml", line)]


def test_a_pale_accent_is_told(folder: Path) -> None:
    """Yellow lines hardly show on white: a warning, for text is darkened anyway."""
    write(folder, "looks.yaml", f"- id: {issuer(folder)}\n  accent: '#ffee88'\n")
    problem = only(read_folder(folder))
    assert (problem.line, problem.warning) == (2, True)
    assert "hardly shows on white" in problem.message


def test_a_look_has_a_limit(folder: Path) -> None:
    """Nine megabytes in files that are small enough each are too much for a look."""
    for number in range(5):
        write(folder, f"{number}.svg", SVG % (b"<desc>" + b"x" * 1_800_000 + b"</desc>"))
    assert ["8 MB are the most" in each.message for each in errors(read_folder(folder).problems)] == [True]


def test_a_link_leads_nowhere_else(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A symbolic link to a file outside the folder is refused, whatever the file is."""
    outside = tmp_path_factory.mktemp("outside") / "logo.svg"
    outside.write_bytes(SVG % b"")
    (folder / "templates" / "logo.svg").symlink_to(outside)
    assert "leads out of templates/" in only(read_folder(folder)).message
