"""Reading page by page, whole or not at all: bounded, and begun again where records came or went meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from billing.errors import SourceFaulty, SourceUnavailable

Record = Mapping[str, Any]

MOST_PAGES = 2000
"""More than any question has an answer for: a hundred records a page make two hundred thousand."""

_TRIES = 3


@dataclass(frozen=True)
class Page:
    """Records, and how many there are in all."""

    records: Sequence[Record]
    total: int


def counted(what: str, read: Callable[[int], Page], identity: Callable[[Record], str]) -> tuple[Record, ...]:
    """Every record, where each page says how many there are; `read` gets how many were read before.

    `SourceUnavailable` if they change faster than they can be read, `SourceFaulty` if they never end.
    """
    for _ in range(_TRIES):
        if (found := _once(what, read, identity)) is not None:
            return found
    raise SourceUnavailable(f"{what} change while they are read; they are read again later")


def _once(
    what: str, read: Callable[[int], Page], identity: Callable[[Record], str]
) -> tuple[Record, ...] | None:
    found: dict[str, Record] = {}
    first: int | None = None
    for _ in range(MOST_PAGES):
        page = read(len(found))
        first = page.total if first is None else first
        known = len(found)
        found |= {identity(each): each for each in page.records}
        if page.total != first or len(found) != known + len(page.records):
            return None
        if len(found) >= first:
            return tuple(found.values()) if len(found) == first else None
        if not page.records:
            return None
    raise endless(what)


def by_token(
    what: str,
    read: Callable[[str | None], tuple[Sequence[Record], str | None]],
    identity: Callable[[Record], str],
) -> tuple[Record, ...]:
    """Every record, where each page names the next one. `SourceFaulty` if they never end."""
    found: dict[str, Record] = {}
    token: str | None = None
    seen: set[str | None] = {None}
    for _ in range(MOST_PAGES):
        records, token = read(token)
        found |= {identity(each): each for each in records}
        if not token:
            return tuple(found.values())
        if token in seen:
            raise endless(what)
        seen.add(token)
    raise endless(what)


def endless(what: str) -> SourceFaulty:
    """The error about pages that never end."""
    return SourceFaulty(
        f"{what} come page after page without an end; ask the vendor, nothing is read of them"
    )


def listed(answer: Any, key: str, what: str) -> list[Record]:
    """The list of records in an answer. `SourceFaulty` if there is none, or something else stands in it."""
    found = answer.get(key) if isinstance(answer, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise SourceFaulty(
            f"{what}: the answer has no list {key!r} of records; check base_url in integrations.yaml"
        )
    return found


def count(answer: Mapping[str, Any], key: str, what: str) -> int:
    """How many records there are, as the answer says. `SourceFaulty` if it does not."""
    number = answer.get(key)
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise SourceFaulty(f"{what}: field {key!r} is {str(number)[:60]!r}, not a count of records")
    return number
