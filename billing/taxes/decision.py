"""Which tax applies to a service, why, and by which article.

Covered: domestic supplies in Germany and Austria, reverse charge inside the EU, services to businesses
outside the EU. Anything else is `TaxUnknown`: a person decides, nothing is guessed.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from billing.money import Figure
from billing.parties import EU_MEMBERS

STANDARD_RATES = {"DE": Decimal(19), "AT": Decimal(20)}
"""Standard VAT rates in per cent: § 12(1) UStG (since 2021-01-01), § 10(1) UStG 1994 (AT)."""

_DOMESTIC_ARTICLE = {"DE": "§ 12(1) UStG", "AT": "§ 10(1) UStG 1994"}


class TaxCategory(StrEnum):
    """VAT category codes of EN 16931 (UNTDID 5305)."""

    STANDARD = "S"
    REVERSE_CHARGE = "AE"
    OUTSIDE_SCOPE = "O"


class TaxFacts(BaseModel):
    """What the decision is taken from: countries are ISO 3166-1, VAT ids as given by the parties."""

    model_config = ConfigDict(frozen=True)

    issuer_country: str
    issuer_vat_id: str
    client_country: str
    client_vat_id: str
    client_is_business: bool


class TaxDecision(BaseModel):
    """The category, the rate in per cent, the words for the document, and why."""

    model_config = ConfigDict(frozen=True)

    category: TaxCategory
    rate: Figure
    note: str = ""
    why: str


class TaxUnknown(BaseModel):
    """No rule covers the case; `why` says which fact is missing or which rule."""

    model_config = ConfigDict(frozen=True)

    why: str


def vat_id_country(vat_id: str) -> str:
    """The ISO country a VAT id belongs to; Greece writes EL."""
    prefix = vat_id[:2].upper()
    return "GR" if prefix == "EL" else prefix


def decide_tax(facts: TaxFacts) -> TaxDecision | TaxUnknown:
    """The tax on a service between the two parties."""
    home, abroad = facts.issuer_country, facts.client_country
    if home not in STANDARD_RATES:
        return TaxUnknown(why=f"no tax rules for an issuer in {home}")
    if abroad in EU_MEMBERS and vat_id_country(facts.client_vat_id) in EU_MEMBERS - {abroad}:
        return _contradiction(facts)
    if abroad == home:
        rate = STANDARD_RATES[home]
        return TaxDecision(
            category=TaxCategory.STANDARD,
            rate=rate,
            why=f"S: domestic service in {home}, standard rate {rate} %, {_DOMESTIC_ARTICLE[home]}",
        )
    if not facts.client_is_business:
        return TaxUnknown(
            why=f"no tax rule for a consumer in {abroad}; say in the CRM whether it is a business"
        )
    if abroad not in EU_MEMBERS:
        return TaxDecision(
            category=TaxCategory.OUTSIDE_SCOPE,
            rate=Decimal(0),
            note=f"Not taxable in {home}: place of supply is the recipient's country (Art. 44 Directive 2006/112/EC)",
            why=f"O: service to a business in {abroad}, outside the EU, place of supply there, Art. 44",
        )
    if not facts.client_vat_id:
        return TaxUnknown(
            why=f"the client in {abroad} has no VAT id; without it reverse charge cannot be applied"
        )
    if vat_id_country(facts.client_vat_id) != abroad:
        return _contradiction(facts)
    if not facts.issuer_vat_id:
        return TaxUnknown(
            why=f"the issuer in {home} has no VAT id; without it reverse charge cannot be applied"
        )
    return TaxDecision(
        category=TaxCategory.REVERSE_CHARGE,
        rate=Decimal(0),
        note="Reverse charge: the recipient is liable for VAT (Art. 196 Directive 2006/112/EC)",
        why=f"AE: buyer {abroad} with VAT id, service, Art. 196",
    )


def _contradiction(facts: TaxFacts) -> TaxUnknown:
    """Address and VAT id say different countries: where the service is received is open (Art. 22 Reg. 282/2011)."""
    country, begins = facts.client_country, facts.client_vat_id[:2]
    return TaxUnknown(
        why=f"the client is in {country} but its VAT id begins with {begins}; correct one of them"
    )
