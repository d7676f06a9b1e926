"""Entries of meters in the ledger: unique by source and id, edited by revision, deleted by a mark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger.tables import MeterEntryRow
from billing.errors import Conflicting
from billing.meter_entries import Measure, MeterEntry

Key = tuple[str, str]

_AT_ONCE = 1000
"""Rows one statement writes: a tenth of the parameters PostgreSQL takes."""

_DESCRIBED = ("role", "person", "milestone", "note")


@dataclass
class Stored:
    """How many entries were new, edited, deleted, known or late, and the agreements they belong or belonged to."""

    new: int = 0
    edited: int = 0
    deleted: int = 0
    known: int = 0
    late: int = 0
    agreements: set[str] = field(default_factory=set)


def store(
    tx: Session,
    entries: Sequence[MeterEntry],
    *,
    at: datetime,
    today: Callable[[str], date],
    progress: Callable[[int], None] = lambda _: None,
) -> Stored:
    """Takes the entries in, one after the other. An older revision and the same again change nothing.

    Without a revision the last one taken in counts. `Conflicting` if one revision says two things. The entries are
    locked until the transaction ends, in the order of their keys, so that two writers never wait in a circle.
    """
    by_key: dict[Key, list[MeterEntry]] = {}
    for each in entries:
        by_key.setdefault((each.source, each.id), []).append(each)
    stored = Stored()
    fresh: dict[Key, dict[str, Any]] = {}
    for keys in _some(sorted(by_key)):
        first = {key: _row(by_key[key][0], today, at) for key in keys}
        fresh |= {key: first[key] for key in _insert(tx, list(first.values()))}
    for row in fresh.values():
        stored.agreements.add(row["agreement"])
        stored.deleted += row["deleted"]
        stored.new += not row["deleted"]
    done = 0
    for keys in _some(sorted(by_key)):
        rows = _locked(tx, [key for key in keys if key not in fresh])
        rows |= {key: fresh[key] for key in keys if key in fresh}
        changed = [
            row
            for key, row in rows.items()
            if _follow(row, by_key[key][1:] if key in fresh else by_key[key], stored, at)
        ]
        if changed:
            tx.execute(update(MeterEntryRow), changed)
        done += sum(len(by_key[key]) for key in keys)
        progress(done)
    return stored


def _some(keys: list[Key]) -> Iterator[list[Key]]:
    for first in range(0, len(keys), _AT_ONCE):
        yield keys[first : first + _AT_ONCE]


def _insert(tx: Session, rows: list[dict[str, Any]]) -> list[Key]:
    """The keys of the entries nobody has taken in yet; the others are left as they are."""
    made = tx.execute(
        insert(MeterEntryRow)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(MeterEntryRow.source, MeterEntryRow.entry)
    )
    return [(source, entry) for source, entry in made]


def live(tx: Session, agreements: Iterable[str]) -> list[MeterEntry]:
    """The entries of agreements that are not deleted."""
    table = MeterEntryRow
    query = select(
        table.source, table.entry, table.agreement, table.measure, table.day, table.quantity, table.content
    ).where(table.agreement.in_(list(agreements)), table.deleted.is_(False))
    # not validated anew: they were when they were taken in
    return [
        MeterEntry.model_construct(
            source=source,
            id=entry,
            agreement=agreement,
            measure=Measure(measure),
            day=day,
            quantity=quantity,
            **{"role": "", "person": "", "milestone": None, "note": "", **content},
        )
        for source, entry, agreement, measure, day, quantity, content in tx.execute(query)
    ]


def _row(entry: MeterEntry, today: Callable[[str], date], at: datetime) -> dict[str, Any]:
    return {
        "source": entry.source,
        "entry": entry.id,
        "agreement": entry.agreement,
        "measure": entry.measure.value,
        "day": entry.day or today(entry.agreement),
        "quantity": entry.quantity if entry.quantity is not None else Decimal(0),
        "revision": entry.revision or 0,
        "deleted": entry.deleted,
        "content": _described(entry),
        "taken_in_at": at,
        "changed_at": at,
    }


def _described(entry: MeterEntry) -> dict[str, Any]:
    return {name: value for name in _DESCRIBED if (value := getattr(entry, name))}


def _locked(tx: Session, keys: list[Key]) -> dict[Key, dict[str, Any]]:
    """The stored entries of these keys, locked in order."""
    if not keys:
        return {}
    table = MeterEntryRow.__table__
    query = (
        select(table)
        .where(tuple_(table.c.source, table.c.entry).in_(keys))
        .order_by(table.c.source, table.c.entry)
        .with_for_update()
    )
    return {(row["source"], row["entry"]): dict(row) for row in tx.execute(query).mappings()}


def _follow(row: dict[str, Any], entries: Iterable[MeterEntry], stored: Stored, at: datetime) -> bool:
    """Brings a stored entry to what later ones say of it; returns whether that changed it."""
    before = dict(row)
    for entry in entries:
        if entry.revision is not None and entry.revision < row["revision"]:
            stored.late += 1
            continue
        said = _says(entry)
        if all(row[name] == value for name, value in said.items()):
            stored.known += 1
        elif entry.revision is not None and entry.revision == row["revision"]:
            raise Conflicting(
                f"revision {entry.revision} of entry {entry.id!r} of {entry.source} was taken in already and said "
                "something else; send what is new under a higher revision"
            )
        else:
            stored.agreements |= {row["agreement"], entry.agreement}
            stored.deleted += entry.deleted
            stored.edited += not entry.deleted
            row.update(said, changed_at=at)
        row["revision"] = entry.revision or row["revision"]
    return row != before


def _says(entry: MeterEntry) -> dict[str, Any]:
    """What an entry says; of a deleted one, what it was stays."""
    if entry.deleted:
        return {"deleted": True}
    return {
        "agreement": entry.agreement,
        "measure": entry.measure.value,
        "day": entry.day,
        "quantity": entry.quantity,
        "deleted": False,
        "content": _described(entry),
    }
