"""The direction a text is written in, whatever the language of the document around it."""

from __future__ import annotations

import unicodedata

from markupsafe import Markup, escape

_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def runs_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction is of a script written from right to left (Unicode UAX #9, P2)."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction == "L":
            return False
        if direction in _RIGHT_TO_LEFT:
            return True
    return False


def directed(text: str) -> Markup:
    """The text, escaped, in its own direction: a name in Arabic keeps its order inside a line of Latin."""
    if not runs_right_to_left(text):
        return escape(text)
    return Markup('<bdi dir="rtl">{}</bdi>').format(text)
