"""What the rules of the European Union are built from: territory, the rates of member states, who charges nothing."""

from __future__ import annotations

from billing.parties import EU_MEMBERS
from billing.taxes.categories import TaxCategory
from billing.taxes.facts import Registration, Scheme, TaxFacts
from billing.taxes.national_rate import at_national_rate
from billing.taxes.notes import NoteCode
from billing.taxes.outcome import Outcome, TaxDecision, TaxUnknown, untaxed
from billing.taxes.rates import RateTable
from billing.taxes.territories import Standing, standing

DIRECTIVE = "Directive 2006/112/EC"

SMALL_BUSINESS = {
    "AT": "§ 6(1) no 27 UStG 1994",
    "DE": "§ 19(1) UStG",
    "FR": "Art. 293 B CGI",
    "IT": "Art. 1(54-89) L. 190/2014",
    "NL": "Art. 25 Wet OB 1968",
}
"""By which national article a small business charges no VAT (Art. 284 of the Directive)."""

SELLER_ONLY = frozenset({"AT", "DE", "GR"})
"""Where a special rate is for sellers who sit in the place; in Portugal the buyer's place counts too."""


def inside(facts: TaxFacts) -> bool:
    """Whether the client is in the VAT territory of the EU (Art. 5, 6)."""
    return facts.client_country in EU_MEMBERS and client_standing(facts) is not Standing.OUTSIDE


def issuer_standing(facts: TaxFacts) -> Standing:
    return standing(facts.issuer_country, facts.issuer_postcode, facts.issuer_region)


def client_standing(facts: TaxFacts) -> Standing:
    return standing(facts.client_country, facts.client_postcode, facts.client_region)


def charge(facts: TaxFacts, rates: RateTable, country: str, what: str, number: str = "") -> Outcome:
    """The rate of a member state, standard or the reduced one the facts name; unknown where none is known."""
    own = (country == facts.issuer_country and issuer_standing(facts) is Standing.OWN_RATES) or (
        country == facts.client_country
        and client_standing(facts) is Standing.OWN_RATES
        and country not in SELLER_ONLY
    )
    if own:
        return TaxUnknown(
            reason=f"an address in {country} lies in a part of it that has VAT rates of its own",
            next_step="add the rate that applies under tax/",
        )
    return at_national_rate(facts, rates, country, what, tax="VAT", number=number)


def at_home(facts: TaxFacts, rates: RateTable, what: str) -> Outcome:
    registered = facts.liable(facts.issuer_country)
    if registered and registered.scheme is not Scheme.STANDARD:
        return _exempt(facts, registered)
    return charge(facts, rates, facts.issuer_country, what)


def _exempt(facts: TaxFacts, registered: Registration) -> Outcome:
    home = facts.issuer_country
    small = registered.scheme is Scheme.SMALL_BUSINESS
    article = registered.article or (SMALL_BUSINESS.get(home, "") if small else "")
    if not article:
        return TaxUnknown(
            reason=f"the issuer's registration in {home} says {registered.scheme}, but not by which law",
            next_step="write the `article` into it",
            field="registrations",
        )
    return untaxed(
        TaxCategory.EXEMPT,
        NoteCode.SMALL_BUSINESS if small else NoteCode.EXEMPT,
        f"{registered.scheme} in {home}",
        article=article,
        home=home,
        jurisdiction=home,
        exemption_code="VATEX-FR-FRANCHISE" if small and home == "FR" else "",
    )


def outside(facts: TaxFacts, whom: str, article: str) -> TaxDecision:
    return untaxed(
        TaxCategory.OUTSIDE_SCOPE,
        NoteCode.SUPPLIED_ABROAD,
        f"service to a {whom} in {facts.client_country}, outside the EU, place of supply there",
        article=article,
        home=facts.issuer_country,
        jurisdiction=facts.client_country,
        exemption_code="VATEX-EU-O",
    )
