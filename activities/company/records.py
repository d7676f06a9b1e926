"""Plain data into records; what does not fit is said in plain words, with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from activities.company.problems import KeyPath, did_you_mean
from activities.company.record_shape import Shape
from activities.company.yaml_reader import Document
from billing.complaints import either

Record = TypeVar("Record", bound=BaseModel)

_LIMITS = {
    "greater_than": ("gt", "greater than {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "at most {}"),
}
_KINDS = {
    "string_type": "text",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "dict_type": "keys and values",
    "tuple_type": "a list",
}


def read_record(
    model: type[Record],
    data: Any,
    document: Document,
    path: KeyPath = (),
    *,
    foreign_keys: Mapping[str, str] | None = None,
) -> Record | None:
    """The record that stands at `path` of the document; None if it cannot be one, with every reason noted.

    `foreign_keys` says why a key that this kind of record does not know is out of place.
    """
    shape = Shape(model)
    misread = dict(shape.misread(data))
    for place, message in misread.items():
        document.problems.append(document.problem((*path, *place), message))
    _blanks(shape, document, path, foreign_keys or {})
    record = None
    try:
        record = model.model_validate(data)
    except ValidationError as error:
        told: set[KeyPath] = set()
        for detail in error.errors():
            where = _place(detail["loc"], shape, data)
            if where is None or where in misread or where in told or _follows_from_others(detail):
                continue
            told.add(where)
            written = (*path, *where) in document.lines
            message = _in_words(detail, where, shape, written, foreign_keys or {})
            document.problems.append(document.problem((*path, *where), message))
    return None if misread else record


def _place(loc: tuple[str | int, ...], shape: Shape, data: Any) -> KeyPath | None:
    """Where a complaint belongs; None if it is about another kind of value than the one that stands there.

    Where several kinds may stand, pydantic tries each, complains about all, and names the kind in the place.
    """
    where: list[str | int] = []
    here: Shape | None = shape
    for part in loc:
        if part == "[key]":
            continue
        if here and here.members:
            here = here.of(data)
            if here.members:
                break
            if here.is_list is not ("tuple[" in str(part)):
                return None
            continue
        where.append(part)
        here = here.at((part,)) if here else None
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            data = None
    return tuple(where)


def _blanks(shape: Shape, document: Document, path: KeyPath, foreign_keys: Mapping[str, str]) -> None:
    """Keys without a value are left out of the data, so nobody else would see that they are unknown."""
    for blank in document.blanks:
        where, key = blank[len(path) : -1], str(blank[-1])
        around = shape.at(where) if blank[: len(path)] == path and len(blank) > len(path) else None
        if around and around.forbids(key):
            document.problems.append(document.problem(blank, _unknown_key(key, around, foreign_keys)))
        elif around and around.names_its_own:
            value = around.at((key,))
            message = f"{key!r} has no value; write {key}: {value.in_words if value else '…'}"
            document.problems.append(document.problem(blank, message))


def _follows_from_others(detail: ErrorDetails) -> bool:
    """pydantic calls a list too short when items of it are wrong."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _in_words(
    detail: ErrorDetails, where: KeyPath, shape: Shape, written: bool, foreign_keys: Mapping[str, str]
) -> str:
    kind, here = detail["type"], shape.at(where)
    key = str(where[-1]) if where else ""
    if kind == "missing":
        return (
            f"{key!r} is {'empty' if written else 'missing'}; write {key}: {here.in_words if here else '…'}"
        )
    if kind == "extra_forbidden":
        return _unknown_key(key, shape.at(where[:-1]), foreign_keys)
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if kind in _KINDS and not (here and here.members):
        of_records = here and (item := here.at((0,))) and item.fields
        if kind == "tuple_type" and isinstance(detail["input"], str) and not of_records:
            return f"{detail['input']!r} stands where a list belongs; write [{detail['input']}]"
        expected = here.in_words if here else _KINDS[kind]
        return f"{_what(detail['input'])} stands where {_KINDS[kind]} belongs; write {expected}"
    return _wrong_value(detail, where, here)


def _unknown_key(key: str, around: Shape | None, foreign_keys: Mapping[str, str]) -> str:
    known = list(around.fields) if around else []
    suggestion = did_you_mean(key, known)
    if key in foreign_keys:
        return f"{key!r} has no place here: {foreign_keys[key]}"
    return f"unknown key {key!r}" + (suggestion or f"; remove it, or write one of: {', '.join(known)}")


def _wrong_value(detail: ErrorDetails, where: KeyPath, here: Shape | None) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    several = [member for member in here.members if not member.is_list] if here else []
    if kind in _LIMITS and len(several) < 2:
        key, words = _LIMITS[kind]
        if "levels" in where and key == "ge":
            return f"{given} lies before the due date; a level comes after it, so write 0 or more"
        return f"{given} is out of range; write {words.format(context[key])}"
    if kind in ("enum", "literal_error") and len(several) < 2:
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        suggestion = did_you_mean(str(given), choices)
        return f"{given!r} is not known here" + (suggestion or f"; write {either(choices)}")
    if kind == "too_short":
        return "the list is empty; name at least one"
    if kind == "string_too_short":
        return "is empty; write some text"
    if kind == "string_too_long":
        return f"is too long; write at most {context.get('max_length')} characters"
    expected = here.in_words if here else "a value that fits"
    return f"{_what(given)} does not fit; write {expected}"


def _what(given: Any) -> str:
    if isinstance(given, dict):
        return "a block of keys and values"
    if isinstance(given, list):
        return "a list"
    return "nothing" if given is None else repr(given)
