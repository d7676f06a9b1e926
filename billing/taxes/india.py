"""Services of an issuer in India: CGST and SGST within a state, IGST between states, exports zero-rated."""

from __future__ import annotations

from decimal import Decimal

from billing.taxes.categories import TaxCategory
from billing.taxes.facts import Scheme, ServiceKind, TaxFacts
from billing.taxes.outcome import Outcome, TaxComponent, TaxDecision, TaxUnknown
from billing.taxes.rates import RateTable

LONGEST_NUMBER = 16
"""Characters an invoice number may have: rule 46(b) CGST Rules 2017."""

UNION_TERRITORIES = frozenset({"04", "26", "31", "35", "38", "97"})
"""Codes of territories without a legislature: they charge UTGST in place of SGST (UTGST Act 2017)."""

SAC = {
    ServiceKind.CONSULTING: "998313",
    ServiceKind.SUPPORT: "998313",
    ServiceKind.DEVELOPMENT: "998314",
    ServiceKind.HOSTING: "998315",
    ServiceKind.DATA_PROCESSING: "998315",
    ServiceKind.SAAS: "998315",
    ServiceKind.LICENCE: "997331",
    ServiceKind.TRAINING: "999293",
    ServiceKind.HARDWARE: "998713",
}
"""Services Accounting Codes: annexure to Notification 11/2017-Central Tax (Rate)."""

_HALF = Decimal("0.5")


def state_of(gstin: str) -> str:
    """The state code a GSTIN begins with; empty if it is none."""
    code = gstin.strip()[:2]
    return code if code.isdigit() else ""


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """By the place of supply: a registered recipient's state, else its address (s. 12(2) IGST Act 2017)."""
    registered = next((each for each in facts.held("IN") if each.scheme is not Scheme.OSS), None)
    if registered and registered.scheme in (Scheme.SMALL_BUSINESS, Scheme.EXEMPT):
        article = registered.article or "s. 22 CGST Act 2017"
        return TaxDecision(
            category=TaxCategory.EXEMPT,
            rate=Decimal(0),
            note=f"No GST is charged ({article})",
            why=f"E: the issuer is not liable for GST, {article}",
            article=article,
            jurisdiction="IN",
            sources=(article,),
        )
    own = registered.number if registered else facts.issuer_vat_id
    home = state_of(own)
    if not home:
        return TaxUnknown(
            why="the issuer has no GSTIN, so its state is unknown; add it to its registrations",
            field="registrations",
        )
    if facts.client_country != "IN":
        return _export(facts)
    there = state_of(facts.client_vat_id) or state_of(facts.client_region)
    if not there:
        return TaxUnknown(
            why="the client has neither a GSTIN nor a state code as `region` of its address (such as 29); add one",
            field="region",
        )
    found = rates.find(facts.tax_point, "IN", tax="IGST")
    if found is None:
        return TaxUnknown(why=f"no GST rate of India is known for {facts.tax_point}; add it under tax/")
    half = found.rate * _HALF
    if there == home:
        local = "UTGST" if home in UNION_TERRITORIES else "SGST"
        parts = (("CGST", half), (local, half))
        article = "s. 8 IGST Act 2017, s. 9 CGST Act 2017"
    else:
        parts = (("IGST", found.rate),)
        article = "s. 7 IGST Act 2017, s. 5 IGST Act 2017"
    names = " and ".join(f"{name} {rate.normalize():f} %" for name, rate in parts)
    sac = SAC.get(facts.service, "")
    return TaxDecision(
        category=TaxCategory.STANDARD,
        rate=parts[0][1],
        why=f"S: from state {home} to state {there}, {names}, {article}" + (f", SAC {sac}" if sac else ""),
        components=tuple(
            TaxComponent(name=name, category=TaxCategory.STANDARD, rate=rate, number=own)
            for name, rate in parts
        ),
        article=article,
        jurisdiction=f"IN-{there}",
        sources=(found.source, article),
    )


def _export(facts: TaxFacts) -> TaxDecision:
    article = "s. 2(6), s. 16(3) IGST Act 2017"
    return TaxDecision(
        category=TaxCategory.ZERO_RATED,
        rate=Decimal(0),
        note="Supply meant for export under letter of undertaking without payment of integrated tax (rule 46 CGST Rules)",
        why=f"Z: export of a service to {facts.client_country}, under letter of undertaking, {article}",
        components=(TaxComponent(name="IGST", category=TaxCategory.ZERO_RATED, rate=Decimal(0)),),
        article=article,
        jurisdiction="IN",
        sources=(article,),
    )
