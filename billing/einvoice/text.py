"""Texts of an e-invoice: without what XML cannot hold, and without blanks at either end."""

from __future__ import annotations

import re

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters outside production 2 of XML 1.0; a person is told of them before a number is taken."""


def paragraphs(text: str) -> str:
    """The text with its line breaks, none of them doubled."""
    lines = (" ".join(line.split()) for line in _NOT_IN_XML.sub("", text).splitlines())
    return "\n".join(line for line in lines if line)


def one_line(text: str) -> str:
    """The text on one line, blanks between words once."""
    return " ".join(_NOT_IN_XML.sub("", text).split())
