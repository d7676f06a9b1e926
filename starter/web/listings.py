"""Lists that are in memory, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    """Something with an id."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Named)


def page_of(found: Sequence[Row], after: str, rows: int) -> tuple[list[Row], str]:
    """Those behind the id `after`, of a list in order of ids, and the id the next page is behind; empty at the end."""
    behind = [each for each in found if each.id > after]
    return behind[:rows], behind[rows - 1].id if len(behind) > rows else ""
