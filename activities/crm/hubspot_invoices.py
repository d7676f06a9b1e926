"""What a deal shows of its invoices: the newest one in fields of its own, all of them as lines of one field.

Which is the newest is told by the number, so that it does not matter in which order invoices are written back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from activities.providers.provider import Told

NUMBER = "deal.invoice_number"
STATUS = "deal.invoice_status"
LINK = "deal.invoice_link"
ALL = "deal.invoices"

_BETWEEN = " | "
_PARTS = 4
_MOST = 60_000
"""Characters of a text property; HubSpot keeps 65,536."""


def changes(shown: Mapping[str, str], told: Told) -> dict[str, str]:
    """What is to be changed of what the deal shows, by field; nothing for an invoice that has no number yet.

    `shown` holds the fields that are mapped and what stands in them now.
    """
    if not told.number:
        return {}
    lines = _with(shown.get(ALL, ""), told)
    numbers = [*_numbered(lines), shown.get(NUMBER, "")]
    wanted = {ALL: "\n".join(lines)}
    if max(map(_rank, numbers), default=()) <= _rank(told.number):
        wanted |= {NUMBER: told.number, STATUS: told.status, LINK: told.link}
    return {name: wanted[name] for name, now in shown.items() if name in wanted and wanted[name] != now}


def _with(text: str, told: Told) -> list[str]:
    """The lines with that of this invoice, the newest first; what people wrote there stays on top."""
    line = _BETWEEN.join([told.number, told.status, f"{told.amount} {told.currency}", told.link])
    found = [each for each in text.splitlines() if each.strip()]
    own = _numbered(found) | {told.number: line}
    kept = [each for each in found if each not in _numbered(found).values()]
    newest_first = [own[each] for each in sorted(own, key=_rank, reverse=True)]
    lines = kept + newest_first
    while len(lines) > 1 and sum(len(each) + 1 for each in lines) > _MOST:
        lines.pop()
    return lines


def _numbered(lines: list[str]) -> dict[str, str]:
    return {each.split(_BETWEEN)[0]: each for each in lines if each.count(_BETWEEN) == _PARTS - 1}


def _rank(number: str) -> tuple[tuple[int, str], ...]:
    """The order in which numbers of a series are given: 9 before 10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", number))
