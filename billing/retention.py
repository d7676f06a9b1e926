"""How long invoices and business letters must be kept, by the country of the issuer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Retention:
    """Whole years from the end of the calendar or fiscal year; `letters` where those are kept for other ones."""

    years: int
    source: str
    by_fiscal_year: bool = False
    letters: int | None = None
    letters_source: str = ""


LAWS = {
    "AT": Retention(7, "§ 132 Abs. 1 BAO"),
    "BE": Retention(10, "Art. 60 WBTW, since 2023"),
    "CA": Retention(6, "Excise Tax Act s. 286(3)", by_fiscal_year=True),
    "CH": Retention(10, "Art. 958f OR, Art. 70 MWSTG", by_fiscal_year=True),
    "DE": Retention(
        8,
        "§ 14b Abs. 1 UStG, § 147 Abs. 3 AO, since 2025",
        letters=6,
        letters_source="§ 147 Abs. 1 Nr. 2 und 3, Abs. 3 AO, § 257 HGB",
    ),
    "DK": Retention(5, "Bogføringsloven § 12", by_fiscal_year=True),
    "ES": Retention(6, "Código de Comercio art. 30", by_fiscal_year=True),
    "FR": Retention(10, "Code de commerce art. L123-22", by_fiscal_year=True),
    "GB": Retention(6, "VATA 1994 Sch. 11 para. 6, VAT Notice 700/21", by_fiscal_year=True),
    "IE": Retention(6, "VAT Consolidation Act 2010 s. 84", by_fiscal_year=True),
    # 72 months from the annual return, which is due on 31 December after the fiscal year: seven year-ends cover it
    "IN": Retention(7, "CGST Act 2017 s. 36", by_fiscal_year=True),
    "IT": Retention(10, "Codice civile art. 2220", by_fiscal_year=True),
    "LU": Retention(10, "Code de commerce art. 16", by_fiscal_year=True),
    "NL": Retention(7, "AWR art. 52 lid 4", by_fiscal_year=True),
    # five years from the end of the year the tax was due in; that of December is due in January: one more
    "PL": Retention(6, "Ordynacja podatkowa art. 70 § 1, 86 § 1; ustawa o VAT art. 112"),
    "PT": Retention(10, "CIVA art. 52"),
    "SE": Retention(7, "Bokföringslag 7 kap. 2 §", by_fiscal_year=True),
    # six years from the return (understated income), which is filed in the year after: one more
    "US": Retention(7, "26 U.S.C. § 6001 and § 6501(e)", by_fiscal_year=True),
}
"""By country (ISO 3166-1), as of November 2026. What is not here is kept, and `billow retention` says so."""


@dataclass(frozen=True)
class Kept:
    """The last day something must be kept, and by which law; no day where no law is known here: it is kept for good."""

    until: date | None
    law: str

    def past(self, today: date) -> bool:
        """Whether it may go."""
        return self.until is not None and today > self.until


def invoice_kept(country: str, issued: date, fiscal_year_starts: int = 1) -> Kept:
    """How long an invoice issued on that day must be kept, and all that belongs to it."""
    law = LAWS.get(country)
    if law is None:
        return Kept(None, f"no rule for {country or 'an unknown country'} is known here")
    return Kept(_end(issued, law.years, fiscal_year_starts if law.by_fiscal_year else 1), law.source)


def letter_kept(country: str, sent: date, fiscal_year_starts: int = 1) -> Kept:
    """The same of a business letter: a reminder, a statement."""
    law = LAWS.get(country)
    if law is None or law.letters is None:
        return invoice_kept(country, sent, fiscal_year_starts)
    starts = fiscal_year_starts if law.by_fiscal_year else 1
    return Kept(_end(sent, law.letters, starts), law.letters_source)


def _end(day: date, years: int, starts: int) -> date:
    """The last day of the year that holds `day`, so many years later."""
    begun = day.year if day.month >= starts else day.year - 1
    return date(begun + 1 + years, starts, 1) - timedelta(days=1)
