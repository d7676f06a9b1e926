"""Files that hold one thing a person hands over: a one-off invoice, an event."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from activities.company.problems import Problem, errors
from activities.company.records import read_record
from activities.company.yaml_reader import read_document
from billing.events import BillingEvent
from billing.one_off import OneOff

Value = TypeVar("Value", covariant=True)
Record = TypeVar("Record", bound=BaseModel)


@dataclass(frozen=True)
class FileReading(Generic[Value]):
    """What a file holds, if nothing is wrong with it, and all that is."""

    value: Value | None
    problems: list[Problem]


def read_one_off(path: Path) -> FileReading[OneOff]:
    """The invoice a person asks for: `billow trigger --one-off FILE`, in YAML."""
    return _read(path, OneOff)


def read_event(path: Path) -> FileReading[BillingEvent]:
    """The CloudEvent in a file, JSON or YAML: `billow trigger --event FILE`."""
    return _read(path, BillingEvent)


def _read(path: Path, model: type[Record]) -> FileReading[Record]:
    document = read_document(path, path.name)
    record = None
    if document.empty:
        document.problems.append(document.problem((), "the file is empty"))
    elif document.data is not None:
        record = read_record(model, document.data, document)
    return FileReading(None if errors(document.problems) else record, document.problems)
