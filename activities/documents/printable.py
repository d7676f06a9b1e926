"""Whether a text can be printed: asked before an invoice has a number, so that no number is lost on it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from activities.documents import fonts

_LAYOUT = frozenset("\n\r\t")
_OVERRIDES = frozenset("\N{LEFT-TO-RIGHT OVERRIDE}\N{RIGHT-TO-LEFT OVERRIDE}")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0001\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
)
"""Code points drawn as nothing, whether a font has them or not (Unicode: Default_Ignorable_Code_Point)."""

_NAMELESS = {
    "Cc": "control character",
    "Cn": "unassigned code point",
    "Co": "private-use character",
    "Cs": "half of a surrogate pair",
}


@dataclass(frozen=True)
class Unprintable:
    """A character a document cannot show, and the text that holds it."""

    character: str
    name: str
    text: str

    def __str__(self) -> str:
        place = self.text if len(self.text) <= 60 else self.text[:59] + "…"
        return f"U+{ord(self.character):04X} {self.name} in {ascii_visible(place)}"


def unprintable(texts: Iterable[str]) -> list[Unprintable]:
    """Each character of the texts that no document can show, once a text, in order.

    These are control characters (XML 1.0 forbids them too), unassigned and private code points, separators of
    lines and paragraphs, overrides of the writing direction (one would read what was not approved), and
    characters no installed font has. Line breaks, tabs, joiners, variation selectors and direction marks are
    fine. `FontsMissing` if the fonts cannot be listed.
    """
    return [
        Unprintable(character, name_of(character), text)
        for text in texts
        if not (text.isascii() and text.isprintable())
        for character in dict.fromkeys(text)
        if not _can_be_shown(character)
    ]


def name_of(character: str) -> str:
    """The character's Unicode name, or what kind of nameless code point it is."""
    return unicodedata.name(character, "") or _NAMELESS.get(
        unicodedata.category(character), "unnamed character"
    )


def ascii_visible(text: str) -> str:
    """The text in quotes with everything invisible written as an escape."""
    return (
        "'"
        + "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)
        + "'"
    )


def _can_be_shown(character: str) -> bool:
    category = unicodedata.category(character)
    if category in _NAMELESS or category in {"Zl", "Zp"} or character in _OVERRIDES:
        return character in _LAYOUT
    if _INVISIBLE.match(character):
        return True
    return category != "Cf" and bool(fonts.coverage()[ord(character)])
