"""Pages: all of them, each record once, begun again where something came between, and never without an end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from activities.providers import paging
from activities.providers.paging import Page, Record, by_token, count, counted, listed
from billing.errors import SourceFaulty, SourceUnavailable


def identity(record: Record) -> str:
    return str(record["id"])


def records(*ids: int) -> list[dict[str, int]]:
    return [{"id": each} for each in ids]


class Pages:
    """Two records a page; before the page with that number, `happens` may change what there is."""

    def __init__(self, ids: Sequence[int], happens: dict[int, Sequence[int]] | None = None) -> None:
        self.ids, self.happens, self.read = list(ids), happens or {}, 0

    def __call__(self, offset: int) -> Page:
        self.read += 1
        self.ids = list(self.happens.get(self.read, self.ids))
        return Page(records(*self.ids[offset : offset + 2]), len(self.ids))


@pytest.mark.parametrize("ids", [[], [1], [1, 2], [1, 2, 3], list(range(11))])
def test_all(ids: list[int]) -> None:
    """None, one, a full page, and more."""
    assert counted("records", Pages(ids), identity) == tuple(records(*ids))


@pytest.mark.parametrize(
    "after",
    [[0, 1, 2, 3, 4], [1, 2, 3], [2, 3, 4, 5], [5, 1, 2, 3]],
    ids=["one came", "one went", "the first went and one came", "one came in front and the last went"],
)
def test_changed_meanwhile(after: list[int]) -> None:
    """What changes while it is read is read again from the start, so nothing is missed or doubled."""
    found = counted("records", Pages([1, 2, 3, 4], {2: after}), identity)
    assert [each["id"] for each in found] in (after, [1, 2, 4, 5])
    assert len(found) == len(after)


def test_changes_without_end() -> None:
    """What changes faster than it can be read is asked for later."""
    grows: dict[int, Sequence[int]] = {n: range(n + 3) for n in range(1, 99)}
    with pytest.raises(SourceUnavailable, match="change while they are read") as raised:
        counted("entries", Pages([1, 2, 3], grows), identity)
    assert not isinstance(raised.value, SourceFaulty)


def test_part_of_an_answer() -> None:
    """Fewer records than were promised are no answer."""
    with pytest.raises(SourceUnavailable):
        counted("entries", lambda offset: Page(records(1) if offset == 0 else [], 3), identity)


def test_the_same_page_for_ever() -> None:
    """A vendor that forgets which page was asked for is found out."""
    with pytest.raises(SourceUnavailable):
        counted("entries", lambda _: Page(records(1, 2), 10**9), identity)


@pytest.mark.parametrize(
    ("token_after", "pages"),
    [(lambda _: "again", 2), (lambda n: "ab"[n % 2], 3), (str, 50)],
    ids=["the same token", "tokens in a circle", "always another token"],
)
def test_tokens_without_end(
    token_after: Callable[[int], str], pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that never end are given up: at once where they go round, else by a bound."""
    monkeypatch.setattr(paging, "MOST_PAGES", 50)
    read: list[str | None] = []

    def page(token: str | None) -> tuple[Sequence[Record], str | None]:
        read.append(token)
        return records(len(read)), token_after(len(read))

    with pytest.raises(SourceFaulty, match="entries come page after page without an end"):
        by_token("entries", page, identity)
    assert len(read) == pages


def test_pages_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """New records for ever: as many pages as the bound, then it is told."""
    monkeypatch.setattr(paging, "MOST_PAGES", 50)
    with pytest.raises(SourceFaulty, match="without an end"):
        counted("entries", lambda offset: Page(records(offset), 10**9), identity)


@pytest.mark.parametrize("answer", [None, [], {}, {"items": None}, {"items": {}}, {"items": [1]}, "text"])
def test_no_list(answer: Any) -> None:
    """An answer of another form is refused by the name of the list."""
    with pytest.raises(SourceFaulty, match="no list 'items'"):
        listed(answer, "items", "entries")


@pytest.mark.parametrize("number", [None, "3", -1, True, 1.5])
def test_no_count(number: object) -> None:
    """A count that is none is refused."""
    with pytest.raises(SourceFaulty, match="'total' is"):
        count({"total": number}, "total", "entries")
