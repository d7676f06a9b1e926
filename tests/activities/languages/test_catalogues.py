"""The catalogues: complete in every language, in step with what is used, and a company's own on top."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from activities.languages.catalogue import CATALOGUES, LANGUAGES, CatalogueFaulty, catalogue, places, read
from activities.languages.extraction import ROOT, TEMPLATE, messages, template, updated, written
from billing.taxes.notes import ENGLISH

TRANSLATED = [each for each in LANGUAGES if each != "en"]
MAY_LEAVE_OUT = {("pl", "Dear %(contact_name)s,")}
"""A name would have to be inflected: Polish letters begin without it."""


def file_of(language: str) -> Catalog:
    return read((CATALOGUES / f"{language}.po").read_bytes(), language)


def entries(found: Catalog) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], Message]]:
    """Forms of the English and of the translation of each message."""
    for each in found:
        if each.id:
            ids = (each.id,) if isinstance(each.id, str) else tuple(each.id)
            yield ids, (each.string,) if isinstance(each.string, str) else tuple(each.string or ()), each


@pytest.fixture(scope="module")
def in_use() -> set[tuple[str | None, str]]:
    return {(each.context, ids[0]) for ids, _, each in entries(messages())}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_in_use_is_translated(language: str, in_use: set[tuple[str | None, str]]) -> None:
    """Each language has exactly the messages in use, none fuzzy, none without words, no obsolete ones."""
    found = file_of(language)
    assert {(each.context, ids[0]) for ids, _, each in entries(found)} == in_use, "run: make languages"
    assert not found.obsolete
    for ids, translations, each in entries(found):
        assert not each.fuzzy, ids
        assert translations and all(text.strip() for text in translations), f"{language}: {ids[0]}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_places_stay(language: str) -> None:
    """A translation has the places of the English, each of them; where it counts, "one" may be a word."""
    for ids, translations, _ in entries(file_of(language)):
        if (language, ids[0]) in MAY_LEAVE_OUT:
            continue
        for text in translations[1:] if len(ids) == 2 else translations:
            assert places(text) == places(ids[-1]), f"{language}: {text}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_forms_are_complete(language: str) -> None:
    """What counts has as many forms as the language: those CLDR knows for whole numbers below a million."""
    found = file_of(language)
    rule = Locale.parse({"pt": "pt_PT"}.get(language, language)).plural_form
    kinds = {number: rule(number) for number in range(1000)}
    assert found.num_plurals == len(set(kinds.values()))
    translations = catalogue(language).translations
    forms = {number: translations.plural(number) for number in kinds}  # type: ignore[attr-defined]
    assert len(set(zip(kinds.values(), forms.values(), strict=True))) == found.num_plurals
    for ids, texts, _ in entries(found):
        assert len(texts) == (found.num_plurals if len(ids) == 2 else 1), ids


@pytest.mark.parametrize("language", TRANSLATED)
def test_files_are_as_written(language: str) -> None:
    """`make languages` would change nothing: order, comments and places are those of the sources."""
    assert written(updated(language, messages())) == (CATALOGUES / f"{language}.po").read_bytes()


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_the_edges(language: str) -> None:
    """A sentence ends in every language as it does in English, and no translation has blanks around it."""
    ends = set(".:!?,")
    for ids, translations, _ in entries(file_of(language)):
        for text in translations:
            assert text == text.strip(), f"{language}: {text!r}"
            if len(ids[0].split()) > 3 and ids[0][-1] not in ",s":
                assert (text[-1] in ends) == (ids[0][-1] in ends), f"{language}: {text!r}"


def test_the_template_for_languages_of_ones_own() -> None:
    """`messages.pot` names every message in use and every note of the tax law, and is as `make languages` writes it."""
    assert written(template()) == TEMPLATE.read_bytes()
    said = {ids[0] for ids, _, _ in entries(read_po(BytesIO(TEMPLATE.read_bytes())))}
    assert {each for each in ENGLISH.values() if each} | {"Invoice", "Dear %(contact_name)s,"} <= said
    read(TEMPLATE.read_bytes(), "sv")


def examples() -> list[str]:
    """The catalogues docs/languages.md shows."""
    return re.findall(r"```po\n(.*?)```", (ROOT / "docs/languages.md").read_text("utf-8"), re.DOTALL)


def test_examples_of_the_documentation() -> None:
    """Catalogues in the documentation can be read, and name messages there are."""
    known = {(each.context, ids[0]) for ids, _, each in entries(template())}
    assert len(examples()) >= 2
    for example in examples():
        shown = [*entries(read(example.encode(), "sv"))]
        assert shown and {(each.context, ids[0]) for ids, _, each in shown} <= known


def test_no_language_speaks_another() -> None:
    """No sentence is the same in two languages: none was left in that it was copied from."""
    told: dict[str, str] = {}
    for language in TRANSLATED:
        for ids, translations, _ in entries(file_of(language)):
            for text in translations:
                if len(text.split()) > 4:
                    assert text != ids[0] and text not in told, f"{language}: {text!r} is {told.get(text)}"
            told |= dict.fromkeys(translations, language)


@pytest.mark.parametrize(
    ("language", "number", "said"),
    [
        ("en", 1, "hour"),
        ("en", 0, "hours"),
        ("fr", 0, "heure"),
        ("fr", 2, "heures"),
        ("pl", 1, "godzina"),
        ("pl", 22, "godziny"),
        ("pl", 12, "godzin"),
        ("pl", 100, "godzin"),
        ("nl", 5, "uur"),
        ("sv", 5, "hours"),
    ],
)
def test_counting(language: str, number: int, said: str) -> None:
    """A language counts by its own rule; one that is not there counts in English."""
    assert catalogue(language).ngettext("hour", "hours", number) == said


OWN = b"""
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Invoice"
msgstr "Faktura"

msgid "Invoice %(number)s"
msgstr "Faktura %(number)s"

#, fuzzy
msgid "Amount"
msgstr "Storlek"
"""


def test_a_language_of_ones_own() -> None:
    """A company's catalogue makes a language; what it lacks, or is not sure of, is said in English."""
    swedish = catalogue("sv", OWN)
    assert (swedish.language, swedish.gettext("Invoice"), swedish.gettext("Amount")) == (
        "sv",
        "Faktura",
        "Amount",
    )
    assert swedish.gettext("Invoice %(number)s", number="7") == "Faktura 7"
    assert catalogue("sv").language == "en"


def test_a_word_of_ones_own() -> None:
    """A company's catalogue for a language Billow has changes the words it names, and leaves the others."""
    german = catalogue("de", OWN)
    assert (german.language, german.gettext("Invoice"), german.gettext("Amount")) == (
        "de",
        "Faktura",
        "Betrag",
    )
    assert catalogue("de").gettext("Invoice") == "Rechnung"
    assert catalogue("en", OWN).gettext("Invoice") == "Faktura"


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ('msgid "%(amount)s by %(due_date)s"\nmsgstr "%(sum)s"', "asks for sum; there is amount, due_date"),
        ('msgid "Date"\nmsgstr "%(date)s"', "no place to fill"),
        ('msgid "Date"\nmsgstr "100 %"', "write %% for the sign"),
        ('msgid "Date"\nmsgstr "%s"', "write %% for the sign"),
        ("nonsense", "cannot be read"),
    ],
)
def test_faulty_catalogues(added: str, says: str) -> None:
    """A catalogue that would fail on the day of an invoice is refused when it is read, and told why."""
    with pytest.raises(CatalogueFaulty, match=says):
        read(OWN + added.encode() + b"\n", "sv")


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", OWN.replace(b"(n != 1)", b"(n !! 1)")])
def test_unreadable_catalogues(data: bytes) -> None:
    """What is no text, or has a rule of plurals that is none, is refused in words."""
    with pytest.raises(CatalogueFaulty, match="cannot be read"):
        catalogue("sv", data)


HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset={}\\nPlural-Forms: nplurals={}; plural={};\\n"\n'


@pytest.mark.parametrize(
    ("charset", "forms", "rule", "says"),
    [
        ("UTF-8", "2", "n/0", "plural"),
        ("UTF-8", "2", "n==5 ? n/0 : n!=1", "plural.* 5"),
        ("UTF-8", "2", "n", "plural.* 2"),
        ("UTF-8", "99999999999", "n", "99999999999 forms"),
        ("UTF-8", "2", "__import__('os')", "plural"),
        ("nonsense", "2", "n!=1", "cannot be read"),
    ],
)
def test_hostile_headers(charset: str, forms: str, rule: str, says: str) -> None:
    """A rule for plurals that fails for some number, or a header without sense, is told when the file is read."""
    data = HEAD.format(charset, forms, rule) + '\nmsgid "Invoice"\nmsgstr "Rechnung"\n'
    with pytest.raises(CatalogueFaulty, match=says):
        read(data.encode(), "de")


def test_unknown_language() -> None:
    """A language nobody writes dates in cannot be added."""
    with pytest.raises(CatalogueFaulty, match="'qq' is not a language"):
        catalogue("qq", OWN)
