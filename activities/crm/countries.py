"""Countries as people write them into a CRM: a code, or a name in one of the languages of our clients."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from babel import Locale
from babel.core import get_global

_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "nb", "fi", "cs")
"""A name that means two countries means the one of the earlier language."""

_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})

_ALSO = {
    "great britain": "GB",
    "holland": "NL",
    "hong kong": "HK",
    "the netherlands": "NL",
    "u.s.": "US",
    "u.s.a.": "US",
    "united states of america": "US",
    "czech republic": "CZ",
    "turkey": "TR",
}


def country_code(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of a country, given as a code of two or three letters, or by its name.

    None if there is no such country. SOURCE: the names and codes of Unicode CLDR, as Babel carries them.
    """
    return _codes().get(" ".join(text.split()).casefold())


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    territories = set(map(str, Locale("en").territories)) - _NO_COUNTRIES
    countries = {code for code in territories if len(code) == len("DE") and code.isalpha()}
    found: dict[str, str] = {}
    for name, code in [*_written_out(countries), *_ALSO.items()]:
        found.setdefault(name.casefold(), code)
    return found


def _written_out(countries: set[str]) -> Iterator[tuple[str, str]]:
    yield from ((code, code) for code in sorted(countries))
    for short, codes in get_global("territory_aliases").items():
        if short.isalpha() and len(codes) == 1 and codes[0] in countries:
            yield short, codes[0]
    for language in _LANGUAGES:
        for code, name in sorted(Locale(language).territories.items()):
            if code in countries:
                yield name, code
