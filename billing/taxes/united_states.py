"""Services to clients in the United States: sales tax by the client's state, where the issuer is registered.

Rates reach down to the street, so none comes with Billow: they are configured by state and postcode, or asked from a
provider. What a state taxes stands in `data/united_states.toml`, and only where its own text says so; anything else is
for a person.
"""

from __future__ import annotations

from billing.taxes import taxability
from billing.taxes.categories import TaxCategory
from billing.taxes.facts import ServiceKind, TaxFacts
from billing.taxes.notes import NoteCode
from billing.taxes.outcome import Outcome, TaxComponent, TaxDecision, TaxUnknown, charged, per_cent, untaxed
from billing.taxes.rates import RateTable

TAX = "Sales tax"

WITHOUT_SALES_TAX = frozenset({"AK", "DE", "MT", "NH", "OR"})
"""States without a state sales tax. Alaska's boroughs have their own: an issuer registered there adds a rule."""

STATES = frozenset({
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DC", "DE", "FL", "GA", "HI", "IA", "ID", "IL", "IN", "KS", "KY",
    "LA", "MA", "MD", "ME", "MI", "MN", "MO", "MS", "MT", "NC", "ND", "NE", "NH", "NJ", "NM", "NV", "NY", "OH",
    "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VA", "VT", "WA", "WI", "WV", "WY",
})  # fmt: skip
"""The fifty states and the District of Columbia."""


ON_THE_SPOT = frozenset({ServiceKind.TRAINING, ServiceKind.HARDWARE, ServiceKind.EVENT})
"""Received by persons or on goods where it takes place."""

POSSESSIONS = frozenset({"AS", "GU", "MP", "PR", "VI"})
"""Not states, with country codes of their own; Puerto Rico taxes sales and services (IVU)."""


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """By the client's state; `TaxUnknown` for what no text settles and for rates nobody has configured."""
    if facts.client_country != "US":
        return _abroad(facts)
    state = facts.client_region.upper()
    if state not in STATES:
        return TaxUnknown(
            reason=f"the client's state is {state or 'missing'}",
            next_step="write it as `region` of the address, such as TX",
            field="region",
        )
    registered = facts.liable("US", state)
    if registered is None:
        if state in WITHOUT_SALES_TAX:
            return _none(f"US-{state}", f"service in {state}", "no state sales tax")
        return _none(
            f"US-{state}",
            f"the issuer is not registered in {state} and collects no tax there",
            "no nexus registered (South Dakota v. Wayfair, 585 U.S. 162 (2018))",
        )
    if facts.exemption_certificate:
        return _certified(facts, state)
    if stop := _not_by_rule(facts, state):
        return stop
    rule = taxability.find(facts.tax_point, "US", state, facts.service)
    if rule is None:
        return TaxUnknown(
            reason=f"whether {state} taxes {facts.service} on {facts.tax_point} is not settled here",
            next_step="add a rule under tax/",
        )
    if not rule.taxed:
        return _none(f"US-{state}", f"{facts.service} is not taxed in {state}", rule.source)
    found = rates.find(facts.tax_point, "US", f"{state}/{facts.client_postcode[:5]}") or rates.find(
        facts.tax_point, "US", state
    )
    if found is None:
        return TaxUnknown(
            reason=f"{state} taxes {facts.service} ({rule.source}), but no rate is configured for {state} "
            f"{facts.client_postcode or 'without a postcode'} on {facts.tax_point}",
            next_step="add it under tax/, or connect a provider of rates",
        )
    part = "" if rule.share == 100 else f" of {per_cent(rule.share)} of the charge"
    return charged(
        f"{facts.service} in {state}, {per_cent(found.rate)}{part}, {rule.source}",
        (
            TaxComponent(
                name=TAX,
                category=TaxCategory.STANDARD,
                rate=found.rate,
                share=rule.share,
                number=registered.number,
            ),
        ),
        article=rule.source,
        jurisdiction=f"US-{state}",
        sources=(rule.source, found.source),
    )


def _abroad(facts: TaxFacts) -> Outcome:
    if facts.client_country in POSSESSIONS:
        return TaxUnknown(
            reason=f"{facts.client_country} belongs to the United States and has taxes of its own",
            next_step="add a rule under tax/",
        )
    here = facts.service in ON_THE_SPOT and facts.performed_in in ("", "US")
    if here and any(each.country == "US" and each.holds(facts.tax_point) for each in facts.registrations):
        return TaxUnknown(
            reason=f"{facts.service} is taxed by the state in which it takes place, wherever the client is",
            next_step="say where it is performed (`performed_in`), or add a rule under tax/",
            field="performed_in",
        )
    why = f"service to {facts.client_country}, outside the United States"
    return _none("US", why, "no state taxes what is used abroad")


def _not_by_rule(facts: TaxFacts, state: str) -> TaxUnknown | None:
    """What no rule here decides."""
    if facts.client_is_public_body:
        return TaxUnknown(
            reason=f"public bodies are mostly exempt from sales tax in {state}, on a certificate or letter",
            next_step="record it as the client's exemption certificate, or add a rule under tax/",
            field="exemption_certificate",
        )
    if facts.reduced_rate:
        return TaxUnknown(
            reason=f"no rate {facts.reduced_rate!r} of {state} is known",
            next_step="add it under tax/, or leave the reduced rate out",
        )
    return None


def _none(where: str, why: str, article: str) -> TaxDecision:
    """No sales tax: a document says nothing about a tax it does not charge, so there is no note."""
    return untaxed(
        TaxCategory.OUTSIDE_SCOPE, NoteCode.NONE, why, article=article, home="US", tax=TAX, jurisdiction=where
    )


def _certified(facts: TaxFacts, state: str) -> TaxDecision:
    number = facts.exemption_certificate
    return untaxed(
        TaxCategory.EXEMPT,
        NoteCode.CERTIFICATE,
        f"the client's exemption certificate is kept, in {state}",
        article=f"exemption certificate {number}",
        home="US",
        tax=TAX.lower(),
        number=number,
        jurisdiction=f"US-{state}",
    )
