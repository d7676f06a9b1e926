"""Leitweg-IDs: by which German authorities have invoices routed to them.

Source: KoSIT, Formatspezifikation Leitweg-ID, version 2.0.2.
"""

from __future__ import annotations

import re

_SHAPE = re.compile(r"((?:0[1-9]|1[0-6]|99)[0-9]{0,10})(?:-([A-Za-z0-9]{1,30}))?-([0-9]{2})")
"""Coarse address, whose first two digits are a state or (99) the federation; fine address; check digits."""


def looks_like_leitweg_id(text: str) -> bool:
    """Whether it is built like one, whatever its check digits."""
    return _SHAPE.fullmatch(text) is not None


def is_leitweg_id(text: str) -> bool:
    """Whether it is one: 04011000-1234512345-06, 992-90009-96."""
    return looks_like_leitweg_id(text) and text[-2:] == check_digits(text)


def check_digits(text: str) -> str:
    """Those it should end in (ISO 7064, MOD 97-10, letters as numbers from A = 10), for what looks like one."""
    body = text[:-2].replace("-", "").upper()
    as_digits = "".join(str(int(character, 36)) for character in body)
    return f"{98 - int(as_digits + '00') % 97:02d}"
