"""Services of an issuer in the European Union (Directive 2006/112/EC, "the Directive")."""

from __future__ import annotations

from datetime import date

from stdnum.eu import vat

from billing.parties import EU_MEMBERS
from billing.taxes.categories import TaxCategory
from billing.taxes.facts import ELECTRONIC, ONLINE, Registration, Scheme, ServiceKind, TaxFacts
from billing.taxes.notes import NoteCode
from billing.taxes.outcome import Outcome, TaxComponent, TaxDecision, TaxUnknown, charged, per_cent, untaxed
from billing.taxes.rates import STANDARD, RateTable
from billing.taxes.territories import Standing, standing

DIRECTIVE = "Directive 2006/112/EC"

TO_CONSUMERS_ABROAD = frozenset(
    {ServiceKind.CONSULTING, ServiceKind.DEVELOPMENT, ServiceKind.DATA_PROCESSING}
)
"""Supplied where a consumer outside the EU lives: consultants, engineers, data processing (Art. 59(c))."""

ON_THE_SPOT = frozenset({ServiceKind.TRAINING, ServiceKind.HARDWARE})
"""Supplied to consumers where they are carried out: teaching (Art. 54(1)), work on movable goods (Art. 54(2)(b))."""

VIRTUAL_SINCE = date(2025, 1, 1)
"""From here on what is streamed to a consumer is supplied where the consumer is (Directive (EU) 2022/542)."""

SMALL_BUSINESS = {
    "AT": "§ 6(1) no 27 UStG 1994",
    "DE": "§ 19(1) UStG",
    "FR": "Art. 293 B CGI",
    "IT": "Art. 1(54-89) L. 190/2014",
    "NL": "Art. 25 Wet OB 1968",
}
"""By which national article a small business charges no VAT (Art. 284 of the Directive)."""

NOT_TAXED_IN_OWN_EXCLAVES = {
    "DE": "§ 1(2), § 3a(2) UStG",
    "ES": "Art. 3, 69 Ley 37/1992",
    "IT": "Art. 7, 7-ter DPR 633/1972",
}
"""States whose own law places services to businesses in their excluded territories outside their VAT."""

SELLER_ONLY = frozenset({"AT", "DE", "GR"})
"""Where a special rate is for sellers who sit in the place; in Portugal the buyer's place counts too."""


def vat_id_country(vat_id: str) -> str:
    """The ISO country a VAT id belongs to; Greece writes EL. XI (Northern Ireland) counts for goods only."""
    prefix = vat_id[:2].upper()
    return "GR" if prefix == "EL" else prefix


def inside(facts: TaxFacts) -> bool:
    """Whether the client is in the VAT territory of the EU (Art. 5, 6)."""
    return facts.client_country in EU_MEMBERS and _client(facts) is not Standing.OUTSIDE


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """Domestic, reverse charge, one-stop shop, or outside the scope; `TaxUnknown` where a fact is missing."""
    home, abroad = facts.issuer_country, facts.client_country
    if _issuer(facts) is Standing.OUTSIDE:
        return TaxUnknown(
            reason=f"the issuer's address is in {home}, but outside the EU's VAT territory (Art. 6 {DIRECTIVE})",
            next_step="add a rule for it under tax/",
            field="issuer",
        )
    if abroad in EU_MEMBERS and vat_id_country(facts.client_vat_id) in EU_MEMBERS - {abroad}:
        return _contradiction(facts)
    if abroad == home == "IT" and facts.client_is_public_body:
        return TaxUnknown(
            reason="public bodies in Italy pay the VAT to the treasury themselves (Art. 17-ter DPR 633/1972)",
            next_step="say under tax/ whether split payment applies to this client",
        )
    if facts.service is ServiceKind.EVENT and not (facts.performed_in == ONLINE and facts.to_business):
        return where_performed(facts, rates, "Art. 53, 54(1)")
    if abroad == home:
        return _in_own_country(facts, rates)
    if any(each.scheme is Scheme.SMALL_BUSINESS for each in facts.held(abroad)):
        return TaxUnknown(
            reason=f"the issuer uses the cross-border small business scheme in {abroad} (Art. 284(2) {DIRECTIVE})",
            next_step="add a rule under tax/ with the exemption's national article",
            field="registrations",
        )
    if not facts.to_business:
        return _to_consumer(facts, rates)
    if not inside(facts):
        return _to_business_outside(facts)
    return _to_business(facts)


def charge(facts: TaxFacts, rates: RateTable, country: str, what: str, number: str = "") -> Outcome:
    """The rate of a member state, standard or the reduced one the facts name; unknown where none is known."""
    kind = facts.reduced_rate or STANDARD
    own = (country == facts.issuer_country and _issuer(facts) is Standing.OWN_RATES) or (
        country == facts.client_country
        and _client(facts) is Standing.OWN_RATES
        and country not in SELLER_ONLY
    )
    if own:
        return TaxUnknown(
            reason=f"an address in {country} lies in a part of it that has VAT rates of its own",
            next_step="add the rate that applies under tax/",
        )
    found = rates.find(facts.tax_point, country, kind=kind)
    if found is None:
        return TaxUnknown(
            reason=f"no {kind} VAT rate of {country} is known for {facts.tax_point}",
            next_step="add it under tax/, or correct the rate's name",
        )
    name = "standard rate" if kind == STANDARD else f"{kind} rate"
    return charged(
        f"{what} in {country}, {name} {per_cent(found.rate)}, {found.source}",
        (TaxComponent(name=found.tax, category=TaxCategory.STANDARD, rate=found.rate, number=number),),
        article=found.source,
        jurisdiction=country,
        sources=(found.source,),
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
        return _at_home(facts, rates, f"electronic service to a consumer in {abroad} (Art. 59c)")
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
        return _at_home(facts, rates, f"{facts.service}, performed ({article})")
    if there == ONLINE:
        if facts.client_country == home:
            return _at_home(facts, rates, f"{facts.service}, online (Art. 54(1))")
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


def _issuer(facts: TaxFacts) -> Standing:
    return standing(facts.issuer_country, facts.issuer_postcode, facts.issuer_region)


def _client(facts: TaxFacts) -> Standing:
    return standing(facts.client_country, facts.client_postcode, facts.client_region)


def _in_own_country(facts: TaxFacts, rates: RateTable) -> Outcome:
    home = facts.issuer_country
    if _client(facts) is Standing.OUTSIDE:
        text = NOT_TAXED_IN_OWN_EXCLAVES.get(home)
        if text is None or not facts.to_business:
            return TaxUnknown(
                reason=f"the client is in a part of {home} outside the EU's VAT territory (Art. 6 {DIRECTIVE})",
                next_step="add a rule under tax/: national law decides whether the service is taxed",
            )
        return _to_business_outside(facts, f"; {text}")
    if facts.performed_in not in ("", home) and facts.service in ON_THE_SPOT and not facts.to_business:
        return where_performed(facts, rates, "Art. 54")
    return _at_home(facts, rates, "domestic service")


def _at_home(facts: TaxFacts, rates: RateTable, what: str) -> Outcome:
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


def _to_consumer(facts: TaxFacts, rates: RateTable) -> Outcome:
    """Where the issuer is (Art. 45), but for electronic services, work on the spot and, outside the EU, Art. 59."""
    abroad, service = facts.client_country, facts.service
    if service in ON_THE_SPOT:
        return where_performed(facts, rates, "Art. 54")
    if inside(facts):
        if service in ELECTRONIC:
            return to_consumer_inside(facts, rates)
        return _at_home(facts, rates, f"service to a consumer in {abroad} (Art. 45)")
    if service in TO_CONSUMERS_ABROAD:
        return _outside(facts, "consumer", f"Art. 59 {DIRECTIVE}")
    if service in ELECTRONIC and abroad == "US":
        return _outside(facts, "consumer", f"Art. 58 {DIRECTIVE}")
    return TaxUnknown(
        reason=f"{service} to a consumer in {abroad}, outside the EU's VAT territory: no rule says where it is taxed",
        next_step="add a rule under tax/",
    )


def _to_business_outside(facts: TaxFacts, national: str = "") -> Outcome:
    """Art. 44; a client that shows a VAT id of the EU may have an establishment there: ask."""
    evidence = facts.client_evidence
    confirmed = evidence is not None and evidence.valid and evidence.source == "VIES"
    of_the_union = vat_id_country(facts.client_vat_id) in EU_MEMBERS and vat.is_valid(facts.client_vat_id)
    # A Canary or Büsingen business has a number of its state that VIES does not know; outside there is no such number.
    if of_the_union and (confirmed or facts.client_country not in EU_MEMBERS):
        return TaxUnknown(
            reason=f"the client's address is in {facts.client_country}, outside the EU's VAT territory, "
            f"but it shows the VAT id {facts.client_vat_id}",
            next_step="ask which establishment receives the service (Art. 22 Reg. (EU) 282/2011), and correct one",
            field="vat_id",
        )
    return _outside(facts, "business", f"Art. 44 {DIRECTIVE}{national}")


def _outside(facts: TaxFacts, whom: str, article: str) -> TaxDecision:
    return untaxed(
        TaxCategory.OUTSIDE_SCOPE,
        NoteCode.SUPPLIED_ABROAD,
        f"service to a {whom} in {facts.client_country}, outside the EU, place of supply there",
        article=article,
        home=facts.issuer_country,
        jurisdiction=facts.client_country,
        exemption_code="VATEX-EU-O",
    )


def _to_business(facts: TaxFacts) -> Outcome:
    """Reverse charge (Art. 196): between two VAT ids that fit their countries, the client's not known as wrong."""
    home, abroad = facts.issuer_country, facts.client_country
    registered, evidence = facts.liable(home), facts.client_evidence
    if registered and registered.scheme is Scheme.EXEMPT:
        return TaxUnknown(
            reason=f"what the issuer sells is exempt in {home}; whether it is in {abroad} is for the law there",
            next_step="add a rule under tax/",
        )
    if not facts.client_vat_id:
        return TaxUnknown(
            reason=f"the client in {abroad} has no VAT id, without it reverse charge cannot be applied",
            next_step="ask the client for it, or say that it is no business",
            field="vat_id",
        )
    if vat_id_country(facts.client_vat_id) != abroad:
        return _contradiction(facts)
    if evidence is not None and _bare(evidence.number) != _bare(facts.client_vat_id):
        return TaxUnknown(
            reason=f"{evidence.source} was asked about {evidence.number}, but the client's VAT id is "
            f"{facts.client_vat_id}",
            next_step="check the client's VAT id again",
            field="vat_id",
        )
    if evidence is not None and not evidence.valid:
        return TaxUnknown(
            reason=f"{evidence.source} says that {evidence.number} is not valid (asked on {evidence.checked_on})",
            next_step="have the client correct it, or charge VAT by a rule under tax/",
            field="vat_id",
        )
    if not facts.issuer_vat_id:
        return TaxUnknown(
            reason=f"the issuer in {home} has no VAT id, without it reverse charge cannot be applied",
            next_step="add its VAT id",
            field="issuer",
        )
    if vat_id_country(facts.issuer_vat_id) != home:
        return TaxUnknown(
            reason=f"the issuer is in {home} but its VAT id begins with {facts.issuer_vat_id[:2]}",
            next_step=f"write its VAT id of {home}, or say from which establishment it supplies",
            field="issuer",
        )
    return untaxed(
        TaxCategory.REVERSE_CHARGE,
        NoteCode.REVERSE_CHARGE,
        f"buyer {abroad} with VAT id, service",
        article=f"Art. 196 {DIRECTIVE}",
        home=home,
        jurisdiction=abroad,
        exemption_code="VATEX-EU-AE",
    )


def _bare(number: str) -> str:
    return "".join(each for each in number.upper() if each.isalnum())


def _contradiction(facts: TaxFacts) -> TaxUnknown:
    """Address and VAT id say different countries: where the service is received is open (Art. 22 Reg. 282/2011)."""
    country, begins = facts.client_country, facts.client_vat_id[:2]
    return TaxUnknown(
        reason=f"the client is in {country} but its VAT id begins with {begins}",
        next_step="correct one of them",
        field="vat_id",
    )
