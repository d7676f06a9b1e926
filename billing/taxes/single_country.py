"""Issuers in countries with one value added or goods and services tax: GB, CH, NO, AU, NZ, SG, JP, AE."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from billing.taxes.categories import TaxCategory
from billing.taxes.facts import ELECTRONIC, Scheme, ServiceKind, TaxFacts
from billing.taxes.outcome import Outcome, TaxComponent, TaxDecision, TaxUnknown
from billing.taxes.rates import STANDARD, RateTable


@dataclass(frozen=True)
class Country:
    """How one country taxes the services its businesses sell at home and abroad, with the articles."""

    tax: str
    at_home: str
    abroad: str
    category_abroad: TaxCategory
    same_territory: frozenset[str] = frozenset()
    taxed_at_home_for_consumers_abroad: frozenset[ServiceKind] = frozenset()
    consumers_abroad: str = ""
    small_business: str = ""


_ALL = frozenset(ServiceKind)
_ON_THE_SPOT = frozenset({ServiceKind.TRAINING, ServiceKind.SUPPORT, ServiceKind.HARDWARE, ServiceKind.EVENT})

COUNTRIES = {
    "GB": Country(
        tax="VAT",
        at_home="s. 4 VATA 1994",
        abroad="s. 7A(2)(a) VATA 1994",
        category_abroad=TaxCategory.OUTSIDE_SCOPE,
        same_territory=frozenset({"IM"}),
        taxed_at_home_for_consumers_abroad=_ON_THE_SPOT,
        consumers_abroad="Sched. 4A paras 15, 16 VATA 1994",
        small_business="Sched. 1 VATA 1994",
    ),
    "CH": Country(
        tax="MWST",
        at_home="Art. 18(1) MWSTG",
        abroad="Art. 8(1) MWSTG",
        category_abroad=TaxCategory.OUTSIDE_SCOPE,
        same_territory=frozenset({"LI"}),
        consumers_abroad="Art. 8(1) MWSTG",
        small_business="Art. 10(2)(a) MWSTG",
    ),
    "NO": Country(
        tax="MVA",
        at_home="§ 3-1 merverdiavgiftsloven",
        abroad="§ 6-22 merverdiavgiftsloven",
        category_abroad=TaxCategory.ZERO_RATED,
        taxed_at_home_for_consumers_abroad=_ON_THE_SPOT,
        consumers_abroad="§ 6-22 merverdiavgiftsloven",
        small_business="§ 2-1 merverdiavgiftsloven",
    ),
    "AU": Country(
        tax="GST",
        at_home="s. 9-70 GST Act 1999",
        abroad="s. 38-190 GST Act 1999",
        category_abroad=TaxCategory.ZERO_RATED,
        consumers_abroad="s. 38-190 GST Act 1999",
        taxed_at_home_for_consumers_abroad=_ON_THE_SPOT,
        small_business="s. 23-15 GST Act 1999",
    ),
    "NZ": Country(
        tax="GST",
        at_home="s. 8 GST Act 1985",
        abroad="s. 11A(1)(k) GST Act 1985",
        category_abroad=TaxCategory.ZERO_RATED,
        consumers_abroad="s. 11A(1)(k) GST Act 1985",
        taxed_at_home_for_consumers_abroad=_ON_THE_SPOT,
        small_business="s. 51 GST Act 1985",
    ),
    "SG": Country(
        tax="GST",
        at_home="s. 8, 16 GST Act 1993",
        abroad="s. 21(3) GST Act 1993",
        category_abroad=TaxCategory.ZERO_RATED,
        consumers_abroad="s. 21(3) GST Act 1993",
        taxed_at_home_for_consumers_abroad=_ON_THE_SPOT,
        small_business="First Schedule GST Act 1993",
    ),
    "JP": Country(
        tax="Consumption tax",
        at_home="Art. 29 Consumption Tax Act",
        abroad="Art. 7(1) Consumption Tax Act",
        category_abroad=TaxCategory.ZERO_RATED,
        consumers_abroad="Art. 7(1) Consumption Tax Act",
        taxed_at_home_for_consumers_abroad=_ON_THE_SPOT,
        small_business="Art. 9 Consumption Tax Act",
    ),
    "AE": Country(
        tax="VAT",
        at_home="Art. 3 Federal Decree-Law 8/2017",
        abroad="Art. 31 Cabinet Decision 52/2017",
        category_abroad=TaxCategory.ZERO_RATED,
        consumers_abroad="Art. 31 Cabinet Decision 52/2017",
        taxed_at_home_for_consumers_abroad=_ON_THE_SPOT,
        small_business="Art. 13 Federal Decree-Law 8/2017",
    ),
}


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """Domestic at the standard rate, abroad zero-rated or outside the scope; `TaxUnknown` where a fact is missing."""
    home, abroad = facts.issuer_country, facts.client_country
    country = COUNTRIES[home]
    registered = next((each for each in facts.held(home) if each.scheme is not Scheme.OSS), None)
    at_home = abroad == home or abroad in country.same_territory
    if at_home and registered and registered.scheme in (Scheme.SMALL_BUSINESS, Scheme.EXEMPT):
        return _exempt(country, home, registered.article or country.small_business)
    if at_home:
        return _standard(facts, rates, country, "domestic service")
    if facts.service is ServiceKind.EVENT:
        return TaxUnknown(why="admission to an event is taxed where it takes place; say which tax applies")
    if facts.client_is_business:
        return _abroad(facts, country, "business", country.abroad)
    if facts.service in ELECTRONIC and home == "GB":
        return TaxUnknown(
            why=f"electronic services to consumers in {abroad} are taxed there; add a registration or a rule under tax/"
        )
    if facts.service in country.taxed_at_home_for_consumers_abroad:
        return _standard(facts, rates, country, f"service to a consumer in {abroad}, performed in {home}")
    return _abroad(facts, country, "consumer", country.consumers_abroad)


def _exempt(country: Country, home: str, article: str) -> TaxDecision:
    return TaxDecision(
        category=TaxCategory.EXEMPT,
        rate=Decimal(0),
        note=f"No {country.tax} is charged ({article})",
        why=f"E: the issuer charges no {country.tax} in {home}, {article}",
        article=article,
        jurisdiction=home,
        sources=(article,),
    )


def _standard(facts: TaxFacts, rates: RateTable, country: Country, what: str) -> Outcome:
    home, kind = facts.issuer_country, facts.reduced_rate or STANDARD
    found = rates.find(facts.tax_point, home, kind=kind)
    if found is None:
        return TaxUnknown(
            why=f"no {kind} {country.tax} rate of {home} is known for {facts.tax_point}; add it under tax/"
        )
    name = "standard rate" if kind == STANDARD else "reduced rate"
    number = next((each.number for each in facts.held(home) if each.number), "")
    return TaxDecision(
        category=TaxCategory.STANDARD,
        rate=found.rate,
        why=f"S: {what} in {home}, {name} {found.rate.normalize():f} %, {country.at_home}",
        components=(
            TaxComponent(name=country.tax, category=TaxCategory.STANDARD, rate=found.rate, number=number),
        ),
        article=country.at_home,
        jurisdiction=home,
        sources=(found.source, country.at_home),
    )


def _abroad(facts: TaxFacts, country: Country, whom: str, article: str) -> TaxDecision:
    home, abroad = facts.issuer_country, facts.client_country
    zero = country.category_abroad is TaxCategory.ZERO_RATED
    words = f"{country.tax} 0 %: export of services" if zero else f"Outside the scope of {home} {country.tax}"
    how = "zero-rated export" if zero else "place of supply there"
    return TaxDecision(
        category=country.category_abroad,
        rate=Decimal(0),
        note=f"{words} ({article})",
        why=f"{country.category_abroad}: service to a {whom} in {abroad}, {how}, {article}",
        components=(TaxComponent(name=country.tax, category=country.category_abroad, rate=Decimal(0)),),
        article=article,
        jurisdiction="" if not zero else home,
        sources=(article,),
    )
