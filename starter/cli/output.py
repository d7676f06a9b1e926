"""What commands write: 80 columns for people, in colour on a terminal; one JSON document for programs."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from starter.cli.plain_text import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDTH = 80

STYLES: Mapping[str, str] = {
    "issued": "green",
    "paid": "bold green",
    "awaiting approval": "yellow",
    "issued, document pending": "yellow",
    "partly paid": "yellow",
    "overpaid": "yellow",
    "due": "yellow",
    "reminded": "yellow",
    "promised": "cyan",
    "disputed": "red",
    "blocked": "cyan",
    "handed over": "red",
    "voided draft": "dim",
    "written off": "dim",
    "closed": "dim",
}
"""The colour of a status, whatever its axis; the word says the same without it."""

_UNSAFE_IN_JSON = {
    code: f"\\u{code:04x}"
    for code in [*range(0x7F, 0xA0), *range(0x200E, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
}
"""Characters JSON allows unescaped but a terminal may obey."""


def make_ready() -> None:
    """A character the terminal's encoding lacks is shown as '?' and ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def console(*, stderr: bool = False) -> Console:
    """Where people read. Nothing written to it is taken for markup."""
    from rich.console import Console

    made = Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=False)
    made.width = min(WIDTH, made.width) if made.is_terminal else WIDTH
    return made


def say(text: str) -> None:
    """A message on stdout; data in it is made safe."""
    console().print(plain(text, lines=True), overflow="fold")


def hint(text: str) -> None:
    """What to type next, on a line of its own, never broken: it is there to be copied."""
    console().print(styled(text, "dim"), soft_wrap=True)


def styled(text: str, style: str = "") -> Text:
    """Data as text in a style, made safe."""
    from rich.text import Text

    return Text(plain(text), style=style)


def status(text: str) -> Text:
    """A status in its colour."""
    return styled(text, STYLES.get(text, ""))


def document(content: Any) -> None:
    """The one JSON document of a command. Amounts are strings, instants ISO 8601."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
    text = json.dumps(content, indent=2, default=str, ensure_ascii=encoding != "utf8")
    click.echo(text.translate(_UNSAFE_IN_JSON))


def money(amount: Decimal | None, currency: str | None) -> str:
    """`EUR 1,234.50`; a dash where there is no amount yet."""
    if amount is None or currency is None:
        return "–"
    return f"{currency} {amount:,}"


def day(value: date | None) -> str:
    """`2026-12-01`; a dash where there is none."""
    return value.isoformat() if value else "–"


def moment(value: datetime | None, zone: ZoneInfo | None = None) -> str:
    """`Tue 2026-12-01 09:00 CET`; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value.astimezone(zone or UTC):%a %Y-%m-%d %H:%M %Z}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 invoice`, `2,000 invoices`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
