"""Reading what people typed into forms."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from billing.currencies import MINOR_UNITS
from billing.errors import Refused

LARGEST_FORM = 64 * 1024
MOST_FIELDS = 140
"""A form with a tick for every item of a full inbox."""
_DIGITS_OF_AN_ID = 10
_AMOUNT = re.compile(r"([-\u2212]?)(\d{1,12})(?:[.,](\d+))?")

Form = dict[str, str]


async def read_form(request: Request) -> Form:
    """The fields of a form as stripped text; 413 when it is larger than any form of ours."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise HTTPException(413, "That is more than a form of ours can hold. Nothing was changed.")
    try:
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
    except ValueError as error:
        raise HTTPException(413, "That is not a form of ours. Nothing was changed.") from error
    return {key: value.replace("\0", "").strip() for key, value in fields}


def amount_of(text: str, currency: str) -> Decimal:
    """An amount as people write it, 1250.00 or 1250,00; `Refused` where a separator could mean thousands."""
    found = _AMOUNT.fullmatch(text.replace("\u00a0", "").replace(" ", ""))
    decimals = MINOR_UNITS.get(currency, 2)
    if found is None or len(found[3] or "") > decimals:
        example = "1250" + ("." + "0" * decimals if decimals else "")
        raise Refused(
            f"{text[:40]!r} is not an amount in {currency}: write it as {example}, nothing between thousands"
        )
    return Decimal(f"{'-' if found[1] else ''}{found[2]}.{found[3] or 0}")


def id_of(text: str, what: str) -> int:
    """The id a form of ours carries; `Refused` for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS_OF_AN_ID):
        raise Refused(f"the form does not say which {what} you looked at; load the page again")
    return int(text)


def day_of(text: str, what: str) -> date:
    """A day as a date field gives it; `Refused` otherwise."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"{what}: write a day such as 2026-11-30") from error
