"""The rate a country charges at home on the tax point: the standard one, or the reduced one the facts name."""

from __future__ import annotations

from billing.taxes.categories import TaxCategory
from billing.taxes.facts import TaxFacts
from billing.taxes.outcome import Outcome, TaxComponent, TaxUnknown, charged, per_cent
from billing.taxes.rates import STANDARD, RateTable


def at_national_rate(
    facts: TaxFacts,
    rates: RateTable,
    country: str,
    what: str,
    *,
    tax: str,
    number: str = "",
    article: str = "",
) -> Outcome:
    """Charges it, by `article` (else by the source of the rate); unknown where no such rate is known for that day."""
    kind = facts.reduced_rate or STANDARD
    found = rates.find(facts.tax_point, country, kind=kind)
    if found is None:
        return TaxUnknown(
            reason=f"no {kind} {tax} rate of {country} is known for {facts.tax_point}",
            next_step="add it under tax/, or correct the rate's name",
        )
    name, by = "standard rate" if kind == STANDARD else f"{kind} rate", article or found.source
    return charged(
        f"{what} in {country}, {name} {per_cent(found.rate)}, {by}",
        (TaxComponent(name=tax, category=TaxCategory.STANDARD, rate=found.rate, number=number),),
        article=by,
        jurisdiction=country,
        sources=(found.source, by),
    )
