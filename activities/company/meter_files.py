"""Files of meter entries: CSV with a header, or a JSON or YAML list."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from activities.company.problems import Problem, did_you_mean
from activities.company.records import read_record
from activities.company.yaml_reader import Document, read_document
from billing.meter_entries import MeterEntry

COLUMNS = tuple(MeterEntry.model_fields)
_NEEDED = ("source", "id", "agreement", "day", "quantity")
_WRITTEN_OUT = len("2026-01-31")
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True)
class MeterFile:
    """The entries of a file with the line of each, and everything that is wrong in it."""

    entries: list[MeterEntry]
    lines: list[int]
    problems: list[Problem]


def read_meter_file(path: Path) -> MeterFile:
    """The entries of a file: `.csv`, else JSON or YAML. Never raises for what stands in it."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return MeterFile([], [], [Problem(path.name, line, "", "not UTF-8 text; save the file as UTF-8")])
    except OSError as error:
        return MeterFile([], [], [Problem(path.name, 1, "", f"cannot be read: {error.strerror or error}")])
    read = _csv(text, path.name) if path.suffix.lower() == ".csv" else _list(text, path)
    if not read.entries and not read.problems:
        read.problems.append(Problem(path.name, 1, "", "there is no entry in the file"))
    _check_twice(read, path.name)
    return read


def _csv(text: str, file: str) -> MeterFile:
    read = MeterFile([], [], [])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        for row in reader:
            line = reader.line_num
            if not any(map(str.strip, row)):
                continue
            if not header:
                header = [each.strip().lower() for each in row]
                read.problems.extend(_header_problems(header, file, line))
                if read.problems:
                    break
            elif len(row) != len(header):
                message = f"{len(row)} columns where the header has {len(header)}; complete the line"
                read.problems.append(Problem(file, line, "", message))
            else:
                values = zip(header, map(str.strip, row), strict=True)
                _add(read, {key: value for key, value in values if value}, file, line)
    except csv.Error as error:
        message = f"broken CSV ({error}); close every quote that is opened"
        read.problems.append(Problem(file, reader.line_num, "", message))
    if not header:
        read.problems.append(
            Problem(file, 1, "", f"the file is empty; its first line is {','.join(COLUMNS)}")
        )
    return read


def _header_problems(header: list[str], file: str, line: int) -> list[Problem]:
    missing = [each for each in _NEEDED if each not in header]
    unknown = [each for each in header if each not in COLUMNS]
    twice = sorted({each for each in header if header.count(each) > 1})
    said = []
    if missing:
        columns = "columns" if len(missing) > 1 else "column"
        said.append(f"{columns} {', '.join(missing)} missing; there can be {','.join(COLUMNS)}")
    said += [
        f"there is no column {each!r}" + (did_you_mean(each, list(COLUMNS)) or "; remove it")
        for each in unknown
    ]
    said += [f"column {each!r} stands there twice; remove one of the two" for each in twice]
    return [Problem(file, line, "", each) for each in said]


def _add(read: MeterFile, row: dict[str, str], file: str, line: int) -> None:
    entry = None
    # Nearly every line is right; the words for a wrong one are looked for only then: ten times as fast.
    if len(row.get("day", "")) in (0, _WRITTEN_OUT):
        try:
            entry = MeterEntry.model_validate(row)
        except ValidationError:
            entry = None
    if entry is None:
        document = Document(file, lines={(): line, **{(key,): line for key in row}})
        entry = read_record(MeterEntry, row, document)
        read.problems.extend(document.problems)
    if entry is not None:
        read.entries.append(entry)
        read.lines.append(line)


def _list(text: str, path: Path) -> MeterFile:
    """Nearly always all is right, and JSON; the slow reader, which explains what is wrong, is asked only if not."""
    try:
        rows = [*_json_rows(text)]
        entries = [MeterEntry.model_validate(row) for _, row in rows]
    except (ValueError, RecursionError):
        return _with_lines(path)
    return MeterFile(entries, [line for line, _ in rows], [])


def _json_rows(text: str) -> Iterator[tuple[int, Any]]:
    """The elements of a JSON list with their lines. `ValueError` if it is none."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
    at, line, expected = 0, 1, "["
    while True:
        begin = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # matches nothing, too
        if text[begin : begin + 1] == "]" and expected == ",":
            return
        if text[begin : begin + 1] != expected:
            raise ValueError(expected)
        begin = _SPACE.match(text, begin + 1).end()  # type: ignore[union-attr]
        line += text.count("\n", at, begin)
        row, at = decoder.raw_decode(text, begin)
        yield line, row
        line += text.count("\n", begin, at)
        expected = ","


def _with_lines(path: Path) -> MeterFile:
    document = read_document(path, path.name)
    rows: list[Any] = document.data if isinstance(document.data, list) else []
    if not rows and not document.problems:
        document.problems.append(
            document.problem((), "the file must be one list of entries: begin it with [ or '- '")
        )
    read = MeterFile([], [], [])
    for position, row in enumerate(rows):
        entry = read_record(MeterEntry, row, document, (position,))
        if entry is not None:
            read.entries.append(entry)
            read.lines.append(document.line((position,)))
    read.problems.extend(document.problems)
    return read


def _check_twice(read: MeterFile, file: str) -> None:
    """Two lines about one entry need revisions, or nobody knows which of them counts."""
    revisions: dict[tuple[str, str], list[int | None]] = {}
    for entry, line in zip(read.entries, read.lines, strict=True):
        before = revisions.setdefault((entry.source, entry.id), [])
        if before and (entry.revision in before or None in (entry.revision, *before)):
            message = f"entry {entry.id!r} of {entry.source} stands in an earlier line; remove one of the two"
            read.problems.append(Problem(file, line, "id", f"{message}, or give each a revision"))
        before.append(entry.revision)
