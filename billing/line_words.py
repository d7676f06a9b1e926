"""The few words Billow itself writes on an invoice line, in the client's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.agreements import IndexStep
from billing.parties import Language
from billing.periods import Period


@dataclass(frozen=True)
class LineWords:
    """Words and figures of one language."""

    included: str
    beyond_block: str
    discount: str
    minimum: str
    prepaid: str
    receipt: str
    indexed: str
    day_format: str = "%Y-%m-%d"
    decimal_comma: bool = False

    def day(self, day: date) -> str:
        return day.strftime(self.day_format)

    def days(self, period: Period) -> str:
        """From the first to the last day; one day alone stands once."""
        first, last = self.day(period.start), self.day(period.end)
        return first if period.start == period.end else f"{first} – {last}"

    def figure(self, figure: Decimal) -> str:
        """The figure without trailing zeros."""
        written = f"{figure.normalize():f}"
        return written.replace(".", ",") if self.decimal_comma else written

    def amount(self, amount: Decimal) -> str:
        """The amount with all its decimals."""
        written = f"{amount:f}"
        return written.replace(".", ",") if self.decimal_comma else written

    def indexation(self, step: IndexStep) -> str:
        """By how much a fee was adjusted, since when, and what for."""
        return self.indexed.format(
            percent=self.figure(step.percent), since=self.day(step.since), source=step.source
        )


_WORDS = {
    "en": LineWords(
        included="included hours",
        beyond_block="hours beyond the block",
        discount="Discount",
        minimum="Minimum fee",
        prepaid="Less prepayment, invoice {number} of {day}",
        receipt="receipt",
        indexed="indexed by {percent} % since {since} ({source})",
    ),
    "de": LineWords(
        included="Inklusivstunden",
        beyond_block="Stunden über das Kontingent hinaus",
        discount="Rabatt",
        minimum="Mindestvergütung",
        prepaid="Abzüglich Anzahlung, Rechnung {number} vom {day}",
        receipt="Beleg",
        indexed="indexiert um {percent} % seit {since} ({source})",
        day_format="%d.%m.%Y",
        decimal_comma=True,
    ),
}


def line_words(language: Language) -> LineWords:
    """The words of a language; English where there is no translation, as on the document."""
    return _WORDS.get(language, _WORDS["en"])
