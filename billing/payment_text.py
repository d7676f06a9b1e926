"""Invoice numbers in what a payer wrote: however they are spaced, broken over lines, or misread.

Banks cut texts into lines of 27, 35 or 140 characters, wherever that falls. People leave out dashes and prefixes, and
type O for 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_UNSURE = str.maketrans("OIL", "011")
_SHORTEST = 5
"""Letters and digits a number needs to stand for itself: `R7` may be a room."""

_SHORTEST_DIGITS = 6
_PREFIX = re.compile(r"^[A-Z]+")
_MOST_CHARACTERS = 4000


@dataclass(frozen=True)
class Found:
    """A number found in a text; it is `sure` if it stands there as it is, and nothing goes on behind or before it."""

    number: str
    sure: bool


def bare(text: str) -> str:
    """Letters and digits only, in capitals: `ELB-2026/7` is `ELB20267`."""
    return "".join(each for each in text.upper() if each.isascii() and each.isalnum())


def alike(text: str) -> str:
    """The same for all spellings that are easily mistaken: O and 0, I, L and 1."""
    return bare(text).translate(_UNSURE)


def is_distinctive(number: str) -> bool:
    """Whether the number can hardly stand in a text by chance."""
    plain = bare(number)
    return len(plain) >= (_SHORTEST_DIGITS if plain.isdigit() else _SHORTEST)


def without_prefix(number: str) -> str:
    """The number without the letters it begins with, as many payers write it; empty if too little is left."""
    rest = _PREFIX.sub("", bare(number))
    return rest if len(rest) >= _SHORTEST and rest != bare(number) else ""


def found_in(lines: Sequence[str], spellings: Mapping[int, Mapping[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Which spellings stand in the text, each with whether it stands there for itself.

    `spellings` are by length; the keys as `alike` gives them, the values whether they are enough by themselves. Of two
    that begin at one place, the longer one is meant.
    """
    text = "\n".join(lines)[:_MOST_CHARACTERS]
    places = [place for place, each in enumerate(text) if each.isascii() and each.isalnum()]
    plain = "".join(text[place].upper() for place in places)
    folded = plain.translate(_UNSURE)
    lengths, end = sorted(spellings, reverse=True), 0
    for start in range(len(folded)):
        for length in lengths:
            spelling = folded[start : start + length]
            if len(spelling) < length or spelling not in spellings[length]:
                continue
            standing = _standing(text, places[start], places[start + length - 1])
            if standing is None or start + length <= end:
                continue
            end = start + length
            yield plain[start:end], standing
            break


def _standing(text: str, first: int, last: int) -> bool | None:
    """Whether what stands there ends where it seems to; None if it is part of a longer one."""
    before, behind = text[first - 1] if first else " ", text[last + 1] if last + 1 < len(text) else " "
    if (before.isdigit() and text[first].isdigit()) or (behind.isdigit() and text[last].isdigit()):
        return None
    glued = (before.isalpha() and text[first].isalpha()) or (behind.isalpha() and text[last].isalpha())
    goes_on = behind in "\n-/." and text[last].isdigit() and text[last + 2 : last + 3].isdigit()
    return not glued and not goes_on


_FORMS = frozenset(
    [
        *("gmbh", "mbh", "ag", "kg", "kgaa", "ohg", "ug", "gbr", "ev", "eg", "se", "cokg", "gesellschaft"),
        *("ltd", "limited", "plc", "llp", "llc", "inc", "corp", "sas", "sarl", "srl", "spa", "oyj", "aps"),
        *("slu", "sro", "spzoo", "und", "and", "the"),
    ]
)
"""Words of names that many companies have."""


def words_of(name: str) -> frozenset[str]:
    """The words of a name that tell one company from another: no legal forms, nothing of two letters."""
    words = re.findall(r"\w+", name.casefold().replace(".", ""))
    return frozenset(word for word in words if word not in _FORMS and len(word) > 2)


def same_name(one: str, other: str) -> bool:
    """Whether two names may be of one company: all words of the shorter one are in the longer one."""
    left, right = words_of(one), words_of(other)
    return bool(left and right) and (left <= right or right <= left)
