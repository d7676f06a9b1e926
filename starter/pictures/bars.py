"""Bars over months, one panel a currency; readable on light and dark ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

WIDTH, LEFT, RIGHT, PANEL, TOP, BOTTOM = 880, 84, 24, 190, 60, 40
"""Of the picture, in pixels: its width, margins, the height of a panel, of head (without notes) and foot."""

_HEAD, _FOOT = 34, 30

MOST_LABELS = 13
"""Months that are all named; of more, every third."""
_STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1c2530 }
  .ground { fill: #fbfbf9 } .title { font-size: 18px; font-weight: 600 } .quiet { fill: #5d6875 }
  .currency { font-weight: 600 } .axis { stroke: #9aa4af } .grid { stroke: #dfe3e7 }
  .one { fill: #1f6f8b } .two { fill: #d98e2b }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e9ee } .ground { fill: #14191f } .quiet { fill: #9aa6b2 } .axis { stroke: #66717d }
    .grid { stroke: #2b333c } .one { fill: #4fb0d0 } .two { fill: #e9a950 }
  }
"""
_CLASSES = ("one", "two")


@dataclass(frozen=True)
class Panel:
    """A currency, and for each series one amount a month."""

    currency: str
    series: Sequence[Sequence[Decimal]]


def picture(
    title: str, notes: Sequence[str], months: Sequence[str], names: Sequence[str], panels: Sequence[Panel]
) -> str:
    """An SVG document: title, notes of a line each, and a panel for each currency.

    In it stands a bar for each month and each of at most two series.
    """
    top = TOP + 20 * len(notes)
    height = top + max(len(panels), 1) * PANEL + BOTTOM
    described = ". ".join((title, *notes))
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(described)}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        _text(LEFT, 30, title, "title"),
        *(_text(LEFT, 52 + 20 * number, note, "quiet") for number, note in enumerate(notes)),
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, months, names, top + number * PANEL)
    if not panels:
        parts.append(_text(LEFT, top + PANEL // 2, "No amounts in this time.", "quiet"))
    parts += _legend(names, height - 16)
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, months: Sequence[str], names: Sequence[str], top: int) -> list[str]:
    high = max((amount for each in panel.series for amount in each), default=Decimal(0))
    scale_to = round_up(high)
    floor, room = top + PANEL - _FOOT, PANEL - _HEAD - _FOOT

    def y(amount: Decimal) -> float:
        return floor - float(amount / scale_to) * room

    parts = [_text(LEFT, top + 14, panel.currency, "currency")]
    for share in (Decimal("0.5"), Decimal(1)):
        level = y(scale_to * share)
        parts.append(_line(LEFT, level, WIDTH - RIGHT, level, "grid"))
        parts.append(_text(LEFT - 8, level + 4, short(scale_to * share), "quiet", "end"))
    width = (WIDTH - LEFT - RIGHT) / len(months)
    bar = min(34.0, width / (len(panel.series) + 1))
    for number, month in enumerate(months):
        middle = LEFT + width * (number + 0.5)
        if len(months) <= MOST_LABELS or number % 3 == 0:
            parts.append(_text(middle, floor + 18, month, "quiet", "middle"))
        for which, amounts in enumerate(panel.series):
            if not amounts[number]:
                continue
            x = middle + (which - len(panel.series) / 2) * bar
            level = y(amounts[number])
            told = f"{month}, {names[which]}: {panel.currency} {amounts[number]:,}"
            parts.append(
                f'<rect class="{_CLASSES[which]}" x="{x + 1:.1f}" y="{level:.1f}" width="{bar - 2:.1f}" '
                f'height="{floor - level:.1f}"><title>{escape(told)}</title></rect>'
            )
    return [*parts, _line(LEFT, floor, WIDTH - RIGHT, floor, "axis")]


def _legend(names: Sequence[str], y: int) -> list[str]:
    parts, x = [], float(LEFT)
    for which, name in enumerate(names):
        parts.append(f'<rect class="{_CLASSES[which]}" x="{x:.0f}" y="{y - 11}" width="12" height="12"/>')
        parts.append(_text(x + 18, y, name))
        x += 46 + 8 * len(name)
    return parts


def round_up(amount: Decimal) -> Decimal:
    """The next figure people like to read, such as 1.5, 2 or 40."""
    if amount <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(amount.adjusted())
    steps = map(Decimal, ("1", "1.2", "1.5", "2", "2.5", "3", "4", "5", "6", "8", "10"))
    return next(power * each for each in steps if power * each >= amount)


def short(amount: Decimal) -> str:
    """An amount at an axis, such as 40 k."""
    for unit, size in (("M", Decimal(1_000_000)), ("k", Decimal(1000))):
        if amount >= size:
            return f"{(amount / size).normalize():f} {unit}"
    return f"{amount.normalize():f}"


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.0f}" y1="{y1:.1f}" x2="{x2:.0f}" y2="{y2:.1f}" class="{kind}"/>'
