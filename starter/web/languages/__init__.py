"""The languages of the web app: which there are, which a browser asks for, and their catalogues.

Its domain is its own, beside that of documents and mails: `activities.languages`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from activities.languages.catalogue import Catalogue, from_file

ENGLISH_TAG = "en-GB"

CHOICES = {
    "en-GB": "English",
    "en-US": "English (United States)",
    "de-DE": "Deutsch",
    "de-AT": "Deutsch (Österreich)",
    "de-CH": "Deutsch (Schweiz)",
}
"""Languages and countries a page can be read in (BCP 47 tags), each named in itself; of a language, the first is
taken for those who name no country, or another one."""

CATALOGUES = Path(__file__).parent
TRANSLATED = ("de",)

SENTENCES = CATALOGUES / "said"
"""What rules and commands say, a catalogue a language: `starter.web.sentences`."""

_MOST_ASKED = 20


@lru_cache
def catalogue_for(language: str) -> Catalogue:
    """The catalogue of a language (ISO 639-1); English where there is none."""
    return from_file(CATALOGUES / f"{language}.po" if language in TRANSLATED else None, language)


@lru_cache(maxsize=256)
def asked_for(accept_language: str) -> str:
    """The choice that suits an `Accept-Language` header (RFC 9110, 12.5.4) best; English without one."""
    for asked in _in_order(accept_language):
        for tag in CHOICES:
            if tag.lower() == asked:
                return tag
        for tag in CHOICES:
            if tag.partition("-")[0] == asked.partition("-")[0]:
                return tag
    return ENGLISH_TAG


def _in_order(accept_language: str) -> list[str]:
    wanted: list[tuple[float, str]] = []
    for part in accept_language.lower().split(",")[:_MOST_ASKED]:
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight.strip() else 1.0
        except ValueError:
            continue
        if 0 < quality <= 1:
            wanted.append((-quality, tag.strip()))
    return [tag for _, tag in sorted(wanted, key=lambda each: each[0])]
