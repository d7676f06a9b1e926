"""The tax of an invoice in the currency of the country that receives it, where its law asks for that."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from billing.exceptions import Finding, ReasonCode
from billing.exchange_rates import ExchangeRates, converted
from billing.money import Currency, Figure
from billing.parties import EU_MEMBERS, Issuer
from billing.registrations import LIABILITIES

DIRECTIVE = "Art. 230 Directive 2006/112/EC"

_NATIONAL_CURRENCY = {
    **dict.fromkeys(EU_MEMBERS, ("EUR", DIRECTIVE)),
    "CZ": ("CZK", DIRECTIVE),
    "DK": ("DKK", DIRECTIVE),
    "HU": ("HUF", DIRECTIVE),
    "PL": ("PLN", DIRECTIVE),
    "RO": ("RON", DIRECTIVE),
    "SE": ("SEK", DIRECTIVE),
    "GB": ("GBP", "reg. 14(1)(l) VAT Regulations 1995"),
    "NO": ("NOK", "§ 5-1-1 bokføringsforskriften"),
}
"""By country, the currency in which an invoice must state the VAT to be paid, and the law that says so. Switzerland
is not among them: it wants the tax converted in the return, not on the invoice (Art. 45 MWSTV)."""


class HomeTax(BaseModel):
    """The VAT total in accounting currency (BT-6, BT-111), and the rate: one unit of `base` is so many of the other."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    currency: Currency
    amount: Figure
    base: Currency
    rate: Figure
    rate_date: date
    source: str

    def of(self, tax: Decimal, currency: str) -> Decimal:
        """The tax, which is in the invoice's currency, converted once and rounded half away from zero."""
        other = currency if self.base == self.currency else self.currency
        return converted(tax, currency, self.base, other, self.rate)


def home_tax(
    issuer: Issuer, jurisdiction: str, tax: Decimal, currency: str, rates: ExchangeRates, day: date
) -> HomeTax | Finding | None:
    """The tax in the currency of the country that taxes; nothing where its law does not ask or no tax is charged.

    `day` is the tax point: the rate is that of the moment the tax becomes chargeable (Art. 91(2) of the Directive).
    Without one a person must add it.
    """
    country = _receiving(issuer, jurisdiction.partition("-")[0], day)
    home, law = _NATIONAL_CURRENCY.get(country, (currency, ""))
    if home == currency or tax == 0:
        return None
    rate = rates.on(currency, home, day)
    if rate is None:
        return Finding(
            code=ReasonCode.EXCHANGE_RATE_MISSING,
            message=f"{country} wants its VAT in {home} on an invoice in {currency} ({law}), and there is no rate for "
            f"{day}; add one with its source to tax/exchange_rates.yaml and apply the folder",
            field="home_tax",
            left=f"{currency}/{home} {day}",
        )
    return HomeTax(
        currency=home,
        amount=converted(tax, currency, rate.base, rate.quote, rate.rate),
        base=rate.base,
        rate=rate.rate,
        rate_date=rate.since,
        source=rate.source,
    )


def _receiving(issuer: Issuer, jurisdiction: str, day: date) -> str:
    """Whose rules the invoice follows: those of the country that taxes, if the issuer is registered there; in the
    EU's one-stop shop those of the member state of identification (Art. 219a(2)(b))."""
    home = issuer.address.country
    if jurisdiction == home or not jurisdiction:
        return home
    registered = any(
        each.country == jurisdiction and each.scheme in LIABILITIES and each.holds(day)
        for each in issuer.registrations
    )
    return home if {home, jurisdiction} <= EU_MEMBERS and not registered else jurisdiction
