"""Records of a project as a PSA exports them: CSV with a header, one record a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from activities.company.problems import Problem
from activities.company.record_file import unreadable
from activities.company.records import read_record
from activities.company.yaml_reader import Document
from billing.errors import SourceUnavailable
from billing.sources import Expense, TimeEntry

Record = TypeVar("Record", TimeEntry, Expense)
_WRITTEN_OUT = len("2026-01-31")


@dataclass(frozen=True)
class Table(Generic[Record]):
    """A kind of CSV file: what a line is, the columns it is written with, and those it must have."""

    record: type[Record]
    columns: tuple[str, ...]
    needed: tuple[str, ...]

    @property
    def header(self) -> str:
        return ",".join(self.columns)


def csv_records(table: Table[Record]) -> Callable[[Path], Mapping[str, tuple[Record, ...]]]:
    """A reader of such a file: the records by project, each by day and id.

    One wrong line refuses the file: `SourceUnavailable` naming each line.
    """

    def read(path: Path) -> Mapping[str, tuple[Record, ...]]:
        problems: list[Problem] = []
        found: dict[str, Record] = {}
        for line, row in _rows(path, table):
            record = _record(line, row, path.name, table, problems)
            if record is None:
                continue
            if record.id in found:
                message = f"{record.id!r} stands in an earlier line; remove one of the two"
                problems.append(Problem(path.name, line, "id", message))
            found[record.id] = record
        if problems:
            raise unreadable(path, problems)
        by_project: dict[str, list[Record]] = {}
        for record in sorted(found.values(), key=lambda each: (each.day, each.id)):
            by_project.setdefault(record.project, []).append(record)
        return {project: tuple(each) for project, each in by_project.items()}

    return read


def _rows(path: Path, table: Table[Record]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and columns of each record, empty columns and empty lines left out."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise unreadable(
            path, [Problem(path.name, line, "", "not UTF-8 text; save the file as UTF-8")]
        ) from error
    except OSError as error:
        raise SourceUnavailable(
            f"{path} cannot be read ({error.strerror}); mend that, then try again"
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        for row in reader:
            if not any(row):
                continue
            if not header:
                header = [each.strip().lower() for each in row]
                _check_header(header, path, reader.line_num, table)
            elif len(row) != len(header):
                message = f"{len(row)} columns where the header has {len(header)}; complete the line"
                raise unreadable(path, [Problem(path.name, reader.line_num, "", message)])
            else:
                values = zip(header, map(str.strip, row), strict=True)
                yield reader.line_num, {key: value for key, value in values if value}
    except csv.Error as error:
        problem = Problem(
            path.name, reader.line_num, "", f"broken CSV ({error}); close every quote that is opened"
        )
        raise unreadable(path, [problem]) from error
    if not header:
        message = f"the file is empty; its first line is {table.header}"
        raise unreadable(path, [Problem(path.name, 1, "", message)])


def _check_header(header: list[str], path: Path, line: int, table: Table[Record]) -> None:
    missing = [each for each in table.needed if each not in header]
    twice = sorted({each for each in header if each and header.count(each) > 1})
    if missing:
        named = "columns" if len(missing) > 1 else "column"
        message = f"{named} {', '.join(missing)} missing; the first line is {table.header}"
    elif twice:
        message = f"column {', '.join(twice)} stands there twice; remove one of the two"
    else:
        return
    raise unreadable(path, [Problem(path.name, line, "", message)])


def _record(
    line: int, row: dict[str, str], file: str, table: Table[Record], problems: list[Problem]
) -> Record | None:
    # Nearly every line is right; the words for a wrong one are looked for only then: ten times as fast.
    if len(row.get("day", "")) == _WRITTEN_OUT:
        try:
            return table.record.model_validate(row)
        except ValidationError:
            pass
    document = Document(file, lines={(): line, **{(key,): line for key in row}})
    record = read_record(table.record, row, document)
    problems += document.problems
    return record
