"""An issuer's own fonts as `@font-face` rules."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

from fontTools.ttLib import TTFont, TTLibError

from activities.documents.errors import RenderingFailed
from activities.documents.look import LookFiles

TEXT, HEADING = "House Text", "House Heading"
"""The families the looks ask for first; without fonts of its own, a look uses those it names after them."""

_ITALIC = 1
"""The first bit of fsSelection (OpenType, table OS/2)."""


def faces(look: LookFiles) -> str:
    """The rules for the fonts a look names, weight and slope as the files themselves say; empty where it names none.

    `RenderingFailed` if a file is missing or is no font.
    """
    if look.look is None:
        return ""
    named = ((TEXT, look.look.text_fonts), (HEADING, look.look.heading_fonts))
    return "\n".join(_face(family, name, look) for family, names in named for name in names)


def _face(family: str, name: str, look: LookFiles) -> str:
    data = look.asset(name)
    if data is None:
        raise RenderingFailed(f"the font {name} is not among the files of the look; put it into templates/")
    rule = "; ".join(
        [f'font-family: "{family}"', *_style(name, data), f"src: url({json.dumps('asset:' + name)})"]
    )
    return f"@font-face {{ {rule} }}"


def _style(name: str, data: bytes) -> Iterator[str]:
    try:
        with TTFont(io.BytesIO(data), lazy=True) as font:
            os2 = font["OS/2"]
            weight, slope = int(os2.usWeightClass), int(os2.fsSelection) & _ITALIC
    except (TTLibError, KeyError, ValueError, AssertionError) as error:
        raise RenderingFailed(f"{name} is no TrueType or OpenType font ({error})") from error
    yield f"font-weight: {min(900, max(100, round(weight, -2)))}"
    yield f"font-style: {'italic' if slope else 'normal'}"
