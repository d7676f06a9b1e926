"""Units in words, in the form that stands after a quantity."""

from __future__ import annotations

from decimal import Decimal

from babel import Locale

from activities.languages.catalogue import Catalogue, counted, message

_UNITS = {
    "HUR": (counted("hour", "hours"), message("hours")),
    "DAY": (counted("day", "days"), message("days")),
    "WEE": (counted("week", "weeks"), message("weeks")),
    "MON": (counted("month", "months"), message("months")),
    "ANN": (counted("year", "years"), message("years")),
    "C62": (counted("unit", "units"), message("units")),
    "H87": (counted("piece", "pieces"), message("pieces")),
    "LS": (counted("lump sum", "lump sums"), message("lump sums")),
    "KMT": (counted("km", "km"), message("km")),
}
"""By code of UN/ECE recommendation 20: the forms after whole numbers, and the one after a decimal figure that no whole
number shares (Polish: 1 godzina, 2 godziny, 5 godzin, but 12,5 godziny)."""


def unit_in_words(unit: str, quantity: Decimal, words: Catalogue, locale: Locale) -> str:
    """The unit as the language has it after that quantity (CLDR plural rules); an unknown code stays as it is."""
    if unit not in _UNITS:
        return unit
    (one, many), after_decimal = _UNITS[unit]
    number = abs(quantity).normalize()
    if number == int(number):
        return words.ngettext(one, many, int(number))
    category = locale.plural_form(number)
    like = next((whole for whole in range(1, 12) if locale.plural_form(whole) == category), None)
    return words.gettext(after_decimal) if like is None else words.ngettext(one, many, like)
