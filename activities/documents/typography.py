"""How amounts, dates, quantities and addresses are written for a reader: by language and country."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime, format_interval, format_skeleton
from babel.numbers import format_decimal

from billing.money import Money, rounded, smallest_unit
from billing.parties import Address
from billing.periods import Period

LANGUAGES = ("en", "de")
"""Languages documents and mails are written in; readers of any other language get the first."""

_LOCALES = {
    "de": ("de_DE", {"AT", "CH", "LI"}),
    "en": ("en_GB", {"US", "CA", "IN", "IE", "AU", "NZ", "SG"}),
}
_SYMBOLS = {"EUR": "€", "GBP": "£"}
"""Only signs that stand for one currency; a dollar sign stands for twenty."""

_NBSP = "\N{NO-BREAK SPACE}"

_UNITS = {
    "en": {
        "HUR": ("hour", "hours"),
        "DAY": ("day", "days"),
        "WEE": ("week", "weeks"),
        "MON": ("month", "months"),
        "ANN": ("year", "years"),
        "C62": ("unit", "units"),
        "H87": ("piece", "pieces"),
        "LS": ("lump sum", "lump sums"),
        "KMT": ("km", "km"),
    },
    "de": {
        "HUR": ("Stunde", "Stunden"),
        "DAY": ("Tag", "Tage"),
        "WEE": ("Woche", "Wochen"),
        "MON": ("Monat", "Monate"),
        "ANN": ("Jahr", "Jahre"),
        "C62": ("Einheit", "Einheiten"),
        "H87": ("Stück", "Stück"),
        "LS": ("Pauschale", "Pauschalen"),
        "KMT": ("km", "km"),
    },
}


class Typography:
    """Writes values for readers of a language (ISO 639-1) in a country (ISO 3166-1 alpha-2, may be empty).

    The country decides separators, the place of the currency and the order of a date where the language
    is at home there; elsewhere German is written as in Germany and English as in Britain.
    """

    def __init__(self, language: str, territory: str = "") -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        usual, variants = _LOCALES[self.language]
        self._locale = Locale.parse(f"{self.language}_{territory}" if territory in variants else usual)

    def amount(self, amount: Decimal, currency: str) -> str:
        """The bare figure with the currency's decimals, half away from zero: `1.234,50`."""
        return self._decimal(rounded(amount, currency), -int(smallest_unit(currency).as_tuple().exponent))

    def money(self, money: Money) -> str:
        """The amount with its currency: `1.234,50 €`, `€1,234.50`, `CHF 1’234.50`."""
        figure = self.amount(abs(money.amount), money.currency)
        minus = "−" if money.amount < 0 else ""
        symbol = _SYMBOLS.get(money.currency, money.currency)
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

    def rate(self, rate: Decimal) -> str:
        """A rate in per cent: `19 %` in German, `19%` in English."""
        return f"{self.number(rate)}{_NBSP if self.language == 'de' else ''}%"

    def quantity(self, quantity: Decimal, unit: str) -> str:
        """A quantity with its unit in words; `unit` is a code of UN/ECE recommendation 20."""
        one = self._locale.plural_form(abs(quantity).normalize()) == "one"
        singular, plural = _UNITS[self.language].get(unit, (unit, unit))
        return f"{self.number(quantity)} {singular if one else plural}"

    def day(self, day: date) -> str:
        """A date with the month in words, so that nobody mistakes day for month: `22. Nov. 2026`."""
        return _no_breaks(format_skeleton("yMMMd", day, locale=self._locale))

    def moment(self, at: datetime, zone: str) -> str:
        """An instant with weekday, date, time and zone, as clocks show it in `zone` (IANA)."""
        day = format_datetime(at, "EEEE, ", tzinfo=ZoneInfo(zone), locale=self._locale)
        clock = format_datetime(at, "HH:mm", tzinfo=ZoneInfo(zone), locale=self._locale)
        return f"{day}{self.day(at.astimezone(ZoneInfo(zone)).date())}, {clock} ({zone})"

    def period(self, period: Period) -> str:
        """First and last day: `1.–30. Nov. 2026`."""
        return str(format_interval(period.start, period.end, "yMMMd", locale=self._locale))

    def country(self, code: str) -> str:
        """The country's name in the reader's language."""
        return str(self._locale.territories.get(code, code))

    def address(self, address: Address, *, from_country: str) -> list[str]:
        """The lines of a postal address below the name; the country only where post crosses a border."""
        lines = [*address.street.splitlines(), *_town(address)]
        if address.country != from_country:
            lines.append(self.country(address.country).upper())
        return [line.strip() for line in lines if line.strip()]

    def _decimal(self, number: Decimal, places: int) -> str:
        pattern = self._locale.decimal_formats[None].pattern.split(".")[0]
        written = format_decimal(
            number,
            f"{pattern}.{'0' * places}" if places else pattern,
            locale=self._locale,
            decimal_quantization=False,
        )
        return str(written).replace("-", "−")


@lru_cache(maxsize=64)
def typography(language: str, territory: str = "") -> Typography:
    """The typography of a language and country; made once per process."""
    return Typography(language, territory)


def in_fours(text: str) -> str:
    """An IBAN or creditor reference as people read it aloud: `DE12 3456 …`."""
    bare = "".join(text.split())
    return " ".join(bare[start : start + 4] for start in range(0, len(bare), 4))


def _decimals(number: Decimal) -> int:
    return max(0, -int(number.normalize().as_tuple().exponent))


def _no_breaks(text: str) -> str:
    return text.replace(" ", _NBSP)


def _town(address: Address) -> list[str]:
    """Town, region and postcode in the order of the country (Universal Postal Union, addressing systems)."""
    town, region, postcode = address.city, address.region, address.postcode
    if address.country in {"US", "AU"}:
        return [
            " ".join(
                part
                for part in (f"{town}," if region and address.country == "US" else town, region, postcode)
                if part
            )
        ]
    if address.country == "CA":
        return ["  ".join(part for part in (f"{town} {region}".strip(), postcode) if part)]
    if address.country in {"GB", "IE"}:
        return [town, region, postcode]
    if address.country in {"IN", "SG", "NZ"}:
        return [f"{town} {postcode}", region]
    return [f"{postcode} {town}", region]
