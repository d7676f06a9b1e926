"""Which tax applies to a service, why, and by which article: the rules of the issuer's part of the world decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import chain

from billing.parties import EU_MEMBERS
from billing.taxes import (
    abroad,
    canada,
    european_union,
    india,
    rates,
    single_country,
    taxability,
    united_states,
)
from billing.taxes.categories import TaxCategory
from billing.taxes.countries import COUNTRIES
from billing.taxes.european_union import vat_id_country
from billing.taxes.facts import LIABILITIES, TaxFacts
from billing.taxes.outcome import Outcome, TaxDecision, TaxUnknown
from billing.taxes.rates import RateTable, published
from billing.taxes.territories import is_country, settled

__all__ = [
    "TaxCategory",
    "TaxDecision",
    "TaxFacts",
    "TaxUnknown",
    "covered",
    "decide_tax",
    "due_for_review",
    "problems",
    "vat_id_country",
]

Rule = Callable[[TaxFacts, RateTable], Outcome]

RULES: dict[str, Rule] = {
    **dict.fromkeys(EU_MEMBERS, european_union.decide),
    **dict.fromkeys(COUNTRIES, single_country.decide),
    "US": united_states.decide,
    "CA": canada.decide,
    "IN": india.decide,
}
"""By the issuer's country. A country that is not here is not guessed at."""


def covered() -> frozenset[str]:
    """The countries an issuer may sit in."""
    return frozenset(RULES)


def problems() -> list[str]:
    """What is wrong with the packaged tax data: overlaps, gaps, rows that end before they begin."""
    return [*rates.problems(), *taxability.problems()]


def due_for_review(day: date) -> list[str]:
    """Which packaged tax data somebody should look up again by a day."""
    return list(chain(rates.due_for_review(day), taxability.due_for_review(day)))


def decide_tax(facts: TaxFacts, rates: RateTable | None = None) -> Outcome:
    """The tax on a service between the two parties on its tax point. Never raises; asks no clock and no network."""
    known, remarks = _in_whose_law(facts)
    outcome = _decide(known, published() if rates is None else rates)
    if remarks and isinstance(outcome, TaxDecision):
        return outcome.model_copy(update={"why": f"{outcome.why}; {remarks}"})
    return outcome


def _decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    seller = _as_supplier(facts)
    if isinstance(seller, TaxUnknown):
        return seller
    if stop := _contradicting_registrations(seller):
        return stop
    rule = RULES.get(seller.issuer_country)
    if rule is None:
        return TaxUnknown(
            reason=f"no tax rules for an issuer in {seller.issuer_country or 'an unnamed country'}",
            next_step="add a rule under tax/",
            field="issuer",
        )
    if not is_country(seller.client_country):
        return TaxUnknown(
            reason=f"the client's country is {seller.client_country or 'missing'}",
            next_step="write its ISO 3166 code into the address, such as DE",
            field="country",
        )
    there = abroad.decide(seller, rates)
    return rule(seller, rates) if there is None else there


def _in_whose_law(facts: TaxFacts) -> tuple[TaxFacts, str]:
    """The facts with the countries whose tax law counts (Monaco is France), and remarks that say so."""
    home, home_region, home_remark = settled(facts.issuer_country, facts.issuer_region)
    there, region, remark = settled(facts.client_country, facts.client_region)
    remarks = "; ".join(dict.fromkeys(each for each in (home_remark, remark) if each))
    if not remarks:
        return facts, ""
    update = {
        "issuer_country": home,
        "issuer_region": home_region,
        "client_country": there,
        "client_region": region,
    }
    return facts.model_copy(update=update), remarks


def _as_supplier(facts: TaxFacts) -> TaxFacts | TaxUnknown:
    """The facts as the establishment that supplies has them (Art. 44, 192a of the Directive; so do others)."""
    home, source = facts.issuer_country, facts.supplied_from
    establishments = {
        each.country: each for each in facts.registrations if each.established and each.holds(facts.tax_point)
    }
    if not source and facts.client_country != home and facts.client_country in establishments:
        return TaxUnknown(
            reason=f"the issuer has establishments in {home} and in {facts.client_country}, where the client is",
            next_step="say which of them supplies (`supplied_from`)",
            field="supplied_from",
        )
    if source in ("", home):
        return facts
    if source not in establishments:
        return TaxUnknown(
            reason=f"supplied from {source}, but the issuer has no establishment registered there",
            next_step="add it to its registrations, or correct `supplied_from`",
            field="registrations",
        )
    found = establishments[source]
    update = {
        "issuer_country": source,
        "issuer_region": found.region,
        "issuer_postcode": "",
        "issuer_vat_id": found.number,
        "supplied_from": "",
    }
    return facts.model_copy(update=update)


def _contradicting_registrations(facts: TaxFacts) -> TaxUnknown | None:
    """Standard, small business and exempt exclude each other in one place on one day."""
    seen: dict[tuple[str, str, str], str] = {}
    for each in facts.registrations:
        if each.scheme not in LIABILITIES or not each.holds(facts.tax_point):
            continue
        place = (each.country, each.region, each.tax)
        if seen.setdefault(place, each.scheme) != each.scheme:
            return TaxUnknown(
                reason=f"on {facts.tax_point} the issuer is registered in {'-'.join(filter(None, place[:2]))} as "
                f"{seen[place]} and as {each.scheme}",
                next_step="give one of the registrations its last day (`until`)",
                field="registrations",
            )
    return None
