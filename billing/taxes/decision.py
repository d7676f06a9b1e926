"""Which tax applies to a service, why, and by which article: the rules of the issuer's part of the world decide."""

from __future__ import annotations

from collections.abc import Callable

from billing.parties import EU_MEMBERS
from billing.taxes import canada, european_union, india, single_country, united_states
from billing.taxes.categories import TaxCategory
from billing.taxes.european_union import vat_id_country
from billing.taxes.facts import TaxFacts
from billing.taxes.outcome import Outcome, TaxDecision, TaxUnknown
from billing.taxes.rates import RateTable, published

__all__ = ["TaxCategory", "TaxDecision", "TaxFacts", "TaxUnknown", "covered", "decide_tax", "vat_id_country"]

Rule = Callable[[TaxFacts, RateTable], Outcome]

RULES: dict[str, Rule] = {
    **dict.fromkeys(EU_MEMBERS, european_union.decide),
    **dict.fromkeys(single_country.COUNTRIES, single_country.decide),
    "US": united_states.decide,
    "CA": canada.decide,
    "IN": india.decide,
}
"""By the issuer's country. A country that is not here is not guessed at."""


def covered() -> frozenset[str]:
    """The countries an issuer may sit in."""
    return frozenset(RULES)


def decide_tax(facts: TaxFacts, rates: RateTable | None = None) -> Outcome:
    """The tax on a service between the two parties on its tax point."""
    rule = RULES.get(facts.issuer_country)
    if rule is None:
        return TaxUnknown(why=f"no tax rules for an issuer in {facts.issuer_country}")
    return rule(facts, rates or published())
