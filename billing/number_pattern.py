"""The pattern of a number series: how an issuer's numbers of one kind are written, and in which year they count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from billing.document_kind import DocumentKind, NumberSeries
from billing.errors import NumberingError
from billing.number_limits import LONGEST_REFERENCE, NumberLimit, limit_of
from billing.parties import Issuer

MAX_LENGTH = 16
"""Longest number that follows a prefix: rule 46(b) of India's CGST rules, the strictest known, wherever it goes."""

FOLLOWING_PREFIX: Mapping[NumberSeries, str] = {
    NumberSeries.INVOICE: "{year}-{number:05}",
    NumberSeries.CREDIT_NOTE: "CN{yy}-{number:05}",
    NumberSeries.PRO_FORMA: "PF{yy}-{number:05}",
}
"""What comes after the issuer's `number_prefix` where it has no pattern of its own."""

_TOKEN = re.compile(r"\{year\}|\{yy\}|\{number:0([1-9])\}|.")
_COUNTER = re.compile(r"\{number:0[1-9]\}")
_FULL_DIGITS = 5
_DIGIT = frozenset("0123456789")


@dataclass(frozen=True)
class NumberPattern:
    """A pattern such as `BER-{year}-{number:05}`; `year` is the one in which the fiscal year begins."""

    text: str
    year_starts: int
    limit: NumberLimit
    own: bool

    def number(self, year: int, count: int) -> str:
        """The number of that place in the year. `NumberingError` if it is none that may be given."""
        number = self.written(year, count)
        if not self.own and len(number) > MAX_LENGTH:
            raise NumberingError(
                f"{number} is longer than {MAX_LENGTH} characters; choose a shorter number_prefix"
            )
        if self.own and not self.limit.warning and (reason := self._refused(number)):
            raise NumberingError(f"{reason}; write another pattern into numbers of the issuer")
        return number

    def written(self, year: int, count: int) -> str:
        """The same, whether it may be given or not."""
        return self.text.format(year=f"{year:04d}", yy=f"{year % 100:02d}", number=count)

    def count_of(self, number: str, year: int) -> int | None:
        """Its place in that year; None for a number of another year or pattern."""
        before, _, after = (
            _COUNTER.sub("\0", self.text).format(year=f"{year:04d}", yy=f"{year % 100:02d}").partition("\0")
        )
        counted = number.removeprefix(before).removesuffix(after)
        fits = counted.isdecimal() and counted.isascii() and self.written(year, int(counted)) == number
        return int(counted) if fits else None

    @property
    def highest(self) -> int:
        """The last count of a year that has no more digits than is planned for."""
        return int("9" * max(self._digits, _FULL_DIGITS))

    @property
    def complaint(self) -> str:
        """Why numbers of full length will not do in the country; empty if they will."""
        return self._refused(self.written(2026, self.highest))

    def year_of(self, day: date) -> int:
        """The year a day counts in: the one in which its fiscal year begins."""
        return day.year if day.month >= self.year_starts else day.year - 1

    def begin_of(self, year: int) -> date:
        """The first day that counts in the year."""
        return date(year, self.year_starts, 1)

    def meets(self, other: NumberPattern) -> bool:
        """Whether both can write the same number."""
        ours, theirs = [*self._places()], [*other._places()]
        reached, seen = {(0, 0)}, set[tuple[int, int]]()
        while reached:
            at = reached.pop()
            seen.add(at)
            ways = ((*ours[at[0]], at[0]), (*theirs[at[1]], at[1]))
            (one, again, i), (two, more, j) = ways
            if not one and not two:
                return True
            if one & two:
                steps = {(i + 1, j + 1)}
                steps |= {(i, j + 1)} if again else set()
                steps |= {(i + 1, j)} if more else set()
                reached |= steps - seen
        return False

    @property
    def _digits(self) -> int:
        return next(int(each[1]) for each in _TOKEN.finditer(self.text) if each[1])

    def _refused(self, number: str) -> str:
        if sum(each.isalnum() for each in number) > LONGEST_REFERENCE:
            return f"{number} has more than {LONGEST_REFERENCE} letters and digits: no payment reference (ISO 11649)"
        return self.limit.refuses(number)

    def _places(self) -> Iterator[tuple[frozenset[str], bool]]:
        """By place: the characters that may stand there, and whether it may stand more than once; none at the end."""
        for each in _TOKEN.finditer(self.text):
            if each[1]:
                yield from [(_DIGIT, False)] * (int(each[1]) - 1)
                yield _DIGIT, True
            elif each[0] in ("{year}", "{yy}"):
                yield from [(_DIGIT, False)] * (4 if each[0] == "{year}" else 2)
            else:
                yield frozenset(each[0]), False
        yield frozenset(), False


def pattern_of(issuer: Issuer, kind: DocumentKind = DocumentKind.INVOICE) -> NumberPattern:
    """How the issuer writes the numbers of a kind of document."""
    own = {str(series): text for series, text in issuer.numbers.items()}
    return pattern(issuer.number_prefix, own, issuer.fiscal_year_starts, issuer.address.country, kind.series)


def pattern(
    prefix: str, own: Mapping[str, str], year_starts: int, country: str, series: NumberSeries
) -> NumberPattern:
    """The same, from what a draft has stored of its issuer."""
    text = own.get(series) or prefix + FOLLOWING_PREFIX[series]
    return NumberPattern(text, year_starts, limit_of(country), own=series in own)


def meeting(patterns: Mapping[str, NumberPattern]) -> Iterator[tuple[str, str]]:
    """Pairs of names whose patterns can write the same number, each pair once, in the order given."""
    names = list(patterns)
    for position, name in enumerate(names):
        for before in names[:position]:
            if patterns[before].meets(patterns[name]):
                yield before, name
