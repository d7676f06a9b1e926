"""Services to consumers in and out of the European Union, and what is taxed where it takes place (Art. 45 to 59c)."""

from __future__ import annotations

from datetime import date

from billing.parties import EU_MEMBERS
from billing.taxes.facts import ELECTRONIC, ONLINE, Scheme, ServiceKind, TaxFacts
from billing.taxes.member_states import DIRECTIVE, at_home, charge, inside, outside
from billing.taxes.outcome import Outcome, TaxUnknown
from billing.taxes.rates import RateTable

TO_CONSUMERS_ABROAD = frozenset(
    {ServiceKind.CONSULTING, ServiceKind.DEVELOPMENT, ServiceKind.DATA_PROCESSING}
)
"""Supplied where a consumer outside the EU lives: consultants, engineers, data processing (Art. 59(c))."""

ON_THE_SPOT = frozenset({ServiceKind.TRAINING, ServiceKind.HARDWARE})
"""Supplied to consumers where they are carried out: teaching (Art. 54(1)), work on movable goods (Art. 54(2)(b))."""

VIRTUAL_SINCE = date(2025, 1, 1)
"""From here on what is streamed to a consumer is supplied where the consumer is (Directive (EU) 2022/542)."""


def to_consumer(facts: TaxFacts, rates: RateTable) -> Outcome:
    """Where the issuer is (Art. 45), but for electronic services, work on the spot and, outside the EU, Art. 59."""
    abroad, service = facts.client_country, facts.service
    if service in ON_THE_SPOT:
        return where_performed(facts, rates, "Art. 54")
    if inside(facts):
        if service in ELECTRONIC:
            return to_consumer_inside(facts, rates)
        return at_home(facts, rates, f"service to a consumer in {abroad} (Art. 45)")
    if service in TO_CONSUMERS_ABROAD:
        return outside(facts, "consumer", f"Art. 59 {DIRECTIVE}")
    if service in ELECTRONIC and abroad == "US":
        return outside(facts, "consumer", f"Art. 58 {DIRECTIVE}")
    return TaxUnknown(
        reason=f"{service} to a consumer in {abroad}, outside the EU's VAT territory: no rule says where it is taxed",
        next_step="add a rule under tax/",
    )


def to_consumer_inside(facts: TaxFacts, rates: RateTable, article: str = "Art. 58") -> Outcome:
    """What is taxed where the consumer is: by the one-stop shop, a registration there, or below the threshold."""
    home, abroad = facts.issuer_country, facts.client_country
    local, shop = facts.liable(abroad), facts.under(Scheme.OSS)
    what = "service to a consumer"
    if shop:
        scheme = "Art. 369b" if home in EU_MEMBERS else "Art. 359"
        return charge(facts, rates, abroad, f"{what} ({article}, one-stop shop {scheme})", shop.number)
    if local and local.scheme is Scheme.STANDARD:
        return charge(facts, rates, abroad, f"{what} ({article}, registered there)", local.number)
    small = facts.under(Scheme.BELOW_THRESHOLD)
    elsewhere = [
        each.country
        for each in facts.registrations
        if each.established and each.holds(facts.tax_point) and each.country in EU_MEMBERS - {home}
    ]
    if small and small.country == home and home in EU_MEMBERS and article == "Art. 58" and not elsewhere:
        return at_home(facts, rates, f"electronic service to a consumer in {abroad} (Art. 59c)")
    return TaxUnknown(
        reason=f"this service to a consumer in {abroad} is taxed there ({article} {DIRECTIVE}), and the issuer in "
        f"{home} has neither a one-stop shop nor a registration there",
        next_step="add one to its registrations, or state there that it is below the threshold (Art. 59c)",
        field="registrations",
    )


def where_performed(facts: TaxFacts, rates: RateTable, article: str = "Art. 53, 54") -> Outcome:
    """Admission, teaching and repair: where they take place; online, where the consumer is."""
    home, there = facts.issuer_country, facts.performed_in
    if not there:
        return TaxUnknown(
            reason=f"{facts.service} is taxed where it takes place ({article} {DIRECTIVE})",
            next_step="say in which country, or that it is online (`performed_in`)",
            field="performed_in",
        )
    if there == home:
        return at_home(facts, rates, f"{facts.service}, performed ({article})")
    if there == ONLINE:
        if facts.client_country == home:
            return at_home(facts, rates, f"{facts.service}, online (Art. 54(1))")
        if facts.tax_point >= VIRTUAL_SINCE and inside(facts):
            return to_consumer_inside(facts, rates, "Art. 54(1)")
        return TaxUnknown(
            reason=f"{facts.service} online to a consumer in {facts.client_country} on {facts.tax_point}: "
            "no rule says where it is taxed",
            next_step="add a rule under tax/",
        )
    local = facts.liable(there)
    if there in EU_MEMBERS and local and local.scheme is Scheme.STANDARD:
        return charge(facts, rates, there, f"{facts.service}, performed ({article})", local.number)
    return TaxUnknown(
        reason=f"{facts.service} in {there} is taxed there ({article} {DIRECTIVE}), where the issuer is not registered",
        next_step="add a registration there, or a rule under tax/",
        field="registrations",
    )
