"""The shape of a record as its model declares it: what may be written at a key path, in words."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from activities.company.problems import KeyPath
from billing.complaints import either

_BY_NAME = {
    "id": "a short name of lower-case letters, digits, '.', '_' and '-'",
    "currency": "a currency code such as EUR",
    "zone": "a time zone such as Europe/Berlin",
    "calendar": "a country or region whose holidays count, such as DE or DE-BE",
    "country": "a country code such as DE",
    "language": "a language code such as de or en",
    "email": "one e-mail address such as billing@company.example",
    "reply_to": "one e-mail address such as billing@company.example",
    "number_prefix": "capital letters, digits, '-' and '/', such as BER-",
    "numbers": "{invoice: 'BER-{year}-{number:05}'}, also for credit note and pro forma invoice",
    "fiscal_year_starts": "a month from 1 to 12, such as 4 for April",
    "accent": "a colour such as '#1f4e79', in quotes",
    "iban": "an IBAN",
    "vat_id": "a VAT id such as DE123456788",
    "terms": "{net_days: 14}",
    "early_payment": "{percent: 2, days: 10}",
    "instalments": "[{percent: 50, net_days: 0}, {percent: 50, net_days: 30}]",
    "every": "month, quarter, half-year, year, or a count such as 90 days or 24 months",
    "proposed_by": "the id of a person",
    "approved_by": "the id of a person",
    "bill_on": "a day of the month from 1 to 31, first business day or last business day",
}
_BY_TYPE: dict[type, str] = {
    bool: "true or false",
    int: "a whole number such as 14",
    Decimal: "a figure with a dot and without thousands separators, such as 1250.00",
    date: "year-month-day, such as 2026-01-31",
    time: "hours and minutes, such as 09:00",
    str: "text",
}


class Shape:
    """What the models say about one place in a record; `members` are the kinds of value that may stand here."""

    def __init__(self, annotation: Any, description: str = "", name: str = "") -> None:
        self.description, self.name = description, name
        self.members: tuple[Shape, ...] = ()
        while get_origin(annotation) in (Annotated, Union, types.UnionType):
            inner, *rest = [each for each in get_args(annotation) if each is not type(None)]
            if get_origin(annotation) is not Annotated and rest:
                self.members = tuple(Shape(each, description, name) for each in (inner, *rest))
            if get_origin(annotation) is Annotated:
                notes = [
                    each.description for each in rest if isinstance(each, FieldInfo) and each.description
                ]
                self.description = self.description or next(iter(notes), "")
            annotation = inner
        self.annotation = annotation

    def at(self, path: KeyPath) -> Shape | None:
        """The shape further down; None where the models know nothing."""
        shape: Shape | None = self
        for part in path:
            shape = shape._inner(part) if shape else None
        return shape

    def of(self, data: Any) -> Shape:
        """The shape of that kind of value, where several may stand."""
        given = (isinstance(data, list), isinstance(data, dict))
        return next((each for each in self.members if (each.is_list, each.is_mapping) == given), self)

    @property
    def is_list(self) -> bool:
        return get_origin(self.annotation) is tuple

    @property
    def is_mapping(self) -> bool:
        return self.names_its_own or bool(self.fields)

    def _inner(self, part: str | int) -> Shape | None:
        if self.members:
            return self.of([] if isinstance(part, int) else {})._of_one_kind(part)
        return self._of_one_kind(part)

    def _of_one_kind(self, part: str | int) -> Shape | None:
        origin, arguments = get_origin(self.annotation), get_args(self.annotation)
        if origin is tuple:
            return Shape(arguments[0], self.description)
        if origin is dict:
            return Shape(arguments[1], self.description)
        fields = self.fields
        if part not in fields:
            return None
        return Shape(fields[str(part)].annotation, fields[str(part)].description or "", str(part))

    @property
    def fields(self) -> dict[str, FieldInfo]:
        """The fields of the model here, by name; empty where there is no model."""
        is_model = isinstance(self.annotation, type) and issubclass(self.annotation, BaseModel)
        return dict(self.annotation.model_fields) if is_model else {}

    def forbids(self, key: str) -> bool:
        """Whether the model here refuses the key."""
        return (
            bool(self.fields)
            and key not in self.fields
            and self.annotation.model_config.get("extra") == "forbid"
        )

    @property
    def names_its_own(self) -> bool:
        """Whether the keys here are names that people give, such as roles."""
        return get_origin(self.annotation) is dict

    @property
    def choices(self) -> list[str]:
        """The words allowed here, if only certain words are."""
        if get_origin(self.annotation) is Literal:
            return [str(each) for each in get_args(self.annotation)]
        if isinstance(self.annotation, type) and issubclass(self.annotation, StrEnum):
            return [each.value for each in self.annotation]
        return []

    @property
    def in_words(self) -> str:
        """What to write here, with an example."""
        if self.name in _BY_NAME:
            return _BY_NAME[self.name]
        if self.members:
            return ", or ".join(member.in_words for member in self.members)
        if self.choices:
            return either(self.choices)
        required = [f"{name}: …" for name, field in self.fields.items() if field.is_required()]
        if self.fields:
            return "{" + ", ".join(required or [f"{name}: …" for name in list(self.fields)[:2]]) + "}"
        item = self._of_one_kind(0) if self.is_list else None
        if item and item.fields:
            return f"a list, each item on a line that begins with '- ': {item.in_words}"
        if item:
            return "a list, each item on a line that begins with '- '"
        if get_origin(self.annotation) is dict:
            return f"keys and values{f' ({self.description})' if self.description else ''}"
        if self.annotation is str and self.description:
            return self.description
        return _BY_TYPE.get(self.annotation, "a value")

    def misread(self, data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
        """Dates and times of day written in a way that would be taken for seconds since 1970."""
        if self.members:
            member = self.of(data)
            yield from member.misread(data, path) if member is not self else ()
            return
        if isinstance(data, dict):
            inner = [(part, each) for part, each in data.items() if self.at((part,))]
        elif isinstance(data, list):
            inner = list(enumerate(data)) if get_origin(self.annotation) is tuple else []
        else:
            inner = []
            if (
                self.annotation in (date, time)
                and isinstance(data, str)
                and not _is_written_out(self.annotation, data)
            ):
                what = "a date" if self.annotation is date else "a time of day"
                yield path, f"{data!r} is not {what}; write {self.in_words}"
        for part, each in inner:
            shape = self.at((part,))
            if shape:
                yield from shape.misread(each, (*path, part))


def _is_written_out(kind: type, text: str) -> bool:
    try:
        (date if kind is date else time).fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10 if kind is date else ":" in text
