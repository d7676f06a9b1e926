"""The hours appendix: which work stands behind which line of an invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from billing.agreements import Agreement, Occasion, PrepaidBlock, Retainer, TimeAndMaterials
from billing.draft import InvoiceLine
from billing.due import FEE, OVERAGE
from billing.hours import TIME, Worked, beyond_block, worked
from billing.sources import Sources
from billing.work_records import WorkRecord


def hours_of(agreement: Agreement, occasion: Occasion, sources: Sources, today: date) -> list[Worked]:
    """The hours that an agreement bills at an occasion, the oldest first; none where it bills no hours."""
    match agreement:
        case PrepaidBlock() if occasion.item == OVERAGE:
            return beyond_block(agreement, sources, today)
        case Retainer() if occasion.item != FEE:
            return worked(agreement, sources, occasion.period, today)
        case TimeAndMaterials():
            return worked(agreement, sources, occasion.period, today)
    return []


def work_behind(lines: Sequence[InvoiceLine], hours: Sequence[Worked]) -> tuple[WorkRecord, ...]:
    """Each entry on the line that bills it, in the order of the lines; one that is included in part is two records.

    The hours of a line's records are its quantity.
    """
    at: dict[tuple[str, bool], int] = {}
    for position, line in enumerate(lines, start=1):
        at |= {(ref.id, not line.unit_price): position for ref in line.sources if ref.source == TIME}
    found = [(at[_key(each)], each) for each in hours if _key(each) in at]
    return tuple(_record(line, each) for line, each in sorted(found, key=lambda pair: pair[0]))


def _key(part: Worked) -> tuple[str, bool]:
    """The entry, and whether it costs nothing: of an entry in two parts, one is included and one is not."""
    return part.entry.id, part.price == Decimal(0)


def _record(line: int, part: Worked) -> WorkRecord:
    entry = part.entry
    return WorkRecord(
        line=line,
        day=entry.day,
        person=entry.person,
        hours=part.hours,
        ticket=entry.ticket,
        task=entry.task,
        note=entry.note,
    )
