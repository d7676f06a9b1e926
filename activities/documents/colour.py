"""The colours of an issuer's documents."""

from __future__ import annotations


def readable_on_white(colour: str) -> str:
    """The colour (`#rrggbb`), darkened until its text on white has the contrast WCAG 2 asks for (4.5 : 1)."""
    channels = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    while 1.05 / (_luminance(channels) + 0.05) < 4.5:
        channels = [channel * 9 // 10 for channel in channels]
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _luminance(channels: list[int]) -> float:
    """Relative luminance of an sRGB colour, 0 (black) to 1 (white)."""
    linear = [
        c / 12.92 if (c := channel / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for channel in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
