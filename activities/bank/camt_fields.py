"""Single fields of an ISO 20022 message: text, amounts, days."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from billing.currencies import MINOR_UNITS
from billing.errors import MoneyError
from billing.money import Money, rounded_exactly

LONGEST_TEXT = 2000
"""Characters of one field that are kept; the standard has 500 at most."""

_AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{0,5})?|\.[0-9]{1,5}")
_SECONDS = 19
_YEARS = range(1970, 2200)
"""Years that can be meant; in others, time zones end."""


class Faulty(Exception):
    """A field that is not what the standard says."""


def name_of(element: Any) -> str:
    """The name of an element without its namespace; empty for what is none."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def first(element: Any, path: str) -> Any | None:
    """The first element at a path such as `Acct/Id/IBAN`, of whatever namespace."""
    return element.find(_anywhere(path))


@cache
def _anywhere(path: str) -> str:
    return "/".join(f"{{*}}{step}" for step in path.split("/"))


def text_of(element: Any, path: str) -> str:
    """The text at a path, in one line, without what cannot be stored; empty where there is none."""
    found = first(element, path) if element is not None else None
    return line_of(found)


def line_of(element: Any | None) -> str:
    """The text of an element, in one line."""
    if element is None or not element.text:
        return ""
    return " ".join(element.text.replace("\0", " ").split())[:LONGEST_TEXT]


def currency_of(code: str) -> str:
    """The currency; `Faulty` if ISO 4217 has none such."""
    if code not in MINOR_UNITS:
        raise Faulty(f"{code[:10]!r} is not a currency in ISO 4217")
    return code


def amount_of(element: Any | None) -> tuple[Decimal, str]:
    """Amount and currency of an element with `Ccy`; `Faulty` if it is not exactly an amount of that currency."""
    if element is None:
        raise Faulty("an amount is missing")
    text, code = (element.text or "").strip(), currency_of(element.get("Ccy", ""))
    if not _AMOUNT.fullmatch(text):
        raise Faulty(f"{text[:40]!r} is not an amount")
    try:
        return rounded_exactly(Decimal(text), code), code
    except MoneyError as error:
        raise Faulty(str(error)) from error


def money_of(element: Any | None) -> Money | None:
    """The amount of an element that may be missing; None, too, for what is none: what is booked stands elsewhere."""
    try:
        return None if element is None else Money.of(*amount_of(element))
    except Faulty:
        return None


def day_of(element: Any | None) -> date | None:
    """The day of a choice of `Dt` and `DtTm`; a zone at its end says nothing about the day that is booked."""
    if element is None:
        return None
    text = text_of(element, "Dt") or text_of(element, "DtTm") or line_of(element)
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        raise Faulty(f"{text[:40]!r} is not a day") from None
    if day.year not in _YEARS:
        raise Faulty(f"{text[:40]!r} is not a day on which a bank books")
    return day


def instant_of(text: str) -> datetime | None:
    """The instant, naive if it names no zone; None where there is none or it is none."""
    for written in (text, text[:_SECONDS]):
        try:
            instant = datetime.fromisoformat(written)
        except ValueError:
            continue
        return instant if instant.year in _YEARS else None
    return None
