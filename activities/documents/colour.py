"""The colours of an issuer's documents."""

from __future__ import annotations


def readable_on_white(colour: str) -> str:
    """The colour (`#rrggbb`), darkened until its text on white has the contrast WCAG 2 asks for (4.5 : 1)."""
    channels = _channels(colour)
    while 1.05 / (_luminance(channels) + 0.05) < 4.5:
        channels = [channel * 9 // 10 for channel in channels]
    return _written(channels)


def readable_on_dark(colour: str, ground: str) -> str:
    """The colour, thinned with white until its text on the dark `ground` has that contrast."""
    channels = _channels(colour)
    while contrast(_written(channels), ground) < 4.5:
        channels = [255 - (255 - channel) * 9 // 10 for channel in channels]
    return _written(channels)


def readable_on(colour: str) -> str:
    """White or near black, whichever stands out more against the colour."""
    luminance = _luminance(_channels(colour))
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.06 else "#16191c"


def tint(colour: str, share: int = 8) -> str:
    """The colour thinned with white: `share` per cent of it."""
    return _written([255 - (255 - channel) * share // 100 for channel in _channels(colour)])


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21, as WCAG 2 reckons it."""
    dark, light = sorted(_luminance(_channels(each)) + 0.05 for each in (one, other))
    return light / dark


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _written(channels: list[int]) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _luminance(channels: list[int]) -> float:
    """Relative luminance of an sRGB colour, 0 (black) to 1 (white)."""
    linear = [
        c / 12.92 if (c := channel / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for channel in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
