"""What can be printed."""

import timeit

import pytest

from activities.documents.pdf import render_invoice
from activities.documents.printable import unprintable
from tests.activities.documents.samples import invoice
from tests.activities.documents.test_pdf import SCRIPTS


def test_scripts_marks_and_joiners_pass() -> None:
    """Every living script, emoji, joiners, selectors, direction marks and line breaks are printable."""
    marks = ["a\u200db", "❤\ufe0f", "\u200fعربي\u200e", "soft\u00adhyphen", "two\nlines\tand tab", ""]
    assert unprintable([*SCRIPTS, *marks]) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("bell\x07", "U+0007 control character in 'bell\\x07'"),
        ("nul\x00", "U+0000 control character in 'nul\\x00'"),
        ("private\ue123", "U+E123 private-use character in 'private\\ue123'"),
        ("unassigned\u0378", "U+0378 unassigned code point in 'unassigned\\u0378'"),
        ("half\ud83d", "U+D83D half of a surrogate pair in 'half\\ud83d'"),
        ("turned\u202ecod.exe", "U+202E RIGHT-TO-LEFT OVERRIDE in 'turned\\u202ecod.exe'"),
        ("line\u2028separator", "U+2028 LINE SEPARATOR in 'line\\u2028separator'"),
    ],
)
def test_refused(text: str, named: str) -> None:
    """What no document can show is named by code point, Unicode name and place, itself made visible."""
    assert [str(each) for each in unprintable([text])] == [named]


def test_each_character_once_a_text() -> None:
    """A character is reported once for each text that holds it, in order."""
    found = unprintable(["\x07a\x07\x01", "fine", "\x07"])
    assert [(each.character, each.text) for each in found] == [
        ("\x07", "\x07a\x07\x01"),
        ("\x01", "\x07a\x07\x01"),
        ("\x07", "\x07"),
    ]


def test_what_passes_is_rendered() -> None:
    """A sample of all characters that pass is rendered without one missing glyph."""
    candidates = [chr(code) for code in range(0xA0, 0x20000, 499)]
    passing = [each for each in candidates if not unprintable([each])]
    assert len(passing) > 50
    render_invoice(invoice(["".join(f"{each} " for each in passing)]))


def test_quick() -> None:
    """After the first text, checking costs microseconds."""
    unprintable(["Ω"])
    texts = ["Müller & Söhne, 株式会社"] * 1000
    # the quickest of some, since a busy machine may do something else meanwhile
    assert min(timeit.repeat(lambda: unprintable(texts), number=1, repeat=5)) < 0.5
