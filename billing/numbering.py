"""Invoice numbers: gapless, unique, in order of date."""

from __future__ import annotations

from datetime import date

from billing.errors import NumberingError
from billing.parties import Strict

MAX_LENGTH = 16
"""Longest number allowed: rule 46(b) of India's CGST rules, the strictest known."""


LONGEST_REFERENCE = 21
"""Characters after RF and check digits (ISO 11649)."""


class SeriesState(Strict):
    """Where a series stands: the year it counts in, its last number and the last issue date."""

    year: int
    last: int
    last_date: date | None = None


class NumberTaken(Strict):
    """A number, its issue date, and the series after it."""

    number: str
    issue_date: date
    state: SeriesState


def take_number(prefix: str, state: SeriesState, today: date) -> NumberTaken:
    """The next number of the series. The issue date is today, but never before the series' last or its year.

    A new year begins again at 1. `NumberingError` if the number would be too long.
    """
    begun = date(state.year, 1, 1) if state.last else today
    issue_date = max(today, state.last_date or begun)
    last = state.last if state.year == issue_date.year else 0
    number = f"{prefix}{issue_date.year}-{last + 1:05d}"
    if len(number) > MAX_LENGTH:
        raise NumberingError(
            f"{number} is longer than {MAX_LENGTH} characters; choose a shorter number_prefix"
        )
    return NumberTaken(
        number=number,
        issue_date=issue_date,
        state=SeriesState(year=issue_date.year, last=last + 1, last_date=issue_date),
    )


def payment_reference(number: str) -> str:
    """The structured creditor reference of an invoice number (ISO 11649): RF, check digits, reference.

    Empty for a number that makes none: without a letter or digit of the standard, or with more than 21 of them.
    """
    reference = "".join(each for each in number.upper() if each.isascii() and each.isalnum())
    if not 0 < len(reference) <= LONGEST_REFERENCE:
        return ""
    as_digits = "".join(str(int(character, 36)) for character in reference + "RF00")
    return f"RF{98 - int(as_digits) % 97:02d}{reference}"
