"""The work behind an invoice, as its appendix lists it: by person or by ticket, with sums."""

from __future__ import annotations

from dataclasses import dataclass

from activities.documents.typography import Typography
from billing.draft import Draft
from billing.money import total
from billing.work_records import HoursAppendix, WorkRecord


@dataclass(frozen=True)
class Entry:
    """One piece of work; `other` is its ticket where the record goes by person, else its person."""

    day: str
    line: int
    other: str
    work: str
    note: str
    hours: str


@dataclass(frozen=True)
class Group:
    """The work of one person, or on one ticket, in order of day."""

    name: str
    entries: tuple[Entry, ...]
    sum: str


@dataclass(frozen=True)
class HoursRecord:
    """All of it; `other` heads the column of what it does not go by."""

    other: str
    groups: tuple[Group, ...]
    sum: str


def hours_record(draft: Draft, writes: Typography) -> HoursRecord | None:
    """The record of a draft's work in its language; None where it has none. Hours with two decimals."""
    if not draft.work:
        return None
    words, by_person = writes.words, draft.hours_appendix is not HoursAppendix.BY_TICKET
    groups: dict[str, list[WorkRecord]] = {}
    for each in sorted(draft.work, key=lambda each: (each.day, each.line, each.person)):
        name = each.person if by_person else each.ticket or words.gettext("Without ticket")
        groups.setdefault(name, []).append(each)
    return HoursRecord(
        other=words.gettext("Ticket") if by_person else words.gettext("Person"),
        groups=tuple(
            Group(
                name=name,
                entries=tuple(_entry(each, writes, by_person=by_person) for each in entries),
                sum=writes.hours(total(each.hours for each in entries)),
            )
            for name, entries in sorted(groups.items())
        ),
        sum=writes.hours(total(each.hours for each in draft.work)),
    )


def _entry(record: WorkRecord, writes: Typography, *, by_person: bool) -> Entry:
    return Entry(
        day=writes.day(record.day),
        line=record.line,
        other=record.ticket if by_person else record.person,
        work=record.task or record.note,
        note=record.note if record.task else "",
        hours=writes.hours(record.hours),
    )
