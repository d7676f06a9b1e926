"""Time entries as a PSA exports them: CSV with a header, one entry a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from activities.company.problems import Problem
from activities.company.record_file import unreadable
from activities.company.records import read_record
from activities.company.yaml_reader import Document
from billing.errors import SourceUnavailable
from billing.sources import TimeEntry

COLUMNS = ("id", "project", "person", "role", "day", "hours", "approved", "billable", "note")
_NEEDED = COLUMNS[:6]
_WRITTEN_OUT = len("2026-01-31")


def read_time(path: Path) -> Mapping[str, tuple[TimeEntry, ...]]:
    """The entries by project, each by day and id. One wrong line refuses the file: `SourceUnavailable`."""
    problems: list[Problem] = []
    entries: dict[str, TimeEntry] = {}
    for line, row in _rows(path):
        entry = _entry(line, row, path.name, problems)
        if entry is None:
            continue
        if entry.id in entries:
            problems.append(
                Problem(
                    path.name, line, "id", f"{entry.id!r} stands in an earlier line; remove one of the two"
                )
            )
        entries[entry.id] = entry
    if problems:
        raise unreadable(path, problems)
    by_project: dict[str, list[TimeEntry]] = {}
    for entry in sorted(entries.values(), key=lambda each: (each.day, each.id)):
        by_project.setdefault(entry.project, []).append(entry)
    return {project: tuple(each) for project, each in by_project.items()}


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and columns of each entry, empty columns and empty lines left out."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise unreadable(
            path, [Problem(path.name, line, "", "not UTF-8 text; save the file as UTF-8")]
        ) from error
    except OSError as error:
        raise SourceUnavailable(
            f"{path} cannot be read ({error.strerror}); mend that, then retry the exception"
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        for row in reader:
            if not any(row):
                continue
            if not header:
                header = [each.strip().lower() for each in row]
                _check_header(header, path, reader.line_num)
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
        raise unreadable(
            path, [Problem(path.name, 1, "", f"the file is empty; its first line is {','.join(COLUMNS)}")]
        )


def _check_header(header: list[str], path: Path, line: int) -> None:
    missing = [each for each in _NEEDED if each not in header]
    if missing:
        named = "columns" if len(missing) > 1 else "column"
        message = f"{named} {', '.join(missing)} missing; the first line is {','.join(COLUMNS)}"
        raise unreadable(path, [Problem(path.name, line, "", message)])


def _entry(line: int, row: dict[str, str], file: str, problems: list[Problem]) -> TimeEntry | None:
    # Nearly every line is right; the words for a wrong one are looked for only then: ten times as fast.
    if len(row.get("day", "")) == _WRITTEN_OUT:
        try:
            return TimeEntry.model_validate(row)
        except ValidationError:
            pass
    document = Document(file, lines={(): line, **{(key,): line for key in row}})
    entry = read_record(TimeEntry, row, document)
    problems += document.problems
    return entry
