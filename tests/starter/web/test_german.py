"""A German viewer reads German: no English sentence is left on any page, in any answer, refusal or table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from activities.languages.catalogue import places
from activities.languages.extraction import written
from starter.web.languages import SENTENCES, TRANSLATED
from starter.web.languages.sentences import messages, updated
from starter.web.sentences import patterns
from starter.web.words import words
from tests.browser.test_every_page import pages
from tests.starter.web.conftest import Visitor
from tests.starter.web.furnished import furnish
from tests.starter.web.story import Story
from workers.settings import Settings

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
