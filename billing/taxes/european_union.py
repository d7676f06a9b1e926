"""Services of an issuer in the European Union (Directive 2006/112/EC, "the Directive")."""

from __future__ import annotations

from stdnum.eu import vat

from billing.parties import EU_MEMBERS
from billing.taxes.categories import TaxCategory
from billing.taxes.european_consumers import ON_THE_SPOT, to_consumer, where_performed
from billing.taxes.facts import ONLINE, Scheme, ServiceKind, TaxFacts
from billing.taxes.member_states import DIRECTIVE, at_home, client_standing, inside, issuer_standing, outside
from billing.taxes.notes import NoteCode
from billing.taxes.outcome import Outcome, TaxUnknown, untaxed
from billing.taxes.rates import RateTable
from billing.taxes.territories import Standing

NOT_TAXED_IN_OWN_EXCLAVES = {
    "DE": "§ 1(2), § 3a(2) UStG",
    "ES": "Art. 3, 69 Ley 37/1992",
    "IT": "Art. 7, 7-ter DPR 633/1972",
}
"""States whose own law places services to businesses in their excluded territories outside their VAT."""


def vat_id_country(vat_id: str) -> str:
    """The ISO country a VAT id belongs to; Greece writes EL. XI (Northern Ireland) counts for goods only."""
    prefix = vat_id[:2].upper()
    return "GR" if prefix == "EL" else prefix


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """Domestic, reverse charge, one-stop shop, or outside the scope; `TaxUnknown` where a fact is missing."""
    home, abroad = facts.issuer_country, facts.client_country
    if issuer_standing(facts) is Standing.OUTSIDE:
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
        return to_consumer(facts, rates)
    if not inside(facts):
        return _to_business_outside(facts)
    return _to_business(facts)


def _in_own_country(facts: TaxFacts, rates: RateTable) -> Outcome:
    home = facts.issuer_country
    if client_standing(facts) is Standing.OUTSIDE:
        text = NOT_TAXED_IN_OWN_EXCLAVES.get(home)
        if text is None or not facts.to_business:
            return TaxUnknown(
                reason=f"the client is in a part of {home} outside the EU's VAT territory (Art. 6 {DIRECTIVE})",
                next_step="add a rule under tax/: national law decides whether the service is taxed",
            )
        return _to_business_outside(facts, f"; {text}")
    if facts.performed_in not in ("", home) and facts.service in ON_THE_SPOT and not facts.to_business:
        return where_performed(facts, rates, "Art. 54")
    return at_home(facts, rates, "domestic service")


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
    return outside(facts, "business", f"Art. 44 {DIRECTIVE}{national}")


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
