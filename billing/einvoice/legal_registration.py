"""Legal registrations with the scheme they are numbers of, in countries where that is plain from the number.

SOURCE: ISO/IEC 6523 register of schemes (ICD), as Peppol's national rules ask for it (DK-R-014, IS-R-002, NL-R-003).
"""

from __future__ import annotations

import re

_SCHEMES: dict[str, tuple[tuple[int, str], ...]] = {
    "BE": ((10, "0208"),),
    "DK": ((8, "0184"),),
    "IS": ((10, "0196"),),
    "NL": ((8, "0106"), (20, "0190")),
    "NO": ((9, "0192"),),
    "SE": ((10, "0007"),),
}
"""By country, the digits a registration has, and the scheme that says so: enterprise number, CVR, kennitala, KvK or
OIN, two organisation numbers."""

_WRITTEN = re.compile(r"(?:[A-Za-z][A-Za-z.: -]*)?([0-9](?:[ .-]?[0-9])*)")
"""Perhaps the name of the register, then the number: `CVR 13585628`, `KvK: 12345678`, `556188-8404`."""


def with_scheme(written: str, country: str) -> tuple[str, str]:
    """The registration and its scheme: the bare number if the country has one of that length, else as written, none."""
    found = _WRITTEN.fullmatch(written)
    number = re.sub(r"[ .-]", "", found[1]) if found else ""
    scheme = dict(_SCHEMES.get(country, ())).get(len(number), "")
    return (number, scheme) if scheme else (written, "")
