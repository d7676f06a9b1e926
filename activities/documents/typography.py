"""How amounts, dates, quantities and addresses are written for a reader: by language and country."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime, format_interval, format_skeleton
from babel.languages import get_official_languages
from babel.numbers import format_decimal

from activities.documents import addresses
from activities.documents.units import unit_in_words
from activities.languages.catalogue import LANGUAGES as LANGUAGES
from activities.languages.catalogue import catalogue
from billing.money import Money, rounded, smallest_unit
from billing.parties import Address
from billing.periods import Period

_USUAL = {"en": "en_GB", "pt": "pt_PT"}
"""How a language is written where it is not at home, if not as in the country Babel takes it for."""

_SIGNS = {"EUR": "€", "GBP": "£"}
_HOME_SIGNS = {("pl", "PLN"): "zł"}
"""Only signs that stand for one currency; a dollar sign stands for twenty."""

_MONTHS_IN_FULL = {"pl"}
"""Where a month is inflected in a sentence, its abbreviation does not stand in one."""

_NBSP = "\N{NO-BREAK SPACE}"
_IDLE_ZERO = re.compile(r"(?<!\d)0(?=\d)")


class Typography:
    """Writes values for readers of a language (ISO 639-1) in a country (ISO 3166-1 alpha-2, may be empty).

    The country decides separators, the place of the currency and the order of a date where the language
    is at home there; elsewhere German is written as in Germany, English as in Britain, Portuguese as in
    Portugal. Figures are grouped from 1,000 on in every language, so that columns of them can be read. `words`
    are those of the language, `more` a company's own catalogue for it; without one, it is English.
    """

    def __init__(self, language: str, territory: str = "", more: bytes | None = None) -> None:
        self.words = catalogue(language, more)
        self.language = self.words.language
        at_home = territory and self.language in get_official_languages(territory, de_facto=True)
        self._locale = Locale.parse(
            f"{self.language}_{territory}" if at_home else _USUAL.get(self.language, self.language)
        )
        short = format_skeleton("yMMMd", date(2026, 11, 1), locale=self._locale)
        in_words = any(each.isalpha() for each in short) and self.language not in _MONTHS_IN_FULL
        self._day = "yMMMd" if in_words else "yMMMMd"
        percent = Locale.parse(self.language).percent_formats[None].pattern
        self._percent = "%" if percent.endswith("0%") else f"{_NBSP}%"

    def amount(self, amount: Decimal, currency: str) -> str:
        """The bare figure with the currency's decimals, half away from zero: `1.234,50`."""
        return self._decimal(rounded(amount, currency), -int(smallest_unit(currency).as_tuple().exponent))

    def money(self, money: Money) -> str:
        """The amount with its currency: `1.234,50 €`, `€1,234.50`, `CHF 1’234.50`."""
        figure = self.amount(abs(money.amount), money.currency)
        minus = "−" if money.amount < 0 else ""
        home = _HOME_SIGNS.get((self.language, money.currency), money.currency)
        symbol = _SIGNS.get(money.currency, home)
        pattern = self._locale.currency_formats["standard"].pattern
        if not pattern.startswith("¤"):
            return f"{minus}{figure}{_NBSP}{symbol}"
        gap = _NBSP if symbol.isalpha() or not pattern.startswith("¤#") else ""
        return f"{minus}{symbol}{gap}{figure}"

    def price(self, price: Decimal, currency: str) -> str:
        """A unit price: at least the currency's decimals, and all it has (`0,0825`)."""
        least = -int(smallest_unit(currency).as_tuple().exponent)
        return self._decimal(price, max(least, _decimals(price)))

    def number(self, number: Decimal) -> str:
        """A plain figure without idle zeros: `12,5`."""
        return self._decimal(number, _decimals(number))

    def hours(self, hours: Decimal) -> str:
        """Hours with two decimals, half away from zero, as columns of them need: `12,50`."""
        return self._decimal(hours.quantize(Decimal("0.01"), ROUND_HALF_UP), 2)

    def rate(self, rate: Decimal) -> str:
        """A rate in per cent: `19 %` in German, `19%` in English."""
        return f"{self.number(rate)}{self._percent}"

    def quantity(self, quantity: Decimal, unit: str) -> str:
        """A quantity with its unit in words; `unit` is a code of UN/ECE recommendation 20."""
        return f"{self.number(quantity)} {unit_in_words(unit, quantity, self.words, self._locale)}"

    def day(self, day: date) -> str:
        """A date with the month in words, so that nobody mistakes day for month: `22. Nov. 2026`."""
        return _no_breaks(format_skeleton(self._day, day, locale=self._locale))

    def moment(self, at: datetime, zone: str) -> str:
        """An instant with weekday, date, time and zone, as clocks show it in `zone` (IANA)."""
        day = format_datetime(at, "EEEE, ", tzinfo=ZoneInfo(zone), locale=self._locale)
        clock = format_datetime(at, "HH:mm", tzinfo=ZoneInfo(zone), locale=self._locale)
        return f"{day}{self.day(at.astimezone(ZoneInfo(zone)).date())}, {clock} ({zone})"

    def period(self, period: Period) -> str:
        """First and last day: `1.–30. Nov. 2026`."""
        if period.start == period.end:
            return self.day(period.start)
        written = format_interval(period.start, period.end, self._day, locale=self._locale)
        return _IDLE_ZERO.sub("", str(written))

    def country(self, code: str) -> str:
        """The country's name in the reader's language."""
        return str(self._locale.territories.get(code, code))

    def address(self, address: Address, *, from_country: str) -> list[str]:
        """The lines of a postal address below the name; the country only where post crosses a border."""
        lines = addresses.lines(address)
        if address.country != from_country:
            lines.append(self.country(address.country).upper())
        return lines

    def _decimal(self, number: Decimal, places: int) -> str:
        pattern = self._locale.decimal_formats[None].pattern.split(".")[0]
        written = format_decimal(
            number,
            f"{pattern}.{'0' * places}" if places else pattern,
            locale=self._locale,
            decimal_quantization=False,
        )
        return str(written).replace("-", "−")


@lru_cache(maxsize=256)
def typography(language: str, territory: str = "", more: bytes | None = None) -> Typography:
    """The typography of a language and country; made once per process."""
    return Typography(language, territory, more)


def in_fours(text: str) -> str:
    """An IBAN or creditor reference as people read it aloud: `DE12 3456 …`."""
    bare = "".join(text.split())
    return " ".join(bare[start : start + 4] for start in range(0, len(bare), 4))


def _decimals(number: Decimal) -> int:
    return max(0, -int(number.normalize().as_tuple().exponent))


def _no_breaks(text: str) -> str:
    return text.replace(" ", _NBSP)
