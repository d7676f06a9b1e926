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
    credit: str
    credited_before: str
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
        credit="Credit for invoice {number} of {day}",
        credited_before="Credited already: {numbers}",
    ),
    "de": LineWords(
        included="Inklusivstunden",
        beyond_block="Stunden über das Kontingent hinaus",
        discount="Rabatt",
        minimum="Mindestvergütung",
        prepaid="Abzüglich Anzahlung, Rechnung {number} vom {day}",
        receipt="Beleg",
        indexed="indexiert um {percent} % seit {since} ({source})",
        credit="Gutgeschrieben aus Rechnung {number} vom {day}",
        credited_before="Bereits gutgeschrieben: {numbers}",
        day_format="%d.%m.%Y",
        decimal_comma=True,
    ),
    "es": LineWords(
        included="horas incluidas",
        beyond_block="horas que exceden el bono",
        discount="Descuento",
        minimum="Cuota mínima",
        prepaid="Menos anticipo, factura {number} de {day}",
        receipt="justificante",
        indexed="actualizado un {percent} % desde {since} ({source})",
        credit="Abono de la factura {number} de {day}",
        credited_before="Ya abonado: {numbers}",
        day_format="%d/%m/%Y",
        decimal_comma=True,
    ),
    "fr": LineWords(
        included="heures incluses",
        beyond_block="heures au-delà du forfait",
        discount="Remise",
        minimum="Minimum de facturation",
        prepaid="Moins acompte, facture {number} du {day}",
        receipt="justificatif",
        indexed="indexé de {percent}\u00a0% depuis le {since} ({source})",
        credit="Avoir sur la facture {number} du {day}",
        credited_before="Déjà crédité\u00a0: {numbers}",
        day_format="%d/%m/%Y",
        decimal_comma=True,
    ),
    "it": LineWords(
        included="ore incluse",
        beyond_block="ore oltre il pacchetto",
        discount="Sconto",
        minimum="Compenso minimo",
        prepaid="Meno acconto, fattura {number} del {day}",
        receipt="giustificativo",
        indexed="adeguato del {percent}% dal {since} ({source})",
        credit="Accredito sulla fattura {number} del {day}",
        credited_before="Già accreditato: {numbers}",
        day_format="%d/%m/%Y",
        decimal_comma=True,
    ),
    "nl": LineWords(
        included="inbegrepen uren",
        beyond_block="uren boven de bundel",
        discount="Korting",
        minimum="Minimumvergoeding",
        prepaid="Min voorschot, factuur {number} van {day}",
        receipt="bewijsstuk",
        indexed="geïndexeerd met {percent}% sinds {since} ({source})",
        credit="Credit op factuur {number} van {day}",
        credited_before="Reeds gecrediteerd: {numbers}",
        day_format="%d-%m-%Y",
        decimal_comma=True,
    ),
    "pl": LineWords(
        included="godziny w abonamencie",
        beyond_block="godziny ponad pakiet",
        discount="Rabat",
        minimum="Opłata minimalna",
        prepaid="Pomniejszone o zaliczkę, faktura {number} z dnia {day}",
        receipt="dowód zakupu",
        indexed="waloryzacja o {percent}% od {since} ({source})",
        credit="Korekta faktury {number} z dnia {day}",
        credited_before="Skorygowano wcześniej: {numbers}",
        day_format="%d.%m.%Y",
        decimal_comma=True,
    ),
    "pt": LineWords(
        included="horas incluídas",
        beyond_block="horas além do pacote",
        discount="Desconto",
        minimum="Valor mínimo",
        prepaid="Menos adiantamento, fatura {number} de {day}",
        receipt="comprovativo",
        indexed="atualizado em {percent}% desde {since} ({source})",
        credit="Crédito da fatura {number} de {day}",
        credited_before="Já creditado: {numbers}",
        day_format="%d/%m/%Y",
        decimal_comma=True,
    ),
}
"""They stand on the draft that is approved, so they are rules and not among the catalogues of documents."""


def line_words(language: Language) -> LineWords:
    """The words of a language; English where there is no translation, as on the document."""
    return _WORDS.get(language, _WORDS["en"])
