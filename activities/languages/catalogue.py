"""The words of one language: looked up sentence by sentence, in English where there is no translation."""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.core import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from activities.languages.built_in import LANGUAGES as LANGUAGES
from activities.languages.built_in import SOURCE as SOURCE
from billing.errors import BillowError

_PLACE = re.compile(r"%%|%\((\w+)\)s")

_FORMS = re.compile(rb"nplurals\s*=\s*(\d+)")

MOST_FORMS = 6
"""Of a plural, as Arabic has them."""

CATALOGUES = Path(__file__).parent


def message(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is used."""
    return text


def counted(one: str, many: str) -> tuple[str, str]:
    """Marks a text that counts for the catalogues; it is translated where it is used."""
    return one, many


class CatalogueFaulty(BillowError):
    """A catalogue cannot be read, or a translation asks for what it is not given."""


class Catalogue:
    """Translations into `language`, which is `en` where nothing is translated into the language asked for.

    Messages are English; a place in them is `%(name)s` and is filled with the value of that name.
    """

    def __init__(self, language: str, translations: gettext.NullTranslations) -> None:
        self.language = language
        self.translations = translations

    def gettext(self, message: str, **values: object) -> str:
        """The message, its places filled."""
        return _filled(self.translations.gettext(message), values)

    def pattern(self, message: str) -> str:
        """The translation of a message with its places still to be filled."""
        return self.translations.gettext(message)

    def pgettext(self, context: str, message: str, **values: object) -> str:
        """A message whose English has several meanings: the context says which."""
        return _filled(self.translations.pgettext(context, message), values)

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """The form for a number of things; the number itself stands at `%(num)s`."""
        return _filled(self.translations.ngettext(one, many, number), {"num": number, **values})

    def npgettext(self, context: str, one: str, many: str, number: int, **values: object) -> str:
        """`ngettext` of a message with several meanings."""
        return _filled(self.translations.npgettext(context, one, many, number), {"num": number, **values})


@lru_cache(maxsize=64)
def catalogue(language: str, more: bytes | None = None) -> Catalogue:
    """The catalogue of a language (ISO 639-1), compiled once a process.

    `more` is a company's own catalogue (a .po file) for this language: its translations come first, and make
    a language of one that Billow does not have. `CatalogueFaulty` where it cannot be used.
    """
    known = language in LANGUAGES
    translations = _own(language) if known else gettext.NullTranslations()
    if more is not None:
        first = _compiled(read(more, language))
        first.add_fallback(translations)
        translations = first
    return Catalogue(language if known or more is not None else SOURCE, translations)


def read(data: bytes, language: str) -> Catalog:
    """The messages of a .po file, checked. `CatalogueFaulty` names the line and what is wrong with it."""
    _check_number_of_forms(data)
    try:
        Locale.parse(language)
        found = read_po(BytesIO(data), locale=language, abort_invalid=True)
        counts = _compiled(found)
    except UnknownLocaleError as error:
        raise CatalogueFaulty(
            f"{language!r} is not a language that dates and amounts are known for"
        ) from error
    except (PoFileError, ValueError, LookupError) as error:
        raise CatalogueFaulty(f"the catalogue of {language!r} cannot be read: {error}") from error
    _check_rule(found, counts)
    for entry in found:
        if entry.id and not entry.fuzzy:
            _check(entry)
    return found


def _check_number_of_forms(data: bytes) -> None:
    """Asked before the file is read: as many forms as it names are made for each text that counts."""
    for named in _FORMS.findall(data):
        if len(named) > 1 or int(named) > MOST_FORMS:
            shown = named.decode()[:20]
            raise CatalogueFaulty(
                f"the catalogue has {shown} forms of a plural; no language has over {MOST_FORMS}"
            )


def _check_rule(messages: Catalog, compiled: gettext.GNUTranslations) -> None:
    """The rule of plurals names one of the forms for every number that may come."""
    for number in (*range(1001), 10**6):
        try:
            form = compiled.plural(number)  # type: ignore[attr-defined]  # made when a catalogue is read
        except (ArithmeticError, ValueError, RecursionError) as error:
            raise CatalogueFaulty(f"the rule of plurals fails for {number}: {error}") from error
        if not 0 <= form < messages.num_plurals:
            raise CatalogueFaulty(
                f"the rule of plurals names form {form} for {number}, and there are {messages.num_plurals}, from 0"
            )


def _check(entry: Message) -> None:
    """A translation may leave a place out, but must not ask for one that nobody fills."""
    given = {place for each in _all_of(entry.id) for place in places(each)}
    for each in _all_of(entry.string):
        if each and (unknown := places(each) - given):
            raise CatalogueFaulty(
                f"line {entry.lineno}: the translation of {_all_of(entry.id)[0]!r} asks for"
                f" {', '.join(sorted(unknown))}; there is {', '.join(sorted(given)) or 'no place to fill'}"
            )


def places(text: str) -> set[str]:
    """The names of the places in a message. `CatalogueFaulty` where a per cent sign is neither one nor doubled."""
    if "%" in _PLACE.sub("", text):
        raise CatalogueFaulty(
            f"{text!r} has a per cent sign that is no place such as %(name)s; write %% for the sign itself"
        )
    return {name for name in _PLACE.findall(text) if name}


def from_file(path: Path | None, language: str) -> Catalogue:
    """The catalogue in a .po file of ours; without one, the messages as they are. `CatalogueFaulty` as of `read`."""
    if path is None:
        return Catalogue(SOURCE, gettext.NullTranslations())
    return Catalogue(language, _compiled(read(path.read_bytes(), language)))


def _filled(text: str, values: Mapping[str, object]) -> str:
    return text % values


def _own(language: str) -> gettext.NullTranslations:
    if language == SOURCE:
        return gettext.NullTranslations()
    return _compiled(read((CATALOGUES / f"{language}.po").read_bytes(), language))


def _compiled(messages: Catalog) -> gettext.GNUTranslations:
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _all_of(forms: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    if forms is None:
        return ()
    return (forms,) if isinstance(forms, str) else tuple(forms)
