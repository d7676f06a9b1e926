"""Issuers in countries with one value added or goods and services tax: GB, CH, NO, AU, NZ, SG, JP, AE."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from billing.taxes.categories import TaxCategory
from billing.taxes.facts import ELECTRONIC, Scheme, ServiceKind, TaxFacts
from billing.taxes.notes import NoteCode
from billing.taxes.outcome import Outcome, TaxComponent, TaxUnknown, charged, per_cent, untaxed
from billing.taxes.rates import STANDARD, RateTable
from billing.taxes.territories import Standing, standing

_REMOTE = frozenset(
    {
        ServiceKind.CONSULTING,
        ServiceKind.DEVELOPMENT,
        ServiceKind.SUPPORT,
        ServiceKind.DATA_PROCESSING,
        *ELECTRONIC,
    }
)
_MANUAL = _REMOTE - ELECTRONIC
_LIVE = frozenset({ServiceKind.TRAINING, ServiceKind.EVENT})
_ON_THE_SPOT = _LIVE | {ServiceKind.HARDWARE}


@dataclass(frozen=True)
class Abroad:
    """Services that bear no tax when sold abroad: which ones, in which category, by which article, from which day."""

    services: frozenset[ServiceKind]
    category: TaxCategory
    article: str
    since: date = date.min


@dataclass(frozen=True)
class Country:
    """How one country taxes the services its businesses sell at home and abroad, with the articles."""

    tax: str
    at_home: str
    small_business: str
    to_business: tuple[Abroad, ...]
    to_consumers: tuple[Abroad, ...]
    where_performed: frozenset[ServiceKind] = _LIVE
    """Sold abroad, but taxed at home if performed there. Repairs are mostly not among them: what leaves the country
    afterwards may be free."""
    not_settled_at_home: dict[ServiceKind, str] = field(default_factory=dict)
    stop_for: frozenset[str] = frozenset()
    """Countries of clients for which the rules abroad are in doubt."""


def _exports(article: str) -> tuple[Abroad, ...]:
    return (Abroad(_REMOTE, TaxCategory.ZERO_RATED, article),)


_TEACHING_CH = "courses are exempt unless the issuer opts for tax (Art. 21(2)(11), 22 MWSTG)"
_EVENTS_CH = (
    "admission to teaching and culture is exempt unless the issuer opts (Art. 21(2)(11) and (14), 22 MWSTG)"
)
_TEACHING_NO = "teaching is exempt (§ 3-5 merverdiavgiftsloven), advice is not"
_EVENTS_NO = "admission has exemptions and rates of its own (§ 3-7, § 5-9 to 5-11 merverdiavgiftsloven)"

COUNTRIES = {
    "GB": Country(
        tax="VAT",
        at_home="s. 4 VATA 1994",
        small_business="Sched. 1 VATA 1994",
        to_business=(
            Abroad(
                frozenset(ServiceKind) - {ServiceKind.EVENT},
                TaxCategory.OUTSIDE_SCOPE,
                "s. 7A(2)(a) VATA 1994",
            ),
        ),
        to_consumers=(
            Abroad(
                frozenset({ServiceKind.CONSULTING, ServiceKind.DEVELOPMENT, ServiceKind.DATA_PROCESSING}),
                TaxCategory.OUTSIDE_SCOPE,
                "Sched. 4A para 16 VATA 1994",
                # Before that day the paragraph left out consumers in the EU.
                date(2021, 1, 1),
            ),
            Abroad(ELECTRONIC, TaxCategory.OUTSIDE_SCOPE, "Sched. 4A para 15 VATA 1994", date(2021, 1, 1)),
        ),
        where_performed=_ON_THE_SPOT,
    ),
    "CH": Country(
        tax="MWST",
        at_home="Art. 18(1) MWSTG",
        small_business="Art. 10(2)(a) MWSTG",
        to_business=(Abroad(_REMOTE, TaxCategory.OUTSIDE_SCOPE, "Art. 8(1) MWSTG"),),
        to_consumers=(Abroad(_REMOTE, TaxCategory.OUTSIDE_SCOPE, "Art. 8(1) MWSTG"),),
        not_settled_at_home={ServiceKind.TRAINING: _TEACHING_CH, ServiceKind.EVENT: _EVENTS_CH},
    ),
    "NO": Country(
        tax="MVA",
        at_home="§ 3-1 merverdiavgiftsloven",
        small_business="§ 2-1 merverdiavgiftsloven",
        to_business=_exports("§ 6-22(2) merverdiavgiftsloven"),
        # Private persons abroad came in with the law of 20 December 2022.
        to_consumers=(
            Abroad(_REMOTE, TaxCategory.ZERO_RATED, "§ 6-22(2) merverdiavgiftsloven", since=date(2023, 1, 1)),
        ),
        not_settled_at_home={ServiceKind.TRAINING: _TEACHING_NO, ServiceKind.EVENT: _EVENTS_NO},
    ),
    "AU": Country(
        tax="GST",
        at_home="s. 9-5, 9-70 GST Act 1999",
        small_business="s. 23-15 GST Act 1999",
        to_business=_exports("s. 38-190(1) GST Act 1999"),
        to_consumers=(Abroad(_REMOTE, TaxCategory.ZERO_RATED, "s. 38-190(1) GST Act 1999"),),
    ),
    "NZ": Country(
        tax="GST",
        at_home="s. 8(1) GST Act 1985",
        small_business="s. 51 GST Act 1985",
        to_business=_exports("s. 11A(1)(k) GST Act 1985"),
        to_consumers=(Abroad(_REMOTE, TaxCategory.ZERO_RATED, "s. 11A(1)(k) GST Act 1985"),),
    ),
    "SG": Country(
        tax="GST",
        at_home="s. 8, 16 GST Act 1993",
        small_business="First Schedule GST Act 1993",
        to_business=_exports("s. 21(3)(j) GST Act 1993"),
        to_consumers=(Abroad(_REMOTE, TaxCategory.ZERO_RATED, "s. 21(3)(j) GST Act 1993"),),
    ),
    "JP": Country(
        tax="Consumption tax",
        at_home="Art. 4(1), 29 Consumption Tax Act",
        small_business="Art. 9 Consumption Tax Act",
        to_business=(
            # What is provided over networks is placed where the recipient is, so it is no export but outside.
            Abroad(ELECTRONIC, TaxCategory.OUTSIDE_SCOPE, "Art. 4(3)(iii) Consumption Tax Act"),
            Abroad(
                _MANUAL, TaxCategory.ZERO_RATED, "Art. 7(1)(v) Consumption Tax Act, Order Art. 17(2)(vii)"
            ),
        ),
        to_consumers=(
            Abroad(ELECTRONIC, TaxCategory.OUTSIDE_SCOPE, "Art. 4(3)(iii) Consumption Tax Act"),
            Abroad(
                _MANUAL, TaxCategory.ZERO_RATED, "Art. 7(1)(v) Consumption Tax Act, Order Art. 17(2)(vii)"
            ),
        ),
    ),
    "AE": Country(
        tax="VAT",
        at_home="Art. 3 Federal Decree-Law 8/2017",
        small_business="Art. 13 Federal Decree-Law 8/2017",
        to_business=(
            Abroad(ELECTRONIC, TaxCategory.OUTSIDE_SCOPE, "Art. 31 Federal Decree-Law 8/2017"),
            Abroad(_MANUAL, TaxCategory.ZERO_RATED, "Art. 31(1)(a) Cabinet Decision 52/2017"),
        ),
        to_consumers=(
            Abroad(ELECTRONIC, TaxCategory.OUTSIDE_SCOPE, "Art. 31 Federal Decree-Law 8/2017"),
            Abroad(_MANUAL, TaxCategory.ZERO_RATED, "Art. 31(1)(a) Cabinet Decision 52/2017"),
        ),
        # Whether other GCC states are implementing states is disputed: clarification VATP019 against the courts.
        stop_for=frozenset({"BH", "KW", "OM", "QA", "SA"}),
    ),
}


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """Domestic at the standard rate, abroad zero-rated or outside the scope; `TaxUnknown` where a fact is missing."""
    home, abroad = facts.issuer_country, facts.client_country
    if standing(home, facts.issuer_postcode, facts.issuer_region) is Standing.OUTSIDE:
        return TaxUnknown(
            reason=f"the issuer's address is outside the territory of {home} {COUNTRIES[home].tax}",
            next_step="add a rule for it under tax/",
            field="issuer",
        )
    if home == "CH" and abroad == "DE" and facts.client_postcode.strip() == "78266":
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
    country, kind = COUNTRIES[where], facts.reduced_rate or STANDARD
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
    found = rates.find(facts.tax_point, where, kind=kind)
    if found is None:
        return TaxUnknown(
            reason=f"no {kind} {country.tax} rate of {where} is known for {facts.tax_point}",
            next_step="add it under tax/, or correct the rate's name",
        )
    name = "standard rate" if kind == STANDARD else f"{kind} rate"
    return charged(
        f"{what} in {where}, {name} {per_cent(found.rate)}, {country.at_home}",
        (TaxComponent(name=country.tax, category=TaxCategory.STANDARD, rate=found.rate, number=number),),
        article=country.at_home,
        jurisdiction=where,
        sources=(found.source, country.at_home),
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
                if service in _ON_THE_SPOT and not facts.performed_in
                else "add a registration there, or a rule under tax/"
            ),
            field="performed_in" if service in _ON_THE_SPOT and not facts.performed_in else "tax",
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
