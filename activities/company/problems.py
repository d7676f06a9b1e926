"""What is wrong in a file people write, and where: told all at once, each with what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of a file down to a value."""


@dataclass(frozen=True, order=True)
class Problem:
    """Something to repair; a warning lets the folder through, an error does not.

    `file` is relative to the folder read, `line` counts from 1, `where` is the key path in words, and
    `message` says what is wrong and what to write instead.
    """

    file: str
    line: int
    where: str
    message: str
    warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.warning else ""
        place = f"{self.file}:{self.line}: {kind}"
        return place + (f"{self.where}: {self.message}" if self.where else self.message)


def errors(problems: list[Problem]) -> list[Problem]:
    """The problems that are not warnings."""
    return [problem for problem in problems if not problem.warning]


def did_you_mean(word: str, known: list[str]) -> str:
    """`; did you mean 'x'?` when something known resembles the word, else nothing."""
    lower = {each.lower(): each for each in reversed(known)}
    close = get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return f"; did you mean {lower[close[0]]!r}?" if close else ""


def path_in_words(path: KeyPath, names: dict[KeyPath, str] | None = None) -> str:
    """`quickstep.terms.net_days`: a list position is told by the id of its record where it has one."""
    words = ""
    for depth, part in enumerate(path, start=1):
        name = (names or {}).get(path[:depth])
        if name is None and isinstance(part, int):
            words += f"[{part + 1}]"
        else:
            words += ("." if words else "") + (name or str(part))
    return words
