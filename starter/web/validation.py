"""What is wrong with what a program sent, in our own words: stable, without anything of what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

MOST = 20
"""Faults that are named; whoever sent more has a fault of another kind."""

_WORDS: Mapping[str, str] = {
    "missing": "This is missing.",
    "extra_forbidden": "There is nothing of this name here.",
    "json_invalid": "This is not JSON.",
    "string_type": "This must be text.",
    "string_pattern_mismatch": "This is not written as it must be.",
    "string_unicode": "This is not text in UTF-8.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "none_required": "This must be null.",
    "dict_type": "This must be an object.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "dataclass_type": "This must be an object.",
    "mapping_type": "This must be an object.",
    "list_type": "This must be a list.",
    "tuple_type": "This must be a list.",
    "set_type": "This must be a list.",
    "recursion_loop": "This is nested too deeply.",
    "union_tag_not_found": "This does not say of which kind it is.",
    "union_tag_invalid": "There is no such kind.",
    "timezone_aware": "Write the offset from UTC, as in 2026-11-30T10:00:00Z.",
    "decimal_max_digits": "This has too many digits.",
    "decimal_max_places": "This has too many decimals.",
    "decimal_whole_digits": "This has too many digits before the point.",
    "finite_number": "This must be a finite number.",
}
_BEGINNINGS: Sequence[tuple[str, str]] = (
    ("int", "This must be a whole number, not too large."),
    ("float", "This must be a number."),
    ("decimal", "This must be a decimal figure such as 1234.56."),
    ("datetime", "This must be an instant such as 2026-11-30T10:00:00Z."),
    ("date", "This must be a day such as 2026-11-30."),
    ("time", "This must be a time of day such as 10:00:00."),
    ("url", "This must be a web address."),
    ("union", "This is of none of the kinds it may be."),
)
_LIMITS: Mapping[str, str] = {
    "too_long": "There are too many of these: {max_length} at most.",
    "too_short": "There are too few of these: {min_length} at least.",
    "string_too_long": "This is too long: {max_length} characters at most.",
    "string_too_short": "This is too short: {min_length} characters at least.",
    "greater_than": "This must be more than {gt}.",
    "greater_than_equal": "This must be {ge} or more.",
    "less_than": "This must be less than {lt}.",
    "less_than_equal": "This must be {le} or less.",
    "enum": "This must be one of: {expected}.",
    "literal_error": "This must be one of: {expected}.",
}
_PLACES = {"path": "address", "query": "query", "header": "header"}


def faults_of_body(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Each fault with its place in the body, as a JSON pointer (RFC 6901)."""
    return [{"pointer": _pointer(each["loc"]), "detail": in_words(each)} for each in islice(errors, MOST)]


def faults_of_request(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The same where a parameter of the address, the query or a header may be at fault, too."""
    return [_fault(each) for each in islice(errors, MOST)]


def in_words(error: Mapping[str, Any]) -> str:
    """One fault in a sentence; what our own rules say stands as it is."""
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind in ("value_error", "assertion_error"):
        return str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if kind in _LIMITS:
        try:
            return _LIMITS[kind].format_map(context)
        except KeyError:
            return "This is not within its limits."
    if kind in _WORDS:
        return _WORDS[kind]
    return next((said for begins, said in _BEGINNINGS if kind.startswith(begins)), "This cannot be used.")


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    place, *path = error["loc"] or ("body",)
    if place in _PLACES:
        named = str(path[0]) if path else ""
        return {"parameter": named, "in": _PLACES[place], "detail": in_words(error)}
    return {"pointer": _pointer(path), "detail": in_words(error)}


def _pointer(path: Iterable[object]) -> str:
    return "#" + "".join("/" + str(part)[:100].replace("~", "~0").replace("/", "~1") for part in path)
