"""Services of an issuer in the United States: sales tax by the client's state, where the issuer is registered.

Rates reach down to the street, so none comes with Billow: they are configured by state and postcode, or asked from a
provider. What a state taxes is told here only where its own text says so; anything else is for a person.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from billing.taxes.categories import TaxCategory
from billing.taxes.facts import ServiceKind, TaxFacts
from billing.taxes.outcome import Outcome, TaxComponent, TaxDecision, TaxUnknown
from billing.taxes.rates import RateTable

WITHOUT_SALES_TAX = frozenset({"AK", "DE", "MT", "NH", "OR"})
"""States without a state sales tax. Alaska's boroughs have their own: an issuer registered there adds a rule."""

STATES = frozenset(
    "AL AK AZ AR CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR "
    "PA RI SC SD TN TX UT VA VT WA WI WV WY".split()
)


class Taxability(StrEnum):
    TAXED = "taxed"
    FREE = "not taxed"


_WORK = (ServiceKind.CONSULTING, ServiceKind.DEVELOPMENT, ServiceKind.TRAINING)

TAXABILITY: dict[str, dict[ServiceKind, tuple[Taxability, str]]] = {
    "CA": {
        ServiceKind.SAAS: (Taxability.FREE, "Reg. 1502: no tangible medium passes"),
        **dict.fromkeys(_WORK, (Taxability.FREE, "Rev. & Tax. Code § 6006: tangible property only")),
    },
    "NY": {
        ServiceKind.SAAS: (Taxability.TAXED, "Tax Law § 1101(b)(6), § 1105(a): prewritten software"),
        ServiceKind.LICENCE: (Taxability.TAXED, "Tax Law § 1101(b)(6)"),
        ServiceKind.CONSULTING: (Taxability.FREE, "Tax Law § 1105(c): not among the services named"),
        ServiceKind.DEVELOPMENT: (Taxability.FREE, "Tax Law § 1101(b)(14): custom software"),
        ServiceKind.TRAINING: (Taxability.FREE, "Tax Law § 1105(c): not among the services named"),
    },
    "TX": {
        ServiceKind.SAAS: (Taxability.TAXED, "Tax Code § 151.0035, 34 TAC § 3.330: data processing"),
        ServiceKind.DATA_PROCESSING: (Taxability.TAXED, "Tax Code § 151.0035, 34 TAC § 3.330"),
        ServiceKind.HOSTING: (Taxability.TAXED, "Tax Code § 151.0035, 34 TAC § 3.330"),
        ServiceKind.DEVELOPMENT: (Taxability.FREE, "34 TAC § 3.308: contract programming"),
        ServiceKind.CONSULTING: (Taxability.FREE, "34 TAC § 3.330: consulting is not data processing"),
        ServiceKind.TRAINING: (Taxability.FREE, "34 TAC § 3.308"),
    },
    "PA": {
        ServiceKind.SAAS: (Taxability.TAXED, "61 Pa. Code § 60.19; Letter Ruling SUT-12-001"),
        ServiceKind.LICENCE: (Taxability.TAXED, "61 Pa. Code § 60.19"),
    },
    "WA": {
        ServiceKind.SAAS: (Taxability.TAXED, "RCW 82.04.050(6)(c): remote access software"),
        ServiceKind.LICENCE: (Taxability.TAXED, "RCW 82.04.050(6)"),
    },
    "FL": {
        ServiceKind.SAAS: (Taxability.FREE, "Rule 12A-1.032 F.A.C.: nothing tangible is sold"),
        **dict.fromkeys(_WORK, (Taxability.FREE, "Rule 12A-1.032 F.A.C.")),
    },
}
"""Per state and service, whether it is taxed, by which text."""

TAXED_SHARE = {
    ("TX", kind): Decimal(80) for kind in (ServiceKind.SAAS, ServiceKind.DATA_PROCESSING, ServiceKind.HOSTING)
}
"""Per cent of the charge that is taxed where that is not all of it: Texas Tax Code § 151.351."""


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """By the client's state; `TaxUnknown` for what no text settles and for rates nobody has configured."""
    if facts.client_country != "US":
        why = f"service to {facts.client_country}, outside the United States: no sales tax"
        return _none("US", why, "no state taxes what is used abroad", TaxCategory.OUTSIDE_SCOPE)
    state = facts.client_region.upper()
    if state not in STATES:
        return TaxUnknown(
            why=f"the client's state is {state or 'missing'}; write it as `region` of the address, such as TX",
            field="region",
        )
    registered = next(facts.held("US", state), None)
    if state in WITHOUT_SALES_TAX and registered is None:
        return _none(f"US-{state}", f"{state} has no state sales tax", "no state sales tax")
    if registered is None:
        return _none(
            f"US-{state}",
            f"the issuer is not registered in {state}, so it collects no tax there",
            "no nexus registered",
        )
    if facts.exemption_certificate:
        certificate = facts.exemption_certificate
        return _none(f"US-{state}", f"exemption certificate {certificate}", certificate, TaxCategory.EXEMPT)
    taxability, text = TAXABILITY.get(state, {}).get(facts.service, (None, ""))
    if taxability is None:
        return TaxUnknown(
            why=f"whether {state} taxes {facts.service} is not settled here; add a rule under tax/"
        )
    if taxability is Taxability.FREE:
        return _none(f"US-{state}", f"{facts.service} is not taxed in {state}, {text}", text)
    found = rates.find(facts.tax_point, "US", f"{state}/{facts.client_postcode[:5]}") or rates.find(
        facts.tax_point, "US", state
    )
    if found is None:
        return TaxUnknown(
            why=f"{state} taxes {facts.service} ({text}), but no rate is configured for {state} "
            f"{facts.client_postcode or 'without a postcode'}; add it under tax/, or connect a provider"
        )
    share = TAXED_SHARE.get((state, facts.service), Decimal(100))
    part = "" if share == 100 else f" of {share.normalize():f} % of the charge"
    return TaxDecision(
        category=TaxCategory.STANDARD,
        rate=found.rate,
        why=f"S: {facts.service} in {state}, {found.rate.normalize():f} %{part}, {text}",
        components=(
            TaxComponent(
                name="Sales tax",
                category=TaxCategory.STANDARD,
                rate=found.rate,
                share=share,
                number=registered.number,
            ),
        ),
        article=text,
        jurisdiction=f"US-{state}",
        sources=(text, found.source),
    )


def _none(
    where: str, why: str, article: str, category: TaxCategory = TaxCategory.OUTSIDE_SCOPE
) -> TaxDecision:
    return TaxDecision(
        category=category,
        rate=Decimal(0),
        why=f"{category}: {why}",
        components=(TaxComponent(name="Sales tax", category=category, rate=Decimal(0)),),
        article=article,
        jurisdiction=where,
        sources=(article,),
    )
