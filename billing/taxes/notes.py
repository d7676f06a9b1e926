"""Words that must stand on a document where no tax is charged: a stable code for translators, and the English text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Any


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
    NoteCode.REVERSE_CHARGE: "Reverse charge: the recipient is liable for VAT (%(article)s)",
    NoteCode.SUPPLIED_ABROAD: "Not taxable in %(home)s: place of supply is the recipient's country (%(article)s)",
    NoteCode.SMALL_BUSINESS: "No %(tax)s is charged: small business (%(article)s)",
    NoteCode.EXEMPT: "Exempt from %(tax)s (%(article)s)",
    NoteCode.EXPORT: "%(tax)s 0 %%: export of services (%(article)s)",
    # Both texts: rule 46, CGST Rules 2017.
    NoteCode.EXPORT_UNDER_UNDERTAKING: (
        "Supply meant for export under bond or letter of undertaking without payment of integrated tax"
        " (undertaking %(number)s)"
    ),
    NoteCode.ZONE_UNDER_UNDERTAKING: (
        "Supply meant for supply to special economic zone unit or special economic zone developer for authorised"
        " operations under bond or letter of undertaking without payment of integrated tax (undertaking %(number)s)"
    ),
    NoteCode.CERTIFICATE: "Exempt from %(tax)s: certificate %(number)s",
}
"""By code. The places are: article, home (the issuer's country), tax (its name), number."""

_PLACE = re.compile(re.escape(re.escape("%(NAME)s")).replace("NAME", r"(\w+)"))
_PLACES = ("article", "home", "tax", "number")


def english(code: NoteCode, *, article: str = "", home: str = "", tax: str = "VAT", number: str = "") -> str:
    """The note in English, its places filled."""
    return ENGLISH[code] % {"article": article, "home": home, "tax": tax, "number": number}


def note_in(language: str, note: str, own: Callable[[str], str] | None = None) -> str:
    """A note in another language (ISO 639-1); as it stands where there is no translation, or somebody worded it.

    Drafts keep notes in English, and a note is known by its English words: so drafts of any age are translated. `own`
    gives a company's own words for a text of `ENGLISH`, places and all, or that text itself. What Indian law words
    stands in English in every language.
    """
    for code, pattern in _patterns():
        if found := pattern.fullmatch(note):
            words = _words(language)
            said = own(ENGLISH[code]) if own else ENGLISH[code]
            template = said if said != ENGLISH[code] else words.get(code, "")
            return _filled(template, found.groupdict(), words) if template else note
    return note


def _filled(template: str, places: Mapping[str, str], words: Mapping[str, Any]) -> str:
    tax = words.get("taxes", {}).get(places.get("tax"), places.get("tax", ""))
    filled = template % {**dict.fromkeys(_PLACES, ""), **places, "tax": tax}
    for law, its_name in words.get("laws", {}).items():
        filled = filled.replace(law, its_name)
    return filled


def notes_of_the_law() -> bytes:
    """The translations as they are packaged: what is written on a document depends on them."""
    return resources.files("billing.taxes.data").joinpath("notes.toml").read_bytes()


@lru_cache(maxsize=1)
def _translations() -> dict[str, dict[str, Any]]:
    return tomllib.loads(notes_of_the_law().decode("utf-8"))


def _words(language: str) -> dict[str, Any]:
    return _translations().get(language, {})


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[NoteCode, re.Pattern[str]], ...]:
    def pattern(text: str) -> re.Pattern[str]:
        return re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(text.replace("%%", "%"))))

    return tuple((code, pattern(text)) for code, text in ENGLISH.items() if text)
