"""What numbers of documents may look like, by the country of the issuer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

LONGEST_REFERENCE = 21
"""Letters and digits of a number that a structured creditor reference holds, after RF and check digits (ISO 11649)."""

_PARTS = re.compile(r"(\{[^}]*\})")
_COUNTER = re.compile(r"\{number:0[1-9]\}")


def _pattern(text: str) -> str:
    parts = _PARTS.split(text)
    years = [each for each in parts if each in ("{year}", "{yy}")]
    counters = [each for each in parts if _COUNTER.fullmatch(each)]
    literal = "".join(parts[::2])
    if len(counters) != 1 or len(years) != 1 or len(parts) != 5:
        raise ValueError(
            f"{text!r} must have {{year}} (2026) or {{yy}} (26) once, {{number:05}} once, and no other braces, "
            "as in BER-{year}-{number:05}"
        )
    if (
        not re.fullmatch(r"[A-Z0-9 ./_-]*", literal)
        or not re.match(r"[A-Z0-9{]", text)
        or text != text.strip()
    ):
        raise ValueError(
            f"{text!r} may have capital letters, digits, '-', '/', '.', '_' and blanks between, and begins with "
            "a letter or digit"
        )
    return text


NumberPatternText = Annotated[str, AfterValidator(_pattern)]
"""A number with a place for the year and one for the count: `BER-{year}-{number:05}`."""


@dataclass(frozen=True)
class NumberLimit:
    """What a country asks of a number: its length, and the form it must have in full."""

    longest: int
    form: str
    told: str
    source: str
    warning: bool = False

    def refuses(self, number: str) -> str:
        """Why the number will not do, in words; empty if it will."""
        if len(number) > self.longest:
            return f"{number} is longer than {self.longest} characters ({self.source})"
        if not re.fullmatch(self.form, number):
            return f"{number} is not made of {self.told} ({self.source})"
        return ""


ANYWHERE = NumberLimit(35, r"[ -~]+", "printable characters", "references of payments (ISO 20022, Max35Text)")
"""Where a country says nothing that is known here."""

LIMITS = {
    "ES": NumberLimit(
        60,
        r"[^\"'<>=]+",
        "anything but quotes, '<', '>' and '='",
        "Orden HAC/1177/2024, NumSerieFactura",
    ),
    "FR": NumberLimit(
        35,
        r"[A-Za-z0-9+_/-]+",
        "letters, digits, '+', '-', '_' and '/'",
        "XP Z12-012, BR-FR-01 and BR-FR-02",
    ),
    "IN": NumberLimit(16, r"[A-Za-z0-9/-]+", "letters, digits, '-' and '/'", "CGST Rules 2017, rule 46(b)"),
    "IT": NumberLimit(
        20,
        r"[ -~]*[0-9][ -~]*",
        "ASCII characters, one a digit",
        "FatturaPA 1.2.2, 2.1.1.4 Numero; SdI 00425",
    ),
    "PL": NumberLimit(256, r".+", "any characters", "KSeF FA(3), P_2"),
    "PT": NumberLimit(
        60,
        r"[^ ]+ [^/^ ]+/[0-9]+",
        "a document type, a blank, a series, '/' and the count, as in FT 2026/00001",
        "SAF-T (PT) 1.04_01, 4.1.4.1 InvoiceNo",
        warning=True,
    ),
}
"""By country (ISO 3166-1). Germany (§ 14 Abs. 4 Nr. 4 UStG), Austria (§ 11 Abs. 1 Z 3 lit. h UStG), the Netherlands,
Switzerland, the United Kingdom and the United States ask for a running number and say nothing of its form."""


def limit_of(country: str) -> NumberLimit:
    """What a country asks of a number, never more than a payment can name."""
    return LIMITS.get(country, ANYWHERE)
