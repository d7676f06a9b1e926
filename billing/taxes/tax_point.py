"""The day on which tax becomes chargeable and its rate is taken, and how a period falls apart where a rate changes.

The default is the Directive 2006/112/EC: a service is supplied when it is completed, a continuous one at the end of
each period it is billed for (Art. 63, 64(1)); a payment before that is taxed on the day it is received (Art. 65); the
rate is that day's (Art. 93). Where a country's own law says otherwise, it stands in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from billing.parties import EU_MEMBERS
from billing.periods import Period
from billing.taxes.canada import HST_PROVINCES
from billing.taxes.rates import STANDARD, RateTable, published

FOURTEEN_DAYS = timedelta(days=14)
THIRTY_DAYS = timedelta(days=30)


@dataclass(frozen=True)
class Supply:
    """Last day of the service (or of the billed period of a continuous one); days of invoice and first payment."""

    completed: date
    issued: date | None = None
    paid: date | None = None
    continuous: bool = False


@dataclass(frozen=True)
class TaxPoint:
    """The day, and by which text."""

    day: date
    article: str


def _completion_or_payment(supply: Supply) -> date:
    return min(supply.completed, supply.paid or supply.completed)


def _completion(supply: Supply) -> date:
    return supply.completed


def _invoice_or_payment(supply: Supply) -> date:
    """Whichever comes first; as long as neither is known, the end of the supply stands for them."""
    return min((each for each in (supply.issued, supply.paid) if each), default=supply.completed)


def _earliest(supply: Supply) -> date:
    return min(each for each in (supply.completed, supply.issued, supply.paid) if each)


def _british(supply: Supply) -> date:
    """Earlier invoice or payment; an invoice within fourteen days after the end moves the point to its day."""
    if supply.continuous:
        return _invoice_or_payment(supply)
    first = _earliest(supply)
    within = supply.issued and supply.completed < supply.issued <= supply.completed + FOURTEEN_DAYS
    return supply.issued if within and supply.issued and first == supply.completed else first


def _indian(supply: Supply) -> date:
    """The invoice if it comes within thirty days after the service, else the service; or an earlier payment."""
    in_time = supply.issued is not None and supply.issued <= supply.completed + THIRTY_DAYS
    first = supply.issued if in_time and supply.issued else supply.completed
    return min(first, supply.paid or first)


RULES: dict[str, tuple[Callable[[Supply], date], str]] = {
    **dict.fromkeys(EU_MEMBERS, (_completion_or_payment, "Art. 63, 64(1), 65, 93 Directive 2006/112/EC")),
    "GB": (_british, "s. 6 VATA 1994; reg. 90 VAT Regulations 1995"),
    # Neither the invoice's day nor the payment's counts for the rate.
    "CH": (_completion, "Art. 115(1) with Art. 112 MWSTG"),
    "CA": (_invoice_or_payment, "s. 152, 168 Excise Tax Act; GST/HST Notice 342"),
    "IN": (_indian, "s. 13(2), 31(2) CGST Act 2017; rule 47 CGST Rules"),
    "AU": (_invoice_or_payment, "s. 29-5 GST Act 1999"),
    "NZ": (_invoice_or_payment, "s. 9(1) GST Act 1985"),
    "SG": (_invoice_or_payment, "s. 11 GST Act 1993"),
    "AE": (_earliest, "Art. 25, 26 Federal Decree-Law 8/2017"),
}
"""By country of taxation; elsewhere completion or an earlier payment."""


TAXED_APART = {"CH": "Art. 115(1), (2) MWSTG"}
"""Where the days before and after a change of rate must be billed apart, and by which text. Elsewhere the tax point of
the whole period decides, in the EU its end (Art. 64(1), 93 of the Directive)."""


def tax_point(country: str, supply: Supply) -> TaxPoint:
    """When tax on a supply becomes chargeable in a country. A day that is not known yet (`None`) is left out."""
    rule, article = RULES.get(country, (_completion_or_payment, "completion, or an earlier payment"))
    return TaxPoint(rule(supply), article)


def split_at_rate_changes(
    period: Period, country: str, region: str = "", kind: str = STANDARD, rates: RateTable | None = None
) -> list[Period]:
    """The parts of a period within each of which one rate holds, oldest first; together they are the period.

    By days, as Art. 115 MWSTG asks and s. 88 VATA 1994 allows. For a region of Canada the federal rate counts too.
    Where a period of a continuous service is one supply, its end decides (Art. 64(1) of the Directive), and to split
    it, shorter periods have to be agreed: the caller says which.
    """
    table = published() if rates is None else rates
    federal = country == "CA" and region and region not in HST_PROVINCES
    places = {region, ""} if federal else {region}
    days = {
        day
        for place in places
        for day in table.changes_within(period.start, period.end, country, place, kind)
    }
    begins = [period.start, *sorted(days)]
    ends = [*(day - timedelta(days=1) for day in begins[1:]), period.end]
    return [Period(start=first, end=last) for first, last in zip(begins, ends, strict=True)]


def taxed_apart(
    period: Period, country: str, region: str = "", kind: str = STANDARD, rates: RateTable | None = None
) -> tuple[list[Period], str]:
    """The parts of a period that a country's law taxes each at its own rate, and the article; one where it does not."""
    article = TAXED_APART.get(country, "")
    if not article:
        return [period], ""
    return split_at_rate_changes(period, country, region, kind or STANDARD, rates), article
