"""Invoice numbers: gapless, unique, in order of date."""

from __future__ import annotations

from datetime import date

from billing.number_limits import LONGEST_REFERENCE
from billing.number_pattern import NumberPattern
from billing.parties import Strict


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


def take_number(pattern: NumberPattern, state: SeriesState, today: date) -> NumberTaken:
    """The next number of the series. The issue date is today, but never before the series' last or its year.

    A new (fiscal) year begins again at 1. The year never goes back, also if an issuer changes the month its years begin
    in: no number could come twice. `NumberingError` if the number would be too long.
    """
    begun = pattern.begin_of(state.year) if state.last else today
    issue_date = max(today, state.last_date or begun)
    year = max(pattern.year_of(issue_date), state.year if state.last else 0)
    count = state.last + 1 if state.last and state.year == year else 1
    return NumberTaken(
        number=pattern.number(year, count),
        issue_date=issue_date,
        state=SeriesState(year=year, last=count, last_date=issue_date),
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
