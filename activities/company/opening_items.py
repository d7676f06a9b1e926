"""The open items from before Billow: data/opening_items.yaml of a company folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from activities.company.problems import Problem, errors
from activities.company.records import read_record
from activities.company.single_files import FileReading
from activities.company.yaml_reader import Document, read_document
from billing.company import Client
from billing.complaints import Records
from billing.money import smallest_unit
from billing.opening_item import OpeningItem

OPENING_ITEMS = "data/opening_items.yaml"
"""Where a company folder keeps them; the file may be missing."""


def read_opening_items(path: Path) -> FileReading[tuple[OpeningItem, ...]]:
    """The open items of one file, oldest line first; no value if anything in it is wrong."""
    return _read(path, path.name, None)


def check_opening_items(folder: Path, clients: Records[Client]) -> list[Problem]:
    """What is wrong with the open items of a company folder, if it has any."""
    path = folder / OPENING_ITEMS
    return _read(path, OPENING_ITEMS, clients).problems if path.is_file() else []


def _read(path: Path, file: str, clients: Records[Client] | None) -> FileReading[tuple[OpeningItem, ...]]:
    document = read_document(path, file)
    if not isinstance(document.data, list | None):
        document.problems.append(
            document.problem((), "the file must be one list: begin each item with '- number: '")
        )
    rows: list[Any] = document.data if isinstance(document.data, list) else []
    items: list[OpeningItem] = []
    numbers: set[str] = set()
    for position, row in enumerate(rows):
        item = read_record(OpeningItem, row, document, (position,))
        if item is None:
            continue
        if item.number in numbers:
            _note(document, (position, "number"), f"{item.number!r} stands here twice; remove one of the two")
        numbers.add(item.number)
        items.append(item)
        _check(document, position, item, clients)
    return FileReading(None if errors(document.problems) else tuple(items), document.problems)


def _check(document: Document, position: int, item: OpeningItem, clients: Records[Client] | None) -> None:
    if item.paid >= item.gross:
        _note(
            document,
            (position, "paid"),
            f"{item.paid} of {item.gross} is paid: nothing is open; remove the item",
        )
    for key in ("net", "tax", "gross", "paid"):
        if getattr(item, key) % smallest_unit(item.currency):
            message = f"{getattr(item, key)} has more decimals than {item.currency} knows"
            _note(document, (position, key), f"{message}; write it as the invoice did")
    if clients is not None and clients.ids and item.client not in clients.ids:
        _note(
            document,
            (position, "client"),
            f"there is no client {item.client!r}; write the id of one in clients.yaml",
        )
    if item.levels_sent and item.last_reminded is None:
        _note(
            document,
            (position, "levels_sent"),
            "says how many reminders went out, but not when; add last_reminded",
        )


def _note(document: Document, path: tuple[str | int, ...], message: str) -> None:
    document.problems.append(document.problem(path, message))
