"""The address to which one message comes back: `bounces+<token>@domain` (variable envelope return path, VERP)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\+([0-9a-f]{24})@", re.IGNORECASE)


@dataclass(frozen=True)
class ReturnPath:
    """The envelope sender of a message, and the id by which reports about it name it (RFC 3461, section 4.4)."""

    address: str
    envelope_id: str

    @classmethod
    def of(cls, bounces_to: str, token: str) -> ReturnPath:
        local, _, domain = bounces_to.rpartition("@")
        return cls(f"{local}+{token}@{domain}", token)


def tokens_in(text: str) -> tuple[str, ...]:
    """The tokens of all such addresses in a text; some systems write addresses in capitals."""
    return tuple(dict.fromkeys(map(str.lower, _TOKEN.findall(text))))
