"""YAML as people mean it: every scalar is its text, every value knows its line.

No scalar is interpreted here: the record it belongs to knows its type. So `17:00` stays a time of day, `NO`
stays Norway, `01067` keeps its zero, and 4.10 never becomes a binary float. An empty value
counts as left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from activities.company.problems import KeyPath, Problem, path_in_words

_DEEPEST, _TOO_DEEP = 20, 200
_STANDARD = "tag:yaml.org,2002:"
_TAGS = frozenset(["str", "int", "float", "bool", "null", "timestamp", "value", "merge", "seq", "map"])

Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_SYNTAX = {
    "mapping values are not allowed": "a second ':' in one value; put the value in quotes",
    "did not find expected key": "a line is indented unlike its neighbours, or a quote is missing; align it",
    "did not find expected '-' indicator": "a key stands among list items; indent it, or begin it with '- '",
    "did not find expected ',' or": "a bracket is opened and not closed; close it",
    "did not find expected node content": "a bracket is opened and not closed, or a comma stands alone",
    "could not find expected ':'": "a key without ':'; write `key: value`",
    "unexpected end of stream": "a quote is opened and not closed; close it",
    "another document": "a second document begins with '---'; write one document a file",
    "cannot start any token": "a value begins with a character YAML reserves (@, % …); put it in quotes",
    "undefined alias": "a value begins with '*'; put it in quotes",
}


@dataclass
class Document:
    """What a file says: plain data (text, lists, mappings), the line of each value, what is broken."""

    file: str
    data: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    names: dict[KeyPath, str] = field(default_factory=dict)
    blanks: list[KeyPath] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    empty: bool = False

    def line(self, path: KeyPath) -> int:
        """The line of the value, or of the nearest thing around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: KeyPath, message: str, *, warning: bool = False) -> Problem:
        """A problem at the key path."""
        return Problem(self.file, self.line(path), path_in_words(path, self.names), message, warning)


def read_document(path: Path, file: str) -> Document:
    """Reads a YAML or JSON file, called `file` in problems. Never raises for what stands in it."""
    document = Document(file)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        document.problems.append(Problem(file, line, "", "not UTF-8 text; save the file as UTF-8"))
    except OSError as error:
        document.problems.append(Problem(file, 1, "", f"cannot be read: {error.strerror or error}"))
    else:
        _read_text(text, document)
    return document


def _abyss(text: str) -> int | None:
    """The line of nesting so deep that the parser, which recurses in C, would take the process down."""
    depth = 0
    for found in re.finditer(r"[][{}]|(?:[-?:][ \t]+){200}", text):
        depth = max(0, depth + {"[": 1, "{": 1, "]": -1, "}": -1}.get(found.group(), _TOO_DEEP))
        if depth >= _TOO_DEEP:
            return text.count("\n", 0, found.start()) + 1
    return None


def _read_text(text: str, document: Document) -> None:
    if line := _abyss(text):
        document.problems.append(
            Problem(document.file, line, "", "nested too deeply; no record is that deep")
        )
        return
    as_json = text.lstrip().startswith("{")
    try:
        if as_json:
            document.data = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
            text = text.replace("\t", " ")
        node = yaml.compose(text, Loader=Loader)
    except json.JSONDecodeError as error:
        document.problems.append(Problem(document.file, error.lineno, "", f"broken JSON: {error.msg}"))
    except yaml.YAMLError as error:
        if document.data is None:
            document.problems.append(_broken(error, text, document.file))
    else:
        document.empty = node is None
        data = None if node is None else _Conversion(document).value(node, ())
        document.data = document.data if as_json else data


def _broken(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """PyYAML's complaint in the words of the person who wrote the file."""
    control = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if control:
        line = text[: control.start()].count("\n") + 1
        return Problem(file, line, "", f"unprintable character {control.group()!r}; delete it")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    rows = text.splitlines()
    line = max(1, min(line, len(rows)))
    row = rows[line - 1] if rows else ""
    if "\t" in row[: len(row) - len(row.lstrip())]:
        return Problem(file, line, "", "the line is indented by a tab; use spaces")
    said = str(getattr(error, "problem", None) or error)
    opened = getattr(error, "context_mark", None)
    if opened and opened.line + 1 < line and ("',' or" in said or "end of stream" in said):
        line = opened.line + 1
    meaning = next((words for key, words in _SYNTAX.items() if key in said), said)
    return Problem(file, line, "", f"broken YAML: {meaning}")


class _Conversion:
    """Turns the nodes of one document into plain data."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        if node.tag.removeprefix(_STANDARD) not in _TAGS:
            self._note(path, f"the tag {node.tag} is not read; write the plain value")
            return None
        if len(path) > _DEEPEST:
            self._note(path[:2], "nested too deeply; no record is that deep")
            return None
        if isinstance(node, yaml.ScalarNode):
            return None if node.tag == _STANDARD + "null" else node.value
        if id(node) in self._seen:
            self._note(path, "an alias (*) repeats a value from elsewhere; write the value out")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, position)) for position, item in enumerate(node.value)]
        return self._mapping(node, path) if isinstance(node, yaml.MappingNode) else None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._note(path, "a key must be one word", line)
                continue
            key = key_node.value
            if key in first:
                again = f"stands here a second time (first on line {first[key]}); remove one of the two"
                self._note((*path, key), f"{key!r} {again}", line)
                continue
            first[key] = line
            self._document.lines[(*path, key)] = line
            value = self.value(value_node, (*path, key))
            if value is not None:
                data[key] = value
            else:
                self._blank((*path, key), in_braces=bool(node.flow_style) and not value_node.value)
            if key in ("id", "number") and isinstance(value, str) and path and isinstance(path[-1], int):
                self._document.names[path] = value
        return data

    def _blank(self, path: KeyPath, *, in_braces: bool) -> None:
        self._document.blanks.append(path)
        # {value: 9.200,00} is the value 9.200 and a key 00: at its word, an amount would be a thousandth.
        if in_braces:
            advice = "between braces a comma begins the next key; write figures as 9200.00, text in quotes"
            self._note(path, f"{path[-1]!r} has no value: {advice}")

    def _note(self, path: KeyPath, message: str, line: int | None = None) -> None:
        where = path_in_words(path, self._document.names)
        at = self._document.line(path) if line is None else line
        self._document.problems.append(Problem(self._document.file, at, where, message))
