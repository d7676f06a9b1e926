"""What a company's templates may do: write pages, and load the assets of their look; nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from weasyprint.urls import URLFetcher

from activities.documents.assets import Assets, NotServed
from activities.documents.errors import RenderingFailed
from activities.documents.look import PLAIN, LookFiles
from activities.documents.page_templates import TEMPLATES
from activities.documents.pdf import proof, render_invoice
from activities.documents.preview import Wanted, is_preview, preview
from activities.documents.receipt import render_receipt
from activities.documents.sample_documents import BUYER, PAGES, Parties, sample_receipt
from activities.documents.trial import Fault, try_looks, try_out
from billing.looks import Look
from starter.cli.preview import DOCUMENTS
from tests.activities.documents.samples import ISSUER, invoice

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">%s</svg>'


def look(**files: str | bytes) -> LookFiles:
    """A look with files; `__` in a name is a slash, `_` before the ending a dot."""
    named = {
        ".".join(name.replace("__", "/").rsplit("_", 1)): data.encode() if isinstance(data, str) else data
        for name, data in files.items()
    }
    return LookFiles(Look(id="berlin"), named)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "http://127.0.0.1:1/a.png",
        "https://x.example/a.png",
        "//x.example/a.png",
        "data:image/svg+xml,<svg/>",
        "ftp://x.example/a.png",
        "asset:../../../../etc/passwd",
        "asset:..%2f..%2fpress.py",
        "asset:/etc/passwd",
        "asset:base.html",
        "asset:looks/clear.css",
        "asset:blocks/foot.html",
        "asset:gone.svg",
        "ASSET:gone.svg",
        "logo.svg",
        "",
    ],
)
def test_nothing_but_assets_is_served(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no network, no data URL, no template, no way up; and the library's own fetcher is never asked."""
    monkeypatch.setattr(URLFetcher, "open", lambda *_: pytest.fail("went outside"))
    with pytest.raises(NotServed, match="documents load nothing else"):
        Assets(look(blocks__foot_html="x"), TEMPLATES).fetch(url)


def test_assets_are_served_by_name() -> None:
    """A file of the look, also by an escaped name; the issuer's own before the one all share."""
    files = LookFiles(Look(id="berlin"), {"a b.svg": b"1", "logo.svg": b"2", "berlin/logo.svg": b"3"})
    fetcher = Assets(files, TEMPLATES)
    assert [
        fetcher.fetch(f"asset:{name}").read() for name in ("a%20b.svg", "logo.svg", "berlin/logo.svg#x")
    ] == [
        b"1",
        b"3",
        b"3",
    ]


ESCAPES = [
    "<img src='file:///etc/passwd'>",
    "<img src='http://127.0.0.1:1/a.png'>",
    "<object data='file:///etc/passwd' type='text/html'></object>",
    "<embed src='file:///etc/passwd'>",
    "<iframe src='file:///etc/passwd'></iframe>",
    "<link rel='stylesheet' href='file:///tmp/a.css'>",
    "<link rel='attachment' href='file:///etc/passwd'>",
    "<a rel='attachment' href='file:///etc/passwd'>x</a>",
    "<style>@import 'file:///tmp/a.css'; p { background: url(file:///etc/passwd) }</style>",
    "<p style=\"background: url('file:///etc/passwd')\">x</p>",
    '<p style="content: url(http://127.0.0.1:1/a.png)">x</p>',
    "<svg><image href='file:///etc/passwd'/><use href='file:///etc/passwd#a'/></svg>",
    "<img src='asset:evil.svg'>",
]


@pytest.mark.parametrize("html", ESCAPES)
def test_a_page_loads_nothing_from_elsewhere(html: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a block writes, the page is set without it; nothing of the file reaches the PDF."""
    opened: list[str] = []
    real = Path.read_bytes

    def read(path: Path) -> bytes:
        opened.append(str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    monkeypatch.setattr(URLFetcher, "open", lambda *_: pytest.fail("went outside"))
    evil = (
        SVG
        % b"<image href='file:///etc/passwd' width='9' height='9'/><use href='http://127.0.0.1:1/a.svg#a'/>"
    )
    made = preview(
        Wanted(look(blocks__heading_html=html, evil_svg=evil), "receipt", Parties(ISSUER, BUYER, "en"))
    )
    assert made.pdf is not None and not made.faults
    assert b"root:" not in made.pdf
    assert not [each for each in opened if each.startswith(("/etc", "/tmp/a"))]


CODE = [
    ("{{ ''.__class__.__mro__ }}", "unsafe"),
    ("{{ issuer.__init__.__globals__ }}", "unsafe"),
    ("{{ issuer.parse_raw('x', allow_pickle=True) }}", "unsafe"),
    ("{{ issuer.parse_file('/etc/passwd') }}", "unsafe"),
    ("{{ issuer.model_construct() }}", "unsafe"),
    ("{{ type.words.translations.install() }}", "unsafe"),
    ("{% include '../../../../../etc/passwd' %}", "etc/passwd"),
    ("{% import 'os' as os %}", "os"),
    ("{{ 9 ** 9 ** 9 }}", "powers"),
    ("{{ 'x' * 999999999 }}", "no text longer"),
    ("{{ nobody }}", "'nobody' is undefined"),
    ("{{ issuer.nothing }}", "nothing"),
    ("{{ 1 / 0 }}", "division by zero"),
    ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "recursion"),
]


@pytest.mark.parametrize(("source", "says"), CODE)
def test_code_stays_in_its_box(source: str, says: str) -> None:
    """Neither Python nor other files are reached; what fails is told on its line, for every document it fails in."""
    faults = try_out(look(blocks__foot_html=f"one\n\n{source}"), ISSUER)
    assert [(each.file, each.line) for each in faults] == [("templates/blocks/foot.html", 3)]
    assert says in faults[0].message


BROKEN = {
    "zero": look(blocks__foot_html="{{ draft.net / (draft.net - draft.net) }}"),
    "itself": look(blocks__foot_html="{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}"),
    "a long range": look(blocks__foot_html="{% for a in range(100001) %}{% endfor %}"),
    "memory": look(blocks__foot_html="{{ 'x' | center(99999999999999) }}"),
    "a catalogue": look(languages__de_po='msgid "Invoice"\nmsgstr "%(nothing)s"\n'),
    "a block in another encoding": look(blocks__foot_html=b"\xff\xfe"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_a_template_cannot_do_is_found_before_the_number(broken: str) -> None:
    """Whatever fails in a template with this document's data is the template's fault, said as one."""
    with pytest.raises(RenderingFailed):
        proof(invoice(), BROKEN[broken])


UNSET = {
    "deep": look(blocks__foot_html="<div>" * 3000),
    "large": look(style_css="body { font-size: 1e400px }"),
    "nested": look(style_css="p { width: calc(" + "(" * 2000 + "1px" + ")" * 2000 + ") }"),
    "a style sheet in another encoding": look(style_css=b"\xff\xfe"),
    "half a character": look(blocks__foot_html="{{ '\\ud800' }}"),
}


@pytest.mark.parametrize("unset", UNSET)
def test_what_cannot_be_set_is_a_fault_of_the_look(unset: str) -> None:
    """A page the typesetter breaks over is told at once as something to repair, not tried again for half an hour."""
    with pytest.raises(RenderingFailed, match="BER-2026-00017"):
        render_invoice(invoice(), UNSET[unset])


def test_a_loop_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Billions of turns are stopped when the time is over, in the midst of the template, and the line is told."""
    endless = "\n{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    (fault,) = try_out(look(blocks__meta_html=endless), ISSUER, seconds=0.3)
    assert (fault.file, fault.line) == ("templates/blocks/meta.html", 2)
    assert "never end" in fault.message


def test_looks_are_tried_in_a_process_that_can_be_killed() -> None:
    """The process answers with the faults; good templates have none; one it cannot stop itself is memory."""
    good, bad = look(blocks__foot_html="{{ issuer.name }}"), look(blocks__foot_html="{{ isuer.name }}")
    hungry = look(blocks__foot_html="{{ 'a' | center(9999999999) }}")
    assert try_looks({"berlin": good}, {"berlin": ISSUER}) == []
    tried = try_looks({"a": bad, "b": hungry}, {"a": ISSUER, "b": ISSUER})
    assert tried[0] == Fault("templates/blocks/foot.html", 1, "invoice: 'isuer' is undefined")
    assert "more memory" in tried[1].message


def test_the_process_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends without an answer is a fault with the reason, not a crash."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    (fault,) = try_looks({"berlin": look(blocks__foot_html="x")}, {"berlin": ISSUER})
    assert "ended" in fault.message


def test_an_overridden_block_calls_what_it_overrides() -> None:
    """`super()` is what stood there; the blocks of issuer and company are one in another."""
    own = look(
        blocks__foot_html="<b>ours</b>{{ super() }}", blocks__heading_html="{{ super() }}<i>{{ heading }}</i>"
    )
    page = PAGES["invoice"](Parties(ISSUER, BUYER, "en"), own)
    assert "<b>ours</b>" in page and "<i>Invoice</i>" in page
    assert PAGES["invoice"](Parties(ISSUER, BUYER, "en"), PLAIN) in page.replace("<b>ours</b>", "").replace(
        "<i>Invoice</i>", ""
    )


def test_previews_tell_themselves(caplog: pytest.LogCaptureFixture) -> None:
    """What the renderer leaves out is told with the preview, and not a second time in a log."""
    made = preview(Wanted(look(style_css="h1 { colr: red }"), "invoice", Parties(ISSUER, BUYER, "de")))
    assert made.pdf is not None and caplog.records == []


def test_previews_are_marked() -> None:
    """A preview says so across its pages and in its title, so that nobody takes it for the document."""
    made = preview(Wanted(PLAIN, "invoice", Parties(ISSUER, BUYER, "de")))
    assert made.pdf is not None and is_preview(made.pdf)
    assert made.faults == () == made.warnings
    assert not is_preview(b"no PDF") and not is_preview(
        render_receipt(sample_receipt(Parties(ISSUER, BUYER, "en")))
    )


def test_every_sample_can_be_asked_for() -> None:
    """The command offers exactly the documents there are samples of."""
    assert set(DOCUMENTS) == set(PAGES)
