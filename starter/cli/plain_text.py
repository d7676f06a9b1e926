"""Text from clients and other systems, made safe for a terminal."""

from __future__ import annotations

import unicodedata

_SPACES = dict.fromkeys(map(ord, "\t\n\r\v\f\x85\u2028\u2029"), " ")


def plain(text: str, *, lines: bool = False) -> str:
    """The text without anything a terminal would obey: control characters, escapes, changes of direction.

    They become visible signs; line breaks become spaces unless `lines` keeps them.
    """
    if text.isascii() and text.isprintable():
        return text
    if lines:
        return "\n".join(plain(line) for line in text.splitlines())
    return "".join(_visible(character) for character in text.translate(_SPACES))


def _visible(character: str) -> str:
    if character.isprintable() or character in "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}":
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if unicodedata.category(character) == "Zs":
        return " "
    return "\N{REPLACEMENT CHARACTER}"
