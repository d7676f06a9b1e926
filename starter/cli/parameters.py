"""Options and arguments that several commands take, and how people may write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_LONGEST_TEXT = 2000
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Text(click.ParamType[str]):
    """Text that can be stored: not empty unless that is allowed, no NUL, no bytes that are not UTF-8."""

    name = "text"

    def __init__(self, *, may_be_empty: bool = False) -> None:
        self._may_be_empty = may_be_empty

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not text and not self._may_be_empty:
            self.fail("is empty", param, ctx)
        if len(text) > _LONGEST_TEXT:
            self.fail(f"has {len(text):,} characters, more than {_LONGEST_TEXT:,}", param, ctx)
        try:
            text.encode()
        except UnicodeEncodeError:
            self.fail("has bytes that are not UTF-8", param, ctx)
        if "\0" in text:
            self.fail("has a NUL character in it", param, ctx)
        return text


class Amount(click.ParamType[Decimal]):
    """A figure with a decimal point and nothing else; never a float."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        if isinstance(value, Decimal):
            return value
        text = str(value).strip()
        if re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,4})?", text):
            return Decimal(text)
        return self.fail(f"{text!r} is not an amount; write {self._meant(text)}", param, ctx)

    @staticmethod
    def _meant(text: str) -> str:
        bare = re.sub(r"[\s'_]|^[A-Z]{3}|[A-Z]{3}$|[€$£]", "", text)
        digits = re.sub(r"[.,]", "", bare)
        currency = ", and the currency with --currency" if re.search(r"[A-Z€$£]", text) else ""
        if not re.fullmatch(r"-?[0-9]{1,12}", digits):
            return "digits and a decimal point, such as 1234.56"
        last = max(bare.rfind("."), bare.rfind(","))
        decimals = len(bare) - last - 1 if last >= 0 else 0
        if decimals == 3 and len(re.findall("[.,]", bare)) == 1:
            return f"{digits} or {digits[:-3]}.{digits[-3:]}, whichever is meant{currency}"
        if last < 0 or decimals == 3:
            return digits + currency
        return f"{digits[:-decimals]}.{digits[-decimals:]}{currency}" if decimals else digits + currency


class Day(click.ParamType[date]):
    """A day as 2026-12-01."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        found = day_of(str(value))
        if found is None:
            self.fail(f"{value!r} is not a day; write it as 2026-12-01", param, ctx)
        return found


class Until(click.ParamType["date | datetime | timedelta"]):
    """A day, an instant with or without zone, or a distance such as 3d."""

    name = "until"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date | datetime | timedelta:
        if isinstance(value, date | timedelta):
            return value
        text = str(value).strip()
        distance = re.fullmatch(r"([0-9]{1,5})([mhdw])", text)
        if distance:
            return timedelta(**{_UNITS[distance[2]]: int(distance[1])})
        found = day_of(text)
        if found is not None:
            return found
        if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]", text):
            with suppress(ValueError):
                return datetime.fromisoformat(text)
        return self.fail(
            f"{text!r} is no point in time; write a day (2026-12-01), an instant (2026-12-01T09:00) "
            "or a distance (30m, 12h, 3d, 2w)",
            param,
            ctx,
        )


def day_of(text: str) -> date | None:
    """The day written as 2026-12-01, else None."""
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text.strip()) else None
    except ValueError:
        return None


def invoice_argument(command: Command) -> Command:
    """INVOICE: a number or a billing key."""
    return click.argument("invoice", type=Text(), metavar="INVOICE")(command)


def as_option(*, required: bool) -> Callable[[Command], Command]:
    """--as WHO: a person's id; the environment's BILLOW_AS stands for it."""
    return click.option(
        "--as",
        "who",
        type=Text(),
        required=required,
        envvar="BILLOW_AS",
        metavar="WHO",
        help="Who does this: an id from people.yaml.  [env: BILLOW_AS]",
    )


def json_option(command: Command) -> Command:
    """--json: one JSON document on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")(command)
