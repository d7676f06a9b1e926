"""The field map at work: which field of a vendor's record feeds which of ours, read with its type, or refused by name.

A field is named by its path, such as `author.displayName`. Behind a list of named values (Redmine's `custom_fields`,
Jira's `properties`) stands the name of one of them, or its id. A yes or no can be a comparison: `status=LOCKED`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

from activities.providers.provider import FieldSample, Mapped
from billing.connections import Connection
from billing.errors import SourceFaulty

Record = Mapping[str, Any]
Settings = TypeVar("Settings", bound=BaseModel)

_ABSENT = object()
_YES = frozenset({"1", "true", "yes"})
_NO = frozenset({"", "0", "false", "no"})
_SHOWN = 60


def _pairs(text: object) -> object:
    if not isinstance(text, str):
        return text
    parts = [each.partition("=") for each in text.split(";") if each.strip()]
    if any(not sign or not name.strip() or not value.strip() for name, sign, value in parts):
        raise ValueError("write pairs such as: acme=C-1; beta=C-2")
    return {name.strip(): value.strip() for name, _, value in parts}


def _names(text: object) -> object:
    return tuple(each.strip() for each in text.split(",") if each.strip()) if isinstance(text, str) else text


Pairs = Annotated[dict[str, str], BeforeValidator(_pairs)]
"""A setting that says what a vendor's value is called here: `theirs=ours; theirs=ours`."""

Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""A setting of several names, separated by commas."""


def settings_of(connection: Connection, model: type[Settings], title: str) -> Settings:
    """The settings of a connection, read. `SourceFaulty` names the one that is wrong."""
    try:
        return model.model_validate(connection.settings)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = ".".join(map(str, wrong["loc"]))
        raise SourceFaulty(
            f"{title} ({connection.id}): setting {name!r}: {wrong['msg']}; correct it in integrations.yaml"
        ) from error


@dataclass(frozen=True)
class FieldMap:
    """The fields of one connection; `zone` is where an instant becomes a day (None: where it was written), `complete`
    whether records come with every field that was asked for, so that one that is absent does not exist at all.

    Every reader raises `SourceFaulty` naming the vendor, the record, the field and its value, where that is of another
    type than agreed.
    """

    title: str
    theirs: Mapping[str, str]
    zone: tzinfo | None
    complete: bool = False

    @classmethod
    def of(
        cls,
        title: str,
        usual: Sequence[Mapped],
        connection: Connection,
        zone: tzinfo | None,
        *,
        complete: bool = False,
    ) -> FieldMap:
        """The usual fields, or those the connection names. `SourceFaulty` for a field nobody fills."""
        known = {each.ours: each for each in usual}
        theirs = {each.ours: each.theirs for each in usual}
        for each in connection.fields:
            if each.ours not in known or known[each.ours].direction is not each.direction:
                there_are = ", ".join(n for n, at in known.items() if at.direction is each.direction)
                raise SourceFaulty(
                    f"{title} ({connection.id}) has no field {each.ours!r} that goes {each.direction}; "
                    f"there are: {there_are}; correct the field map in integrations.yaml"
                )
            theirs[each.ours] = each.theirs
        return cls(title, theirs, zone, complete)

    def names(self, ours: str) -> str:
        """The path of the vendor's field; empty where none is agreed."""
        return self.theirs.get(ours, "")

    def has(self, ours: str, record: Record) -> bool:
        """Whether the record has the field at all, be it empty."""
        path = self.names(ours).partition("=")[0].rstrip("!").strip()
        return bool(path) and look_up(record, path) is not _ABSENT

    def behind(self, *firsts: str) -> tuple[str, ...]:
        """What follows these steps in the paths of all fields, sorted: which parts of a record are wanted."""
        paths = [each.partition("=")[0].rstrip("!").split(".") for each in self.theirs.values()]
        n = len(firsts)
        return tuple(sorted({".".join(each[n:]) for each in paths if tuple(each[:n]) == firsts and each[n:]}))

    def text(self, ours: str, record: Record, of: str) -> str:
        """A text; a whole number is one, too, and a choice is its name. Empty where there is none."""
        value = _plain(self._value(ours, record, of))
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            self._refuse(ours, of, value, "a text")
        return str(value).strip()

    def number(self, ours: str, record: Record, of: str) -> Decimal | None:
        """A finite number, exact as it was written; None where there is none."""
        value = _plain(self._value(ours, record, of))
        if value is None or value == "":
            return None
        try:
            number = None if isinstance(value, bool | float) else Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            number = None
        if number is None or not number.is_finite():
            self._refuse(ours, of, value, "a number")
        return number

    def whole(self, ours: str, record: Record, of: str, least: int, most: int) -> int | None:
        """A whole number within bounds; None where there is none."""
        number = self.number(ours, record, of)
        if number is not None and (number != int(number) or not least <= number <= most):
            self._refuse(ours, of, number, f"a whole number from {least} to {most}")
        return None if number is None else int(number)

    def flag(self, ours: str, record: Record, of: str, *, unmapped: bool) -> bool:
        """Yes or no, or whether the field is (`path=value`) or is not (`path!=value`) something; a list is what it
        has. Where no field is agreed, what `unmapped` says; where the field is empty, no."""
        if not self.names(ours):
            return unmapped
        value = _plain(self._value(ours, record, of))
        _, sign, wanted = self.names(ours).partition("=")
        if sign:
            has = [str(_plain(each)) for each in (value if isinstance(value, list) else [value])]
            return (wanted.strip() in has) is not self.names(ours).partition("=")[0].endswith("!")
        word = "" if value is None else str(value).strip().lower()
        if isinstance(value, list | dict) or word not in _YES | _NO:
            self._refuse(ours, of, value, "yes or no")
        return word in _YES

    def day(self, ours: str, record: Record, of: str) -> date | None:
        """A day, written as one, or as an instant with its offset; None where there is none."""
        value = _plain(self._value(ours, record, of))
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            self._refuse(ours, of, value, "a day")
        try:
            if len(value) == len("2026-01-31"):
                return date.fromisoformat(value)
            instant = datetime.fromisoformat(value)
        except ValueError:
            self._refuse(ours, of, value, "a day")
        if instant.tzinfo is None:
            self._refuse(ours, of, value, "a day, or an instant with its offset from UTC")
        return instant.astimezone(self.zone).date() if self.zone else instant.date()

    def sample(self, ours: str, read: Callable[[], object], *, needed: bool) -> FieldSample:
        """A field with its value, or with what is wrong with it."""
        theirs = self.names(ours)
        if not theirs:
            return FieldSample(ours, "", problem="no field is agreed; map one in integrations.yaml" * needed)
        try:
            value = read()
        except SourceFaulty as error:
            return FieldSample(ours, theirs, problem=str(error))
        empty = value is None or value == ""
        shown = "" if empty else str(value)[:_SHOWN]
        return FieldSample(ours, theirs, shown, problem="it is empty; fill it there" * (empty and needed))

    def _value(self, ours: str, record: Record, of: str) -> Any:
        path = self.names(ours).partition("=")[0].rstrip("!").strip()
        value = look_up(record, path) if path else None
        if value is _ABSENT:
            # most vendors leave out what is empty, but never a custom field that exists
            if self.complete or "custom" in path:
                raise SourceFaulty(
                    f"{self.title}: {of} has no field {path!r}; name it as the vendor does, or map {ours} to another "
                    "field, in integrations.yaml"
                )
            return None
        return value

    def _refuse(self, ours: str, of: str, value: object, wanted: str) -> NoReturn:
        raise SourceFaulty(
            f"{self.title}: {of}: field {self.names(ours)!r} is {str(value)[:_SHOWN]!r}, not {wanted}; correct it "
            f"there, or map {ours} to another field in integrations.yaml"
        )


def look_up(record: Any, path: str) -> Any:
    """The value at a path; a marker of its own where the record has no such field."""
    value = record
    steps = path.split(".")
    for n, step in enumerate(steps):
        if isinstance(value, list):
            return _named(value, ".".join(steps[n:]))
        if value is None:
            return None
        if not isinstance(value, Mapping) or step not in value:
            return _ABSENT
        value = value[step]
    return value


def _named(values: Sequence[Any], name: str) -> Any:
    for each in values:
        if isinstance(each, Mapping) and name in (each.get("name"), each.get("key"), str(each.get("id"))):
            return each.get("value")
    return _ABSENT


def field_of(record: Record, name: str) -> Record:
    """The custom field of that name or id, with its id. The record must have it: it was read before."""
    return next(each for each in record["custom_fields"] if name in (each.get("name"), str(each.get("id"))))


def _plain(value: Any) -> Any:
    """A choice or a person, which vendors write as an object, is its name."""
    if isinstance(value, Mapping):
        return next((value[key] for key in ("value", "displayName", "name") if key in value), value)
    return value
