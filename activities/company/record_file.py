"""Files that people edit while Billow runs: read afresh whenever they changed, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from activities.company.problems import Problem
from activities.company.records import read_record
from activities.company.yaml_reader import read_document
from billing.errors import SourceUnavailable

Content = TypeVar("Content")
Record = TypeVar("Record", bound=BaseModel)
_SHOWN = 3

_SETTLED_NS = 20_000_000
"""A file written less than 20 ms ago may be written again within the same tick of the file system's clock."""


class WatchedFile(Generic[Content]):
    """A file and what was read from it; read again once time or size have changed. Safe between threads."""

    def __init__(self, path: Path, read: Callable[[Path], Content]) -> None:
        self._path, self._read = path, read
        self._kept: tuple[tuple[int, int, int], Content] | None = None

    def content(self) -> Content:
        """What stands in the file now. Raises `SourceUnavailable`."""
        try:
            status = self._path.stat()
        except OSError as error:
            raise SourceUnavailable(
                f"{self._path} cannot be read ({error.strerror}); put the file there, then try again"
            ) from error
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        kept = self._kept
        if kept is None or kept[0] != stamp:
            kept = (stamp, self._read(self._path))
            settled = abs(time.time_ns() - status.st_mtime_ns) > _SETTLED_NS
            self._kept = kept if settled else None
        return kept[1]


def yaml_records(model: type[Record], key: Callable[[Record], str]) -> Callable[[Path], Mapping[str, Record]]:
    """A reader of a YAML list of such records, by their key; what is wrong raises `SourceUnavailable`."""

    def read(path: Path) -> Mapping[str, Record]:
        document = read_document(path, path.name)
        if document.empty:
            document.problems.append(
                document.problem((), "the file is empty; write [] if there is nothing in it")
            )
        elif not isinstance(document.data, list) and not document.problems:
            document.problems.append(
                document.problem((), "the file must be one list: begin each record with '- id: '")
            )
        found: dict[str, Record] = {}
        for position, row in enumerate(document.data if isinstance(document.data, list) else []):
            record = read_record(model, row, document, (position,))
            if record is None:
                continue
            if key(record) in found:
                message = f"{key(record)!r} stands here a second time; remove one of the two"
                document.problems.append(document.problem((position, "id"), message))
            found[key(record)] = record
        if document.problems:
            raise unreadable(path, document.problems)
        return found

    return read


def unreadable(path: Path, problems: list[Problem]) -> SourceUnavailable:
    """The first problems of a file as one error a person can act on."""
    said = "; ".join(
        f"line {each.line}: " + (f"{each.where}: {each.message}" if each.where else each.message)
        for each in sorted(problems)[:_SHOWN]
    )
    more = len(problems) - _SHOWN
    rest = f"; and {more} more" if more > 0 else ""
    return SourceUnavailable(f"{path} cannot be used: {said}{rest}. Correct the file, then try again")
