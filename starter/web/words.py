"""How figures, instants and states read on a page."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from billing.money import rounded

_TONES = {
    "awaiting approval": "waiting",
    "issued, document pending": "waiting",
    "partly paid": "waiting",
    "promised": "waiting",
    "disputed": "alert",
    "blocked": "waiting",
    "due": "alert",
    "reminded": "alert",
    "handed over": "alert",
    "paid": "good",
    "overpaid": "waiting",
}

_UNITS = {"HUR": "h", "C62": "×", "MON": "month", "DAY": "day"}
"""Unit codes of UN/ECE recommendation 20 that people would not read."""


def environment() -> Environment:
    """The page templates: escaped, and a misspelt name is an error rather than nothing."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "money": money,
        "day": day,
        "instant": instant,
        "distance": distance,
        "tone": tone,
        "unit": unit,
        "figure": figure,
        "size": size,
        "duration": duration,
    }
    return made


def money(amount: Decimal | None, currency: str | None) -> str:
    """'EUR 8,500.00' with a space that does not break; a dash where there is no amount."""
    if amount is None or currency is None:
        return "–"
    return f"{currency}\u00a0{rounded(amount, currency):,}".replace("-", "\u2212")


def figure(value: Decimal) -> str:
    """A quantity or rate without needless zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit(code: str) -> str:
    return _UNITS.get(code, code)


def size(octets: int) -> str:
    return f"{octets / 1024:,.0f}\u00a0KB" if octets >= 1024 else f"{octets}\u00a0bytes"


def duration(length: timedelta | None) -> str:
    """'2 h 5 min': the two largest units; a dash where nothing is late."""
    if length is None:
        return "–"
    seconds = max(0, int(length.total_seconds()))
    parts = (
        (seconds // 86400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "min"),
        (seconds % 60, "s"),
    )
    return " ".join([f"{count}\u00a0{unit}" for count, unit in parts if count][:2]) or "0\u00a0s"


def day(value: date | None) -> str:
    return f"{value.day}\u00a0{value:%b}\u00a0{value.year}" if value else "–"


def instant(at: datetime | None, zone: ZoneInfo) -> str:
    """A `<time>` in the zone, which its title names."""
    if at is None:
        return "–"
    local = at.astimezone(zone)
    return _time(local, zone, f"{day(local.date())}, {local:%H:%M}")


def distance(at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """A `<time>` as people say it: in 3 hours, 2 days ago; its title is the instant."""
    if at is None:
        return "–"
    return _time(at.astimezone(zone), zone, _distance(at - now))


def _time(local: datetime, zone: ZoneInfo, text: str) -> Markup:
    title = f"{local:%A, %Y-%m-%d %H:%M:%S} {local:%Z} ({zone.key})"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(local.isoformat(), title, text)


def _distance(length: timedelta) -> str:
    away, past = abs(length), length < timedelta(0)
    minutes = int(away.total_seconds() // 60)
    if minutes < 1:
        return "just now" if past else "in a moment"
    for step, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        count = round(minutes / step)
        if minutes >= step:
            said = f"{count}\u00a0{word}{'' if count == 1 else 's'}"
            return f"{said} ago" if past else f"in {said}"
    return ""


def tone(status: str) -> str:
    """The calm colour of a status badge."""
    return _TONES.get(status, "plain")
