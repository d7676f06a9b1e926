"""A German viewer reads German: no English sentence is left on any page, in any answer, refusal or table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from itertools import zip_longest

import pytest
from babel.messages.catalog import Catalog

from activities.languages.catalogue import places, read
from activities.languages.extraction import written
from starter.web.languages import SENTENCES, TRANSLATED
from starter.web.languages.sentences import updated
from starter.web.sentences import patterns
from starter.web.words import words
from tests.browser.test_every_page import pages
from tests.starter.web.conftest import Visitor
from tests.starter.web.furnished import furnish
from tests.starter.web.story import Story
from workers.settings import Settings

pytestmark = pytest.mark.timeout(400)
"""Hundreds of requests each, which a busy machine takes minutes for."""

_ENGLISH = re.compile(
    r"\b(the|is|are|of|not|with|by|and|for|from|has|have|it|at|no|this|that|to|on|or|be|says|until|asked)\b"
)
"""Words every English sentence has one of, and no German one."""

_DATA = (
    "A title that is as long as titles of projects are",
    "Relaunch of the shop",
    "Platform support",
    "Server operations",
    "Hours in advance",
    "head of finance",
    "asked for",
    "Invoice of ours, no number",
    "the CRM says 8,500.00 EUR, the contract 9,200.00 EUR",
    "The CRM says 8,500.00 EUR, the contract 9,200.00 EUR",
    "is not <active> in the CRM; activate it, or end agreement",
)
"""What people and banks wrote, and findings the test makes up."""


def file_of(language: str) -> Catalog:
    return read((SENTENCES / f"{language}.po").read_bytes(), language)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated(language: str) -> None:
    """Each sentence the code says has its translation, with the places of the English; none is left over."""
    found = file_of(language)
    assert [each.id for each in found if each.id and not each.string] == []
    assert [
        each.id for each in found if each.id and not places(str(each.string)) <= places(str(each.id))
    ] == []
    assert written(updated(language)) == (SENTENCES / f"{language}.po").read_bytes(), "run: make languages"
    assert not found.obsolete


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("a hold must end in the future", "eine Mahnsperre muss in der Zukunft enden"),
        ("A hold must end in the future.", "Eine Mahnsperre muss in der Zukunft enden."),
        ("'R-1' is not on hold", "für „R-1“ gilt keine Mahnsperre"),
        (
            "R-1 is paid: nothing of it is open",
            "R-1 ist bezahlt: nichts davon ist offen",
        ),
        (
            "EUR 1,250.00 received on 2026-11-20 is booked.",
            "1.250,00 EUR vom 20.11.2026 ist gebucht.",
        ),
        (
            "3 approved time entries of project P-7, left over from earlier days and billed along",
            "3 freigegebene Zeiteinträge von Projekt P-7, aus früheren Tagen übrig und mit abgerechnet",
        ),
        ("Tier lead (above EUR 5,000) must agree", "Stufe lead (über 5.000 EUR) muss zustimmen"),
        ("net 14 days · 2 % discount within 7 days", "14 Tage netto · 2 % Skonto innerhalb von 7 Tagen"),
        (
            "S: domestic service in DE, standard rate 19 %, § 12(1) UStG",
            "S: Leistung im Inland in DE, Regelsatz 19 %, § 12(1) UStG",
        ),
        (
            "G: service to a business in US, place of supply there, Art. 8(1) MWSTG",
            "G: Leistung an Unternehmer in US, Leistungsort dort, Art. 8(1) MWSTG",
        ),
        (
            "S: service to a recipient in ON, HST 13 %, s. 165(2) Excise Tax Act",
            "S: Leistung an einen Empfänger in ON, HST 13 %, s. 165(2) Excise Tax Act",
        ),
        (
            "S: from state 27 to state 29, IGST 18 %, s. 5, 7(3) IGST Act 2017",
            "S: vom Bundesstaat 27 in den Bundesstaat 29, IGST 18 %, s. 5, 7(3) IGST Act 2017",
        ),
        (  # the day at the end of the first sentence does not take in the second
            "no GST rate of India is known for 2026-11-01; add it under tax/",
            "zum 01.11.2026 ist kein GST-Satz von Indien bekannt; ergänzen Sie ihn unter tax/",
        ),
        ("a sentence nobody has ever said, 100 % of it", "a sentence nobody has ever said, 100 % of it"),
        ("", ""),
    ],
)
def test_told(english: str, german: str) -> None:
    """A sentence is said with what had been filled in: days, amounts, names and sentences within; or stays as it is."""
    assert words("de-DE").told(english).replace("\u00a0", " ") == german
    assert words("en-GB").told(english) == english


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("CRM 8,500.00 EUR", "CRM 8.500,00 EUR"),
        ("contract 9,200.00 EUR", "Vertrag 9.200,00 EUR"),
        ("value", "Wert"),
        ("net 14 days", "14 Tage netto"),
    ],
)
def test_term(english: str, german: str) -> None:
    """Either side of a difference, its field, or a term: said with its amounts."""
    assert words("de-DE").term(english).replace("\u00a0", " ") == german


@pytest.mark.parametrize(
    ("quantity", "unit", "said"), [("7.5", "HUR", "7,5 Std."), ("1", "C62", "1"), ("2", "XBX", "2 XBX")]
)
def test_quantity(quantity: str, unit: str, said: str) -> None:
    """A quantity has its unit; what is counted by the piece is a mere figure."""
    assert words("de-DE").quantity(Decimal(quantity), unit).replace("\u00a0", " ") == said


@pytest.mark.timeout(30)
def test_hostile_sentences() -> None:
    """What somebody put into a sentence cannot hold the page up, however it repeats the sentence's own words."""
    for text in ("; " * 1500, "R is paid: " * 300, ("%(1)s is " * 400), "a" * 100_000, "'" * 3000):
        assert words("de-DE").told(text) is not None


def test_every_message_finds_itself() -> None:
    """A sentence made from a message is told by that message: none hides behind another that fits as well."""
    said = patterns("de")
    hidden = []
    for each in said:
        text = "".join(
            part
            for pair in zip_longest(each.texts, ("Qx",) * len(each.places), fillvalue="")
            for part in pair
        )
        fits = [other for other in said if other.filled(text) is not None and other.weight > each.weight]
        if fits and fits[0].said != each.said:
            hidden.append((each.texts, fits[0].texts))
    assert hidden == []


class _Texts(HTMLParser):
    """The texts of a page that are in its language, and what stands in for them: titles, labels, placeholders."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        kinds = (known.get("class") or "").split()
        foreign = (
            known.get("lang") == "en" or tag in ("script", "style", "code", "pre", "kbd") or "key" in kinds
        )
        if self._foreign:
            if tag == self._foreign[0]:
                self._foreign.append(tag)
            return
        if foreign and tag not in ("input", "img", "link", "meta", "br"):
            self._foreign = [tag]
            return
        self.found += [
            known[name] or "" for name in ("title", "aria-label", "placeholder") if known.get(name)
        ]

    def handle_endtag(self, tag: str) -> None:
        if self._foreign and tag == self._foreign[-1]:
            self._foreign.pop()

    def handle_data(self, data: str) -> None:
        if not self._foreign and data.strip():
            self.found.append(" ".join(data.split()))


def english(page: str) -> Iterator[str]:
    """The texts of a page that have English words."""
    reader = _Texts()
    reader.feed(page)
    for text in reader.found:
        left = text
        for each in _DATA:
            left = left.replace(each, "")
        if _ENGLISH.search(left):
            yield text


def test_no_english_on_a_german_page(story: Story, settings: Settings, visitor: Visitor) -> None:
    """Every page of a furnished company, as the most powerful of its people sees it in German."""
    furnish(story)
    visitor.sign_in("uma")
    found = []
    for path in pages(story, settings):
        answer = visitor.get(path, headers={"accept-language": "de-DE"})
        if answer.headers.get("content-type", "").startswith("text/html") and path != "/api/v1/docs":
            found += [f"{path}: {text}" for text in english(answer.text)]
    assert not found, "\n".join(found)
