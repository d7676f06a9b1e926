"""What an issuer must charge in the client's country, because it is registered or sells electronic services there."""

from __future__ import annotations

from billing.parties import EU_MEMBERS
from billing.taxes import canada, european_consumers, single_country, united_states
from billing.taxes.countries import COUNTRIES
from billing.taxes.facts import ELECTRONIC, Scheme, ServiceKind, TaxFacts
from billing.taxes.member_states import inside
from billing.taxes.outcome import Outcome, TaxUnknown
from billing.taxes.rates import RateTable

RECIPIENT_ACCOUNTS = frozenset({"GB", "NO"})
"""Countries where a business accounts for services from abroad even if the seller is registered there:
s. 8 VATA 1994; § 3-30 merverdiavgiftsloven."""


def decide(facts: TaxFacts, rates: RateTable) -> Outcome | None:
    """The outcome where the client's country decides; None where the law of the issuer's country is enough."""
    home, there = facts.issuer_country, facts.client_country
    if home not in EU_MEMBERS and facts.performed_in in EU_MEMBERS and _by_place(facts):
        return european_consumers.where_performed(facts, rates)
    if there == home or (home in EU_MEMBERS and there in EU_MEMBERS):
        return None
    if there == "US":
        registered = facts.liable("US", facts.client_region.upper())
        return united_states.decide(facts, rates) if registered else None
    if there in EU_MEMBERS:
        if _electronic_to_consumer(facts) and inside(facts):
            return european_consumers.to_consumer_inside(facts, rates)
        return None
    return _elsewhere(facts, rates)


def _elsewhere(facts: TaxFacts, rates: RateTable) -> Outcome | None:
    home, there, to_consumer = facts.issuer_country, facts.client_country, _electronic_to_consumer(facts)
    local = facts.liable(there)
    if local is None:
        return _not_registered(facts) if to_consumer else None
    if local.scheme is not Scheme.STANDARD or (facts.to_business and there in RECIPIENT_ACCOUNTS):
        return None
    if there == "CA":
        return canada.decide(facts, rates)
    # A registered seller charges Swiss tax; the recipient accounts only for others (Art. 45(1)(a) MWSTG).
    if there == "CH" or (to_consumer and there in COUNTRIES):
        return single_country.charge(facts, rates, there, "service by a registered seller abroad")
    if not facts.to_business and there in RECIPIENT_ACCOUNTS:
        return None
    return TaxUnknown(
        reason=f"the issuer in {home} is registered in {there}; whether it charges tax there on {facts.service} "
        "depends on the law there",
        next_step="add a rule under tax/",
    )


def _electronic_to_consumer(facts: TaxFacts) -> bool:
    return facts.service in ELECTRONIC and not facts.to_business


def _by_place(facts: TaxFacts) -> bool:
    """Whether the EU taxes the service where it takes place (Art. 53, 54 of the Directive)."""
    on_the_spot = facts.service in european_consumers.ON_THE_SPOT and not facts.to_business
    return facts.service is ServiceKind.EVENT or on_the_spot


def _not_registered(facts: TaxFacts) -> TaxUnknown:
    there = facts.client_country
    return TaxUnknown(
        reason=f"many countries tax electronic services where the consumer lives, and the issuer is not registered "
        f"in {there}",
        next_step=f"add its registration in {there}, or a rule under tax/ that says why none is needed",
        field="registrations",
    )
