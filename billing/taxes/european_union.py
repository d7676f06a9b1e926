"""Services of an issuer in the European Union (Directive 2006/112/EC, "the Directive")."""

from __future__ import annotations

from decimal import Decimal

from billing.parties import EU_MEMBERS
from billing.taxes.categories import TaxCategory
from billing.taxes.facts import ELECTRONIC, Registration, Scheme, ServiceKind, TaxFacts
from billing.taxes.outcome import Outcome, TaxComponent, TaxDecision, TaxUnknown
from billing.taxes.rates import STANDARD, RateTable
from billing.taxes.territories import outside_vat_territory

SUPPLIED_TO_CONSUMERS_ABROAD = ELECTRONIC | {
    ServiceKind.CONSULTING,
    ServiceKind.DEVELOPMENT,
    ServiceKind.DATA_PROCESSING,
}
"""Services that are supplied where a consumer outside the EU lives (Art. 58, 59(c) and (d) of the Directive)."""

SMALL_BUSINESS = {
    "AT": "§ 6(1) no 27 UStG 1994",
    "DE": "§ 19(1) UStG",
    "FR": "Art. 293 B CGI",
    "IT": "Art. 1(54-89) L. 190/2014",
    "NL": "Art. 25 Wet OB 1968",
}
"""By which national article a small business charges no VAT (Art. 284 of the Directive)."""


def vat_id_country(vat_id: str) -> str:
    """The ISO country a VAT id belongs to; Greece writes EL. XI (Northern Ireland) counts for goods only."""
    prefix = vat_id[:2].upper()
    return "GR" if prefix == "EL" else prefix


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """Domestic, reverse charge, one-stop shop, or outside the scope; `TaxUnknown` where a fact is missing."""
    home, abroad = facts.issuer_country, facts.client_country
    if facts.service is ServiceKind.EVENT:
        return TaxUnknown(
            why="admission to an event is taxed where it takes place (Art. 53, 54); say which tax applies"
        )
    belongs_to = vat_id_country(facts.client_vat_id)
    if abroad in EU_MEMBERS and belongs_to in EU_MEMBERS - {abroad}:
        return _contradiction(facts)
    in_territory = abroad in EU_MEMBERS and not outside_vat_territory(
        abroad, facts.client_postcode, facts.client_region
    )
    if abroad == home and in_territory:
        return _at_home(facts, rates, "domestic service")
    if not facts.client_is_business:
        return _to_consumer(facts, rates, in_territory)
    if not in_territory:
        return _outside(facts, "business", "Art. 44")
    return _to_business(facts, rates)


def _at_home(facts: TaxFacts, rates: RateTable, what: str) -> Outcome:
    home = facts.issuer_country
    registered = next(facts.held(home), None)
    if registered and registered.scheme in (Scheme.SMALL_BUSINESS, Scheme.EXEMPT):
        return _exempt(facts, registered)
    return _standard(facts, rates, home, what)


def _exempt(facts: TaxFacts, registered: Registration) -> Outcome:
    home = facts.issuer_country
    small = registered.scheme is Scheme.SMALL_BUSINESS
    article = registered.article or (SMALL_BUSINESS.get(home, "") if small else "")
    if not article:
        return TaxUnknown(
            why=f"the issuer's registration in {home} is {registered.scheme}; write by which `article`",
            field="registrations",
        )
    reason = "small business" if small else "exempt supply"
    return TaxDecision(
        category=TaxCategory.EXEMPT,
        rate=Decimal(0),
        note=f"Exempt from VAT: {reason} ({article})",
        why=f"E: {reason} in {home}, {article}",
        article=article,
        jurisdiction=home,
        sources=(article,),
    )


def _standard(facts: TaxFacts, rates: RateTable, country: str, what: str, number: str = "") -> Outcome:
    kind = facts.reduced_rate or STANDARD
    found = rates.find(facts.tax_point, country, kind=kind)
    if found is None:
        return TaxUnknown(
            why=f"no {kind} VAT rate of {country} is known for {facts.tax_point}; add it under tax/"
        )
    name = "standard rate" if kind == STANDARD else "reduced rate"
    return TaxDecision(
        category=TaxCategory.STANDARD,
        rate=found.rate,
        why=f"S: {what} in {country}, {name} {found.rate.normalize():f} %, {found.source}",
        components=(TaxComponent(category=TaxCategory.STANDARD, rate=found.rate, number=number),),
        article=found.source,
        jurisdiction=country,
        sources=(found.source,),
    )


def _to_consumer(facts: TaxFacts, rates: RateTable, in_territory: bool) -> Outcome:
    """Where the issuer is (Art. 45), except electronic services (Art. 58) and, outside the EU, those of Art. 59."""
    home, abroad = facts.issuer_country, facts.client_country
    if not in_territory:
        if facts.service in SUPPLIED_TO_CONSUMERS_ABROAD:
            return _outside(facts, "consumer", "Art. 58" if facts.service in ELECTRONIC else "Art. 59")
        return _at_home(facts, rates, f"service to a consumer in {abroad} (Art. 45)")
    if facts.service not in ELECTRONIC:
        return _at_home(facts, rates, f"service to a consumer in {abroad} (Art. 45)")
    local = next((each for each in facts.held(abroad) if each.scheme is Scheme.STANDARD), None)
    shop = next((each for each in facts.held(home) if each.scheme is Scheme.OSS), None)
    if local or shop:
        number = (local or shop or Registration(country=home)).number
        by = "local registration" if local else "one-stop shop"
        return _standard(facts, rates, abroad, f"electronic service to a consumer (Art. 58, {by})", number)
    return TaxUnknown(
        why=f"electronic services to consumers in {abroad} are taxed there (Art. 58); the issuer in {home} has neither "
        "a one-stop shop registration nor one there; add it, or a rule under tax/ if sales stay below the threshold "
        "(Art. 59c)",
        field="registrations",
    )


def _outside(facts: TaxFacts, whom: str, article: str) -> Outcome:
    home, abroad = facts.issuer_country, facts.client_country
    return TaxDecision(
        category=TaxCategory.OUTSIDE_SCOPE,
        rate=Decimal(0),
        note=f"Not taxable in {home}: place of supply is the recipient's country ({article} Directive 2006/112/EC)",
        why=f"O: service to a {whom} in {abroad}, outside the EU, place of supply there, {article}",
        article=f"{article} Directive 2006/112/EC",
        exemption_code="VATEX-EU-O",
        jurisdiction=abroad,
        sources=("Directive 2006/112/EC",),
    )


def _to_business(facts: TaxFacts, rates: RateTable) -> Outcome:
    home, abroad = facts.issuer_country, facts.client_country
    established = next((each for each in facts.held(abroad) if each.established), None)
    if established:
        return _standard(facts, rates, abroad, "service of an establishment", established.number)
    if not facts.client_vat_id:
        return TaxUnknown(
            why=f"the client in {abroad} has no VAT id; without it reverse charge cannot be applied",
            field="vat_id",
        )
    if vat_id_country(facts.client_vat_id) != abroad:
        return _contradiction(facts)
    if facts.client_evidence is not None and not facts.client_evidence.valid:
        checked = facts.client_evidence
        return TaxUnknown(
            why=f"{checked.source} says that {checked.number} is not valid (asked on {checked.checked_on}); "
            "have the client correct it, or charge VAT",
            field="vat_id",
        )
    if not facts.issuer_vat_id:
        return TaxUnknown(
            why=f"the issuer in {home} has no VAT id; without it reverse charge cannot be applied",
            field="vat_id",
        )
    return TaxDecision(
        category=TaxCategory.REVERSE_CHARGE,
        rate=Decimal(0),
        note="Reverse charge: the recipient is liable for VAT (Art. 196 Directive 2006/112/EC)",
        why=f"AE: buyer {abroad} with VAT id, service, Art. 196",
        article="Art. 196 Directive 2006/112/EC",
        exemption_code="VATEX-EU-AE",
        jurisdiction=abroad,
        sources=("Directive 2006/112/EC",),
    )


def _contradiction(facts: TaxFacts) -> TaxUnknown:
    """Address and VAT id say different countries: where the service is received is open (Art. 22 Reg. 282/2011)."""
    country, begins = facts.client_country, facts.client_vat_id[:2]
    return TaxUnknown(
        why=f"the client is in {country} but its VAT id begins with {begins}; correct one of them",
        field="vat_id",
    )
