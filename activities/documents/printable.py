"""Whether a text can be printed: before an invoice has a number, so that no number meets a text it cannot carry."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from activities.documents import fonts

_LAYOUT = frozenset("\n\r\t")
_OVERRIDES = frozenset("\N{LEFT-TO-RIGHT OVERRIDE}\N{RIGHT-TO-LEFT OVERRIDE}")
_INVISIBLE = "Cf"
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

    These are control characters (XML 1.0 forbids them too), unassigned and private code points, overrides of
    the writing direction (what is read would not be what was approved), and characters no installed font has.
    Line breaks, tabs, joiners, variation selectors and direction marks are fine. `FontsMissing` if the fonts
    cannot be listed.
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
    if category in _NAMELESS:
        return character in _LAYOUT
    if category == _INVISIBLE or category.startswith("Z"):
        return character not in _OVERRIDES
    return bool(fonts.coverage()[ord(character)]) or _is_variation_selector(character)


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
