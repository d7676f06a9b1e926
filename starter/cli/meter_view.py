"""Where meters stand, as a table for people and as plain data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from starter.cli import output

if TYPE_CHECKING:
    from billing.company import Company
    from billing.meter_entries import Held, MeterEntry
    from billing.metering import MeterStanding

_BAR, _SHOWN = 10, 20


def table(standings: Sequence[MeterStanding], company: Company) -> None:
    """Writes one line a meter, and how many entries do not count."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    shown.add_column("AGREEMENT", overflow="fold", max_width=26)
    shown.add_column("USED", justify="right")
    shown.add_column("")
    shown.add_column("LEFT", justify="right")
    shown.add_column("NEXT", overflow="fold")
    for each in standings:
        shown.add_row(*_cells(each, company))
    output.console().print(shown)
    waiting = sum(len(each.held) for each in standings)
    if waiting:
        entries = "1 entry does" if waiting == 1 else f"{waiting:,} entries do"
        output.say(f"{entries} not count yet; `billow inbox` says why.")


def held(entries: Sequence[tuple[MeterEntry, Held]]) -> None:
    """Writes which entries do not count yet, and why; of many, the first."""
    for entry, why in entries[:_SHOWN]:
        output.say(f"Does not count yet: {entry.id} of {entry.source}: {why.why}.")
    if len(entries) > _SHOWN:
        output.say(f"… and {len(entries) - _SHOWN:,} more that do not count yet.")


def _cells(each: MeterStanding, company: Company) -> list[Any]:
    from billing.meter_words import called, figure

    found = company.agreement(each.agreement)
    currency = found.currency if found else "EUR"

    def say(value: Decimal) -> str:
        return figure(value, each.measure, currency)

    line, blocks, by_progress = each.next, each.blocks, each.measure == "progress"
    left, style = "–", ""
    if blocks is not None:
        left, style = (say(blocks.left), "") if blocks.left >= 0 else (f"{say(-blocks.left)} not paid", "red")
    following = "–"
    if line is not None:
        following = f"{called(line.name)} " + (
            f"at {say(line.threshold)}" if by_progress else f"in {say(line.missing)}"
        )
        if blocks is not None and blocks.expires is not None:
            following += f"; hours lapse on {blocks.expires}"
    percent = line.percent if line else None
    return [
        output.styled(each.agreement),
        output.styled(say(line.value if line and by_progress else each.used)),
        output.styled(_drawn(percent), "yellow" if percent is not None and percent >= 80 else "dim"),
        output.styled(left, style),
        output.styled(following),
    ]


def _drawn(percent: int | None) -> str:
    """A bar: how far it is from the last line to the next."""
    if percent is None:
        return ""
    full = percent * _BAR // 100
    return "█" * full + "░" * (_BAR - full)


def _figure(value: Decimal) -> str:
    return f"{value.normalize():f}"


def plain(each: MeterStanding, company: Company) -> dict[str, Any]:
    """A meter as plain data; figures are text."""
    found, blocks, line = company.agreement(each.agreement), each.blocks, each.next
    return {
        "agreement": each.agreement,
        "client": found.client if found else None,
        "measure": each.measure,
        "unit": {"hours": "h", "progress": "%"}.get(each.measure, found.currency if found else None),
        "used": _figure(each.used),
        "held": [{"source": entry.source, "id": entry.id, "because": why.why} for entry, why in each.held],
        "next": line
        and {
            "line": line.name,
            "at": _figure(line.threshold),
            "missing": _figure(line.missing),
            "percent": line.percent,
        },
        "blocks": blocks
        and {
            "bought": _figure(blocks.bought),
            "left": _figure(blocks.left),
            "lapsed": _figure(blocks.lapsed),
            "rolled_over": _figure(blocks.rolled_over),
            "beyond": _figure(sum((use.hours for use in blocks.beyond), Decimal(0))),
            "expires": blocks.expires,
        },
    }
