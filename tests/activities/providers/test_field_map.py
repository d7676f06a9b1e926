"""The field map: a vendor's record read with its types, and refused by name where it is another one than agreed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.providers.field_map import FieldMap, Names, Pairs, settings_of
from activities.providers.provider import Mapped
from billing.connections import Connection, Direction
from billing.errors import SourceFaulty
from billing.parties import Strict

USUAL = (
    Mapped("entry.day", "started"),
    Mapped("entry.hours", "hours"),
    Mapped("entry.approved", ""),
    Mapped("entry.note", "comment"),
    Mapped("entry.invoice", "", Direction.OUT),
)


class Settings(Strict):
    clients: Pairs = {}  # noqa: RUF012
    projects: Names = ()


def connection(**changes: Any) -> Connection:
    return Connection.model_validate({"id": "pm", "provider": "redmine", "port": "psa", **changes})


def fields(zone: str | None = "Europe/Berlin", **theirs: str) -> FieldMap:
    maps = [{"ours": f"entry.{ours}", "theirs": path} for ours, path in theirs.items()]
    return FieldMap.of("Redmine", USUAL, connection(fields=maps), ZoneInfo(zone) if zone else None)


@pytest.mark.parametrize(
    ("zone", "written", "day"),
    [
        ("Europe/Berlin", "2026-11-03", date(2026, 11, 3)),
        ("Europe/Berlin", "2026-11-03T22:59:59Z", date(2026, 11, 3)),
        ("Europe/Berlin", "2026-11-03T23:00:00Z", date(2026, 11, 4)),
        ("Europe/Berlin", "2026-11-03T23:30:00.000+0100", date(2026, 11, 3)),
        ("Europe/Berlin", "2026-06-30T22:00:00Z", date(2026, 7, 1)),
        ("Australia/Sydney", "2020-02-27T15:00:00Z", date(2020, 2, 28)),
        ("America/New_York", "2026-03-08T04:59:00Z", date(2026, 3, 7)),
        (None, "2026-11-03T23:30:00.000-0800", date(2026, 11, 3)),
        ("Europe/Berlin", "", None),
        ("Europe/Berlin", None, None),
    ],
)
def test_days(zone: str | None, written: object, day: date | None) -> None:
    """An instant is the day it was in the zone; a day is a day everywhere."""
    assert fields(zone).day("entry.day", {"started": written}, "entry 1") == day


@pytest.mark.parametrize(
    "written", ["yesterday", "2026-13-01", 20261103, True, "2026-11-03T10:00:00", ["2026-11-03"]]
)
def test_no_days(written: object) -> None:
    """What is no day, or an instant without its offset, is refused with vendor, record, field and value."""
    with pytest.raises(SourceFaulty, match=r"Redmine: entry 7: field 'started' is .*, not a day"):
        fields().day("entry.day", {"started": written}, "entry 7")


@pytest.mark.parametrize(
    ("written", "number"),
    [(Decimal("1.1"), "1.1"), (2, "2"), ("0.25", "0.25"), (None, None), ("", None), ({"value": "3"}, "3")],
)
def test_numbers(written: object, number: str | None) -> None:
    """Numbers are exact as they were written; those of custom fields come as texts."""
    found = fields().number("entry.hours", {"hours": written}, "entry 1")
    assert found == (None if number is None else Decimal(number))


@pytest.mark.parametrize("written", ["two", True, 1.5, "NaN", "Infinity", [1], {"h": 1}, "1,5"])
def test_no_numbers(written: object) -> None:
    """A type that changed is refused: a float was not read exactly, a yes is no 1."""
    with pytest.raises(SourceFaulty, match=r"'hours' is .*, not a number; .* map entry\.hours"):
        fields().number("entry.hours", {"hours": written}, "entry 1")


@pytest.mark.parametrize(
    ("theirs", "record", "yes"),
    [
        ("approved", {"approved": True}, True),
        ("approved", {"approved": None}, False),
        ("approved", {}, False),
        (
            "custom_fields.Is approved?",
            {"custom_fields": [{"id": 2, "name": "Is approved?", "value": "1"}]},
            True,
        ),
        ("custom_fields.2", {"custom_fields": [{"id": 2, "name": "Approved", "value": "0"}]}, False),
        ("custom_fields.2", {"custom_fields": [{"id": 2, "name": "Approved", "value": None}]}, False),
        ("properties.approved", {"properties": [{"key": "approved", "value": True}]}, True),
        ("properties.approved", {"properties": []}, False),
        ("option", {"option": {"id": "1", "value": "Yes"}}, True),
        ("status=LOCKED", {"status": "LOCKED"}, True),
        ("status=LOCKED", {"status": "ACTIVE"}, False),
        ("status!=LOCKED", {"status": "ACTIVE"}, True),
        ("labels=billable", {"labels": ["a", "billable"]}, True),
        ("labels!=billable", {"labels": ["a", "billable"]}, False),
        ("boxes=Yes", {"boxes": [{"value": "Yes"}]}, True),
    ],
)
def test_flags(theirs: str, record: dict[str, Any], yes: bool) -> None:
    """Yes and no in the ways vendors write it, and comparisons; empty is no."""
    assert fields(approved=theirs).flag("entry.approved", record, "entry 1", unmapped=True) is yes


def test_no_field_is_agreed() -> None:
    """Where nobody mapped a flag, the adapter's own answer holds."""
    assert fields().flag("entry.approved", {}, "entry 1", unmapped=True)
    assert not fields().flag("entry.approved", {}, "entry 1", unmapped=False)


@pytest.mark.parametrize("value", ["perhaps", 2, ["1"], {"x": 1}])
def test_no_flags(value: object) -> None:
    """What is neither yes nor no is refused."""
    with pytest.raises(SourceFaulty, match="not yes or no"):
        fields(approved="approved").flag("entry.approved", {"approved": value}, "entry 1", unmapped=True)


def test_a_custom_field_that_is_not_there() -> None:
    """A custom field that is misspelt is told, where an ordinary one that is left out is empty."""
    record = {"custom_fields": [{"id": 2, "name": "Approved", "value": "1"}], "fields": {}}
    for theirs in ("custom_fields.Aproved", "fields.customfield_1"):
        with pytest.raises(SourceFaulty, match="entry 1 has no field"):
            fields(approved=theirs).flag("entry.approved", record, "entry 1", unmapped=True)
    assert fields().text("entry.note", record, "entry 1") == ""


def test_a_field_nobody_fills() -> None:
    """A map with a field there is not, or in the wrong direction, names those there are."""
    for wrong in (
        {"ours": "entry.colour"},
        {"ours": "entry.day", "direction": "out"},
        {"ours": "entry.invoice"},
    ):
        with pytest.raises(SourceFaulty, match=r"has no field .* that goes (in|out); there are: entry\."):
            FieldMap.of("Redmine", USUAL, connection(fields=[{"theirs": "x", **wrong}]), None)


def test_settings() -> None:
    """Settings are read with their types; the wrong one is named."""
    read = settings_of(
        connection(settings={"clients": "acme=C-1; beta = C-2", "projects": "a, b"}), Settings, "Jira"
    )
    assert (read.clients, read.projects) == ({"acme": "C-1", "beta": "C-2"}, ("a", "b"))
    for wrong, said in ({"clients": "acme"}, "'clients'"), ({"colour": "red"}, "'colour'"):
        with pytest.raises(SourceFaulty, match=rf"Jira \(pm\): setting {said}"):
            settings_of(connection(settings=wrong), Settings, "Jira")
