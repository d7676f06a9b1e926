"""What rules and commands said in English, said in a viewer's language: refusals, reasons, answers, findings.

A rule says one sentence, with what it is about filled in; the ledger, its audit trail and the logs keep it in English.
A page finds the message it was made from in the catalogue `starter/web/languages/said`, takes out of it what had been
filled in, and says the message of the other language with it: days, amounts and states as the page has them, sentences
within the sentence in the same way. What no message fits stays as it is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from activities.languages.catalogue import read
from starter.web.languages import SENTENCES

_PLACE = re.compile(r"%\((\w+)\)s")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2}) to (\d{4}-\d{2}-\d{2})")
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})")
_AMOUNT = re.compile(r"([A-Z]{3})[ \u00a0](-?[\d,]+(?:\.\d+)?)|(-?[\d,]+(?:\.\d+)?)[ \u00a0]([A-Z]{3})")
_WITHIN = re.compile(r"(?<![\w/-])(?:\d{4}-\d{2}-\d{2}|(?:\d{1,3},)*\d{1,3}\.\d{2,3} [A-Z]{3})(?![\w/-])")
_FIGURE = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?|-?\d+\.\d+")
_APART = re.compile(r"[ ,;:(]")
_BETWEEN = ("; ", " · ")
_LONGEST = 4000
_DEEPEST = 4


class Pattern(NamedTuple):
    """A message taken apart: the texts between its places (one more than there are places), and what says it."""

    texts: tuple[str, ...]
    places: tuple[str, ...]
    said: str

    @property
    def weight(self) -> int:
        """How many letters are sure."""
        return sum(map(len, self.texts))

    def filled(self, text: str) -> dict[str, str] | None:
        """What stands in the places, if the text was made from this message; its time is linear."""
        first, *between = self.texts
        if not between:
            return {} if text == first else None
        last = between.pop()
        end = len(text) - len(last)
        if not text.startswith(first) or not text.endswith(last) or end < len(first):
            return None
        at, found = len(first), []
        for each in between:
            here = text.find(each, at, end) if each else _next_piece(text, at, end)
            if here < 0:
                return None
            found.append(text[at:here])
            at = here + len(each)
        return dict(zip(self.places, [*found, text[at:end]], strict=True))


def _next_piece(text: str, at: int, end: int) -> int:
    """Where the first of two places without a text between them ends: at the blank or mark the next begins with."""
    found = _APART.search(text, at, end)
    return found.start() if found else end


class Ways(NamedTuple):
    """How a language says what stands in the places of a sentence."""

    day: Callable[[date], str]
    money: Callable[[Decimal, str], str]
    figure: Callable[[Decimal], str]
    word: Callable[[str], str | None]
    """A state, code or role; None for what is none."""
    quoted: str


class Sentences:
    """The sentences of one language. Safe to use from several threads."""

    def __init__(self, language: str, ways: Ways) -> None:
        self._ways = ways
        self._exact: dict[str, str] = {}
        self._by_start: dict[str, list[Pattern]] = defaultdict(list)
        for pattern in patterns(language):
            if pattern.places:
                self._by_start[pattern.texts[0][:1].lower()].append(pattern)
            else:
                self._exact[_low(pattern.texts[0])] = pattern.said

    @lru_cache(maxsize=8192)  # noqa: B019  the sentences of a language live as long as the process
    def told(self, text: str) -> str:
        """The sentence in this language, beginning with a capital letter where it did; as it is if none fits."""
        if len(text) > _LONGEST:
            return text
        said = self._told(text, 0)
        return said[:1].upper() + said[1:] if text[:1].isupper() else said

    def piece(self, text: str) -> str:
        """The same of what may be a mere day, amount, figure or state, or a system and what it says of an amount."""
        return self._filled(text[:_LONGEST], 1)

    def _told(self, text: str, depth: int) -> str:
        if not text.strip() or depth > _DEEPEST:
            return text
        value = self._value(text) if depth else None
        return (
            value
            or self._parts(text, depth, whole=True)
            or self._sentence(text, depth)
            or self._parts(text, depth)
            or text
        )

    def _sentence(self, text: str, depth: int) -> str | None:
        if (exact := self._exact.get(_low(text))) is not None:
            return exact
        for candidate in (text, _low(text), text[:1].upper() + text[1:]):
            starts = {candidate[:1].lower(), ""}
            found = [
                (pattern, filled)
                for start in starts
                for pattern in self._by_start.get(start, ())
                if (filled := pattern.filled(candidate)) is not None
            ]
            if found:
                pattern, filled = max(found, key=lambda each: each[0].weight)
                return pattern.said % {name: self._filled(value, depth + 1) for name, value in filled.items()}
        return None

    def _filled(self, text: str, depth: int) -> str:
        """What stands in a place; of what no message fits at least the days and amounts."""
        said = self._told(text, depth)
        if said != text:
            return said
        kind, _, rest = text.partition(" ")
        if _AMOUNT.fullmatch(rest):
            return f"{self._ways.word(kind) or kind} {self._value(rest)}"
        return _WITHIN.sub(lambda found: self._value(found[0]) or found[0], text)

    def _parts(self, text: str, depth: int, *, whole: bool = False) -> str | None:
        """Several sentences in one line, each on its own; or one that ends with a full stop here and not there.

        The `whole` only if a message fits each of them: a place at the end of the first would take in all the others.
        """
        for mark in _BETWEEN:
            if mark in text:
                parts = text.split(mark)
                told = [self._told(each, depth + 1) for each in parts]
                return None if whole and any(map(str.__eq__, parts, told)) else mark.join(told)
        if whole:
            return None
        if text.endswith(".") and not text.endswith(" ."):
            said = self._told(text[:-1], depth + 1)
            return said + "." if said != text[:-1] else None
        return None

    def _value(self, text: str) -> str | None:
        if len(text) > 2 and text[0] == text[-1] == "'":
            return self._ways.quoted % text[1:-1]
        if _DAY.fullmatch(text):
            return self._day(text)
        if days := _DAYS.fullmatch(text):
            return f"{self._day(days[1])} – {self._day(days[2])}"
        if instant := _INSTANT.fullmatch(text):
            return f"{self._day(instant[1])}, {instant[2]}"
        if amount := _AMOUNT.fullmatch(text):
            before, first, second, after = amount.groups()
            return self._ways.money(Decimal((first or second).replace(",", "")), before or after)
        if _FIGURE.fullmatch(text):
            return self._ways.figure(Decimal(text.replace(",", "")))
        return self._ways.word(text)

    def _day(self, text: str) -> str:
        try:
            return self._ways.day(date.fromisoformat(text))
        except ValueError:
            return text


@lru_cache
def patterns(language: str) -> tuple[Pattern, ...]:
    """The messages of a language that are translated, those with the most sure letters first."""
    path = SENTENCES / f"{language}.po"
    if not path.exists():
        return ()
    found = [
        _pattern(each.id, each.string)
        for each in read(path.read_bytes(), language)
        if isinstance(each.id, str) and each.id and isinstance(each.string, str) and each.string
    ]
    return tuple(sorted(found, key=lambda each: -each.weight))


def _pattern(message: str, said: str) -> Pattern:
    parts = _PLACE.split(message)
    texts = tuple(each.replace("%%", "%") for each in parts[::2])
    return Pattern(texts, tuple(parts[1::2]), said if parts[1::2] else said.replace("%%", "%"))


def _low(text: str) -> str:
    return text[:1].lower() + text[1:]
