"""Fonts of a look: whether they are fonts, and may stand in a document that is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import BytesIO

from fontTools.ttLib import TTFont, TTLibError

from activities.company.problems import Problem

_NEEDED = ("cmap", "head", "hmtx", "maxp", "name")
_RESTRICTED, _BITMAPS_ONLY = 0x0002, 0x0200
_EVERYDAY = "aéßñçŁ0123456789€–"

logging.getLogger("fontTools").setLevel(logging.ERROR)


def font_problems(file: str, data: bytes) -> Iterator[Problem]:
    """What is wrong with a font file; signs of every day it lacks are a warning."""
    try:
        font = TTFont(BytesIO(data), lazy=True)
        missing = [table for table in _NEEDED if table not in font]
        signs = font.getBestCmap() or {} if not missing else {}
        rights = font["OS/2"].fsType if "OS/2" in font else 0
    except (TTLibError, OSError, ValueError, KeyError, AssertionError, AttributeError, ImportError) as error:
        yield Problem(file, 1, "", f"this is no font that can be read ({str(error)[:60]}); use .ttf or .otf")
        return
    except Exception as error:  # noqa: BLE001  # fontTools raises struct.error and more on a broken table
        yield Problem(file, 1, "", f"the font is broken ({type(error).__name__}); download it again")
        return
    if missing:
        yield Problem(file, 1, "", f"this is no font for text: it has no table {', '.join(missing)}")
        return
    if rights & (_RESTRICTED | _BITMAPS_ONLY):
        yield Problem(file, 1, "", "the font forbids to be embedded in documents; use another, or license it")
    lacking = "".join(sign for sign in _EVERYDAY if ord(sign) not in signs)
    if lacking:
        message = f"the font has no {' '.join(lacking)}; these are printed in another font"
        yield Problem(file, 1, "", message, warning=True)
