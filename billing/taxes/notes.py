"""Words that must stand on a document where no tax is charged: a stable code for translators, and the English text."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class NoteCode(StrEnum):
    """Names a note in every language. A code never changes its meaning; documents translate by it."""

    NONE = ""
    REVERSE_CHARGE = "reverse-charge"
    SUPPLIED_ABROAD = "supplied-abroad"
    SMALL_BUSINESS = "small-business"
    EXEMPT = "exempt"
    EXPORT = "export"
    EXPORT_UNDER_UNDERTAKING = "export-under-undertaking"
    ZONE_UNDER_UNDERTAKING = "zone-under-undertaking"
    CERTIFICATE = "certificate"


ENGLISH: dict[NoteCode, str] = {
    NoteCode.NONE: "",
    # Art. 226(11a) of the Directive prescribes the words "Reverse charge".
    NoteCode.REVERSE_CHARGE: "Reverse charge: the recipient is liable for VAT ({article})",
    NoteCode.SUPPLIED_ABROAD: "Not taxable in {home}: place of supply is the recipient's country ({article})",
    NoteCode.SMALL_BUSINESS: "No {tax} is charged: small business ({article})",
    NoteCode.EXEMPT: "Exempt from {tax} ({article})",
    NoteCode.EXPORT: "{tax} 0 %: export of services ({article})",
    # Both texts: rule 46, CGST Rules 2017.
    NoteCode.EXPORT_UNDER_UNDERTAKING: (
        "Supply meant for export under bond or letter of undertaking without payment of integrated tax"
        " (undertaking {number})"
    ),
    NoteCode.ZONE_UNDER_UNDERTAKING: (
        "Supply meant for supply to special economic zone unit or special economic zone developer for authorised"
        " operations under bond or letter of undertaking without payment of integrated tax (undertaking {number})"
    ),
    NoteCode.CERTIFICATE: "Exempt from {tax}: certificate {number}",
}
"""By code. The places in braces are: article, home (the issuer's country), tax (its name), number."""


GERMAN: dict[NoteCode, str] = {
    NoteCode.NONE: "",
    # § 14a(5) UStG prescribes the first two words.
    NoteCode.REVERSE_CHARGE: "Steuerschuldnerschaft des Leistungsempfängers (Reverse charge, {article})",
    NoteCode.SUPPLIED_ABROAD: "In {home} nicht steuerbar: Leistungsort ist das Land des Empfängers ({article})",
    NoteCode.SMALL_BUSINESS: "Es wird keine Umsatzsteuer ({tax}) berechnet: Kleinunternehmer ({article})",
    NoteCode.EXEMPT: "Steuerfrei ({tax}, {article})",
    NoteCode.EXPORT: "{tax} 0 %: Ausfuhr von Dienstleistungen ({article})",
    NoteCode.CERTIFICATE: "Befreit von {tax}: Bescheinigung {number}",
}
"""What Indian law words itself stands in English in every language."""

_TRANSLATED = {"de": GERMAN}
_LAWS = {"de": (("Directive 2006/112/EC", "Richtlinie 2006/112/EG"),)}
_PLACES = ("article", "home", "tax", "number")


def english(code: NoteCode, *, article: str = "", home: str = "", tax: str = "VAT", number: str = "") -> str:
    """The note in English, its places filled."""
    return ENGLISH[code].format(article=article, home=home, tax=tax, number=number)


def note_in(language: str, note: str) -> str:
    """A note in another language (ISO 639-1); as it stands where there is no translation, or somebody worded it.

    Drafts keep notes in English, and a note is known by its English words: so drafts of any age are translated.
    """
    words = _TRANSLATED.get(language, {})
    for code, pattern in _patterns():
        found = pattern.fullmatch(note)
        if found and code in words:
            translated = words[code].format(**{**dict.fromkeys(_PLACES, ""), **found.groupdict()})
            for law, its_name in _LAWS[language]:
                translated = translated.replace(law, its_name)
            return translated
    return note


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[NoteCode, re.Pattern[str]], ...]:
    def pattern(text: str) -> re.Pattern[str]:
        escaped = re.escape(text)
        for each in _PLACES:
            escaped = escaped.replace(re.escape(f"{{{each}}}"), f"(?P<{each}>.+?)")
        return re.compile(escaped)

    return tuple((code, pattern(text)) for code, text in ENGLISH.items() if text)
