"""Pictures of amounts as SVG in a page: bars with parts on each other, one currency a picture.

Colours are classes of the style sheet. A table with the same figures stands beside each picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup, escape

from starter.pictures.bars import round_up

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 640, 216, 52, 4, 12, 26
COLOURS = ("one", "two", "three", "four", "five")


@dataclass(frozen=True)
class Bar:
    """A bar: what stands under it, and its parts from the ground up, each with what a pointer reads about it."""

    label: str
    parts: Sequence[tuple[Decimal, str]]

    @property
    def whole(self) -> Decimal:
        return sum((amount for amount, _ in self.parts), Decimal(0))


def bars(
    described: str,
    shown: Sequence[Bar],
    short: Callable[[Decimal], str],
    colours: Sequence[str] = COLOURS,
    every: int = 1,
) -> Markup:
    """The picture; `described` is read instead of it. Of the labels, each `every`th is written."""
    top = round_up(max((each.whole for each in shown), default=Decimal(0)))
    floor, room = HEIGHT - FOOT, HEIGHT - FOOT - TOP
    made = [
        Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            WIDTH, HEIGHT, described
        )
    ]
    anything = any(each.whole > 0 for each in shown)
    for share in (Decimal("0.5"), Decimal(1)) if anything else ():
        y = floor - room * float(share)
        made.append(_line(y, "grid"))
        made.append(_text(LEFT - 8, y + 4, short(top * share), "end"))
    width = (WIDTH - LEFT - RIGHT) / max(len(shown), 1)
    bar = min(54.0, width * 0.68)
    for number, each in enumerate(shown):
        middle, height = LEFT + width * (number + 0.5), 0.0
        if number % every == 0:
            made.append(_text(middle, floor + 18, each.label, "middle"))
        for (amount, told), colour in zip(each.parts, colours, strict=False):
            high = float(amount / top) * room if amount > 0 else 0.0
            if high:
                height += high
                made.append(
                    Markup(
                        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
                    ).format(colour, middle - bar / 2, floor - height, bar, max(high, 1.0), told)
                )
    made += [_line(floor, "axis"), Markup("</svg>")]
    return Markup("\n").join(made)


def _line(y: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
        kind, LEFT, WIDTH - RIGHT, y, y
    )


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.0f}" y="{:.0f}" text-anchor="{}">{}</text>').format(x, y, anchor, escape(text))
