"""Hours on an invoice: which entries are billed, which of them cost nothing more, and the lines they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from billing.agreements import Grouping, PrepaidBlock, Retainer, TimeAndMaterials
from billing.change_orders import agreement_on
from billing.draft import InvoiceLine, SourceRef, line
from billing.leftovers import billed_along, whole_period
from billing.line_words import LineWords
from billing.money import total
from billing.periods import Period
from billing.rates import rate_on
from billing.sources import Sources, TimeEntry

HOUR = "HUR"
"""Unit code of UN/ECE recommendation 20."""

TIME = "psa/time"
"""The source of time entries, as billed items name it."""

_HUNDREDTH = Decimal("0.01")

_ROUND = Decimal("0.0001")
_CUT_OFF = Decimal("1e-7")

Hourly = Retainer | TimeAndMaterials


@dataclass(frozen=True)
class Worked:
    """Hours of an entry at one price: None where none was agreed, zero where they are included."""

    entry: TimeEntry
    hours: Decimal
    price: Decimal | None
    included: bool = False
    late: bool = False


def ready(entry: TimeEntry, today: date) -> bool:
    """Whether an entry can be billed: approved, billable, of a day that has come, more than nothing."""
    return entry.approved and entry.billable and entry.hours > 0 and entry.day <= today


def worked(agreement: Hourly, sources: Sources, period: Period | None, today: date) -> list[Worked]:
    """The hours to bill, the oldest entry first; an entry that is included in part comes in two parts.

    Included hours are used up by what was billed before, then by the oldest entry. Of a period that is cut by the
    agreement's start or end they are cut by days, to the hundredth of an hour.
    """
    late = {
        each.id
        for each in sources.earlier_time
        if ready(each, today) and billed_along(agreement, each.day, period)
    }
    entries = [each for each in sources.time_entries if ready(each, today)]
    entries += [each for each in sources.earlier_time if each.id in late]
    terms = cache(lambda day: agreement_on(agreement, day))
    left: dict[date, Decimal] = {}
    parts = []
    for entry in sorted(entries, key=lambda each: (each.day, each.id)):
        own, share = whole_period(agreement, entry.day)
        if own.start not in left:
            included = (terms(own.start).included_hours or Decimal(0)) * share
            used = together(each.hours for each in sources.billed_time if own.start <= each.day <= own.end)
            left[own.start] = max(included.quantize(_HUNDREDTH, ROUND_HALF_UP) - used, Decimal(0))
        free = min(entry.hours, left[own.start])
        left[own.start] -= free
        if free:
            parts.append(Worked(entry, free, Decimal(0), included=True, late=entry.id in late))
        if entry.hours > free:
            price = rate_on(terms(entry.day).rates, entry.role, entry.day)
            # an entry that is billed whole keeps its hours as they are written
            parts.append(
                Worked(entry, entry.hours - free if free else entry.hours, price, late=entry.id in late)
            )
    return parts


def together(hours: Iterable[Decimal]) -> Decimal:
    """Hours in all. Thirds of an hour have no end: three of them, each cut off somewhere, make one hour again."""
    found = total(hours)
    near = found.quantize(_ROUND, ROUND_HALF_UP)
    return near.normalize() + 0 if found != near and abs(found - near) < _CUT_OFF else found


def hour_lines(agreement: Hourly, parts: Sequence[Worked], words: LineWords) -> list[InvoiceLine]:
    """One line for the included hours, then one for each group and price, in the order of their oldest entries."""
    groups: dict[tuple[str, ...], dict[tuple[Decimal, bool], list[Worked]]] = {}
    for part in parts:
        if not part.included and part.price is not None:
            labels = tuple(_labels(agreement.group_by, part.entry, words).values())
            groups.setdefault(labels, {}).setdefault((part.price, part.late), []).append(part)
    included = [each for each in parts if each.included]
    lines = [_included_line(agreement, included, words)] if included else []
    found = [
        (group, [each for each in of_labels.values() if each is not group])
        for of_labels in groups.values()
        for group in of_labels.values()
    ]
    found.sort(key=lambda each: (each[0][0].entry.day, each[0][0].entry.id))
    return [*lines, *(_group_line(agreement, group, alike, words) for group, alike in found)]


def _labels(group_by: Sequence[Grouping], entry: TimeEntry, words: LineWords) -> dict[Grouping, str]:
    values = {
        Grouping.PERSON: entry.person,
        Grouping.ROLE: entry.role,
        Grouping.TASK: entry.task,
        Grouping.TICKET: entry.ticket,
        Grouping.DAY: words.day(entry.day),
    }
    return {each: values[each] for each in group_by}


def _included_line(agreement: Hourly, parts: Sequence[Worked], words: LineWords) -> InvoiceLine:
    return line(
        f"{agreement.title}: {words.included}",
        together(each.hours for each in parts),
        HOUR,
        Decimal(0),
        agreement.currency,
        why=f"{_entries(parts)} within the hours that agreement {agreement.id} includes",
        sources=_sources(parts),
    )


def _group_line(
    agreement: Hourly, parts: Sequence[Worked], alike: Sequence[Sequence[Worked]], words: LineWords
) -> InvoiceLine:
    """What was worked on stands in the description, by whom in the detail, and when where lines look alike else."""
    first = parts[0]
    labels = _labels(agreement.group_by, first.entry, words)
    subject = next((labels[each] for each in _SUBJECTS if labels.get(each)), "")
    detail = [value for value in labels.values() if value and value != subject]
    roles = _roles(parts)
    if alike and Grouping.ROLE not in labels:
        detail.append(", ".join(roles))
    if first.late or any(Grouping.ROLE in labels or _roles(each) == roles for each in alike):
        detail.append(words.days(_days(parts)))
    why = f"{_entries(parts)} of project {agreement.project}"
    return line(
        f"{agreement.title}: {subject}" if subject else agreement.title,
        together(each.hours for each in parts),
        HOUR,
        first.price or Decimal(0),
        agreement.currency,
        detail=" · ".join(detail),
        why=f"{why}, left over from earlier days and billed along" if first.late else why,
        sources=_sources(parts),
    )


_SUBJECTS = (Grouping.ROLE, Grouping.TASK, Grouping.TICKET)


def _roles(parts: Iterable[Worked]) -> list[str]:
    return sorted({each.entry.role for each in parts})


def _days(parts: Iterable[Worked]) -> Period:
    days = [each.entry.day for each in parts]
    return Period(start=min(days), end=max(days))


def _entries(parts: Sequence[Worked]) -> str:
    return f"{len(parts)} approved time {'entry' if len(parts) == 1 else 'entries'}"


def _sources(parts: Iterable[Worked]) -> list[SourceRef]:
    return [SourceRef(source=TIME, id=each.entry.id) for each in parts]


def beyond_block(agreement: PrepaidBlock, sources: Sources, today: date) -> list[Worked]:
    """The hours no block holds: the latest ones, down to and with the entry in which the block ran out."""
    left, parts = sources.beyond_block, list[Worked]()
    for entry in sorted(sources.time_entries, key=lambda each: (each.day, each.id), reverse=True):
        if left > 0 and ready(entry, today):
            hours = min(entry.hours, left)
            parts.append(Worked(entry, hours, agreement.overage_rate))
            left -= hours
    return parts[::-1]


def beyond_block_lines(
    agreement: PrepaidBlock, parts: Sequence[Worked], words: LineWords
) -> list[InvoiceLine]:
    """One line for all hours beyond the blocks, at the one rate that was agreed for them."""
    if not parts or agreement.overage_rate is None:
        return []
    return [
        line(
            f"{agreement.title}: {words.beyond_block}",
            together(each.hours for each in parts),
            HOUR,
            agreement.overage_rate,
            agreement.currency,
            detail=words.days(_days(parts)),
            why=f"{_entries(parts)} of project {agreement.project} that no prepaid block holds",
            sources=_sources(parts),
        )
    ]
