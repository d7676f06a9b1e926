"""Issuers in countries with one value added or goods and services tax: GB, CH, NO, AU, NZ, SG, JP, AE."""

from __future__ import annotations

from billing.taxes.categories import TaxCategory
from billing.taxes.countries import COUNTRIES, ON_THE_SPOT, Abroad, Country
from billing.taxes.facts import Scheme, TaxFacts
from billing.taxes.national_rate import at_national_rate
from billing.taxes.notes import NoteCode
from billing.taxes.outcome import Outcome, TaxUnknown, untaxed
from billing.taxes.rates import RateTable
from billing.taxes.territories import Standing, bare, standing


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """Domestic at the standard rate, abroad zero-rated or outside the scope; `TaxUnknown` where a fact is missing."""
    home, abroad = facts.issuer_country, facts.client_country
    if standing(home, facts.issuer_postcode, facts.issuer_region) is Standing.OUTSIDE:
        return TaxUnknown(
            reason=f"the issuer's address is outside the territory of {home} {COUNTRIES[home].tax}",
            next_step="add a rule for it under tax/",
            field="issuer",
        )
    if home == "CH" and abroad == "DE" and bare(facts.client_postcode) == "78266":
        return TaxUnknown(
            reason="Büsingen belongs to the Swiss customs territory (treaty of 23 November 1964)",
            next_step="add a rule under tax/ that says whether Swiss MWST is charged there",
        )
    away = standing(abroad, facts.client_postcode, facts.client_region) is Standing.OUTSIDE
    if abroad == home and not away:
        return charge(facts, rates, home, "domestic service")
    return _abroad(facts, rates)


def charge(facts: TaxFacts, rates: RateTable, where: str, what: str) -> Outcome:
    """The tax of one of these countries, by the issuer's registration there; exempt where it says so."""
    country = COUNTRIES[where]
    registered = facts.liable(where)
    if registered and registered.scheme is not Scheme.STANDARD:
        return _not_charged(country, where, registered.scheme, registered.article)
    if facts.service in country.not_settled_at_home:
        return TaxUnknown(
            reason=f"{facts.service} in {where}: {country.not_settled_at_home[facts.service]}",
            next_step="add a rule under tax/ that says which",
        )
    number = registered.number if registered else ""
    number = number or (facts.issuer_vat_id if where == facts.issuer_country else "")
    if not number:
        return TaxUnknown(
            reason=f"the issuer has no {country.tax} number of {where}, without one it may not charge {country.tax}",
            next_step="add it to the issuer, or a registration that says small business",
            field="registrations",
        )
    return at_national_rate(
        facts, rates, where, what, tax=country.tax, number=number, article=country.at_home
    )


def _not_charged(country: Country, where: str, scheme: Scheme, article: str) -> Outcome:
    small = scheme is Scheme.SMALL_BUSINESS
    article = article or (country.small_business if small else "")
    if not article:
        return TaxUnknown(
            reason=f"the issuer's registration in {where} says {scheme}, but not by which law",
            next_step="write the `article` into it",
            field="registrations",
        )
    return untaxed(
        TaxCategory.EXEMPT,
        NoteCode.SMALL_BUSINESS if small else NoteCode.EXEMPT,
        f"{scheme} in {where}",
        article=article,
        home=where,
        tax=country.tax,
        jurisdiction=where,
    )


def _abroad(facts: TaxFacts, rates: RateTable) -> Outcome:
    home, abroad, service = facts.issuer_country, facts.client_country, facts.service
    country = COUNTRIES[home]
    whom = "business" if facts.to_business else "consumer"
    row = next(
        (
            each
            for each in (country.to_business if facts.to_business else country.to_consumers)
            if service in each.services and facts.tax_point >= each.since
        ),
        None,
    )
    if row is None and service in country.where_performed and facts.performed_in == home:
        return charge(facts, rates, home, f"{service} to a {whom} in {abroad}, performed")
    if row is None or abroad in country.stop_for:
        return TaxUnknown(
            reason=f"{service} from {home} to a {whom} in {abroad}: no rule settles whether {country.tax} is charged",
            next_step=(
                "say where it is performed (`performed_in`), or add a rule under tax/"
                if service in ON_THE_SPOT and not facts.performed_in
                else "add a registration there, or a rule under tax/"
            ),
            field="performed_in" if service in ON_THE_SPOT and not facts.performed_in else "tax",
        )
    return _untaxed_abroad(facts, country, row, whom)


def _untaxed_abroad(facts: TaxFacts, country: Country, row: Abroad, whom: str) -> Outcome:
    home, abroad = facts.issuer_country, facts.client_country
    registered, zero = facts.liable(home), row.category is TaxCategory.ZERO_RATED
    if zero and registered and registered.scheme is not Scheme.STANDARD:
        return _not_charged(country, home, registered.scheme, registered.article)
    how = "zero-rated export" if zero else "place of supply there"
    return untaxed(
        row.category,
        NoteCode.EXPORT if zero else NoteCode.SUPPLIED_ABROAD,
        f"service to a {whom} in {abroad}, {how}",
        article=row.article,
        home=home,
        tax=country.tax,
        jurisdiction=home if zero else abroad,
    )
