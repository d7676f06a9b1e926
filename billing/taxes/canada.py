"""Services of an issuer in Canada: GST, HST, QST and provincial sales taxes, by the recipient's province."""

from __future__ import annotations

from decimal import Decimal

from billing.taxes.categories import TaxCategory
from billing.taxes.facts import Registration, Scheme, ServiceKind, TaxFacts
from billing.taxes.outcome import Outcome, TaxComponent, TaxDecision, TaxUnknown
from billing.taxes.rates import RateTable, TaxRate

GST_PROVINCES = frozenset({"AB", "BC", "MB", "NT", "NU", "QC", "SK", "YT"})
HST_PROVINCES = frozenset({"NB", "NL", "NS", "ON", "PE"})

_SOFTWARE = frozenset({ServiceKind.SAAS, ServiceKind.LICENCE})
_WORK = frozenset({ServiceKind.CONSULTING, ServiceKind.TRAINING})

PST_TAXABLE = {"BC": _SOFTWARE, "SK": _SOFTWARE, "MB": _SOFTWARE | {ServiceKind.HOSTING}}
"""Services that bear provincial sales tax for certain: software, however it is supplied (BC: s. 1, 105 PSTA; SK: PST-73;
MB: cloud computing from 2026-01-01, s. 4(1) RSTA)."""

PST_FREE = {"BC": _WORK, "SK": frozenset[ServiceKind](), "MB": _WORK}
"""Services that bear none for certain. What is in neither set is for a person: provinces differ by contract."""


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """Taxes of the recipient's province (Sched. IX, New Harmonized Value-added Tax System Regulations)."""
    registered = next((each for each in facts.held("CA") if each.scheme is not Scheme.OSS), None)
    if registered and registered.scheme in (Scheme.SMALL_BUSINESS, Scheme.EXEMPT):
        return _small(registered)
    if facts.client_country != "CA":
        return _export(facts)
    province = facts.client_region.upper()
    if province not in GST_PROVINCES | HST_PROVINCES:
        return TaxUnknown(
            why=f"the client's province is {province or 'missing'}; write it as `region` of the address, such as ON",
            field="region",
        )
    number = registered.number if registered else facts.issuer_vat_id
    if not number:
        return TaxUnknown(
            why="the issuer has no GST/HST number (123456789 RT0001); add it to its registrations",
            field="registrations",
        )
    federal = (
        rates.find(facts.tax_point, "CA", province, "HST")
        if province in HST_PROVINCES
        else rates.find(facts.tax_point, "CA", "", "GST")
    )
    if federal is None:
        return TaxUnknown(why=f"no GST/HST rate for {province} is known for {facts.tax_point}")
    charged = [(federal, number)]
    provincial = _provincial(facts, rates, province)
    if isinstance(provincial, TaxUnknown):
        return provincial
    if provincial:
        charged.append(provincial)
    return _charged(province, charged)


def _provincial(facts: TaxFacts, rates: RateTable, province: str) -> tuple[TaxRate, str] | TaxUnknown | None:
    """QST or PST, where the issuer is registered for it; None where none is to be charged."""
    if province not in {"QC", *PST_TAXABLE}:
        return None
    registered = next(facts.held("CA", province), None)
    if registered is None:
        return None  # not registered there: the recipient accounts for it, the invoice names no tax
    if province in PST_TAXABLE and facts.service in PST_FREE[province]:
        return None
    if province in PST_TAXABLE and facts.service not in PST_TAXABLE[province]:
        return TaxUnknown(
            why=f"whether {province} taxes {facts.service} depends on the contract; add a rule under tax/"
        )
    found = rates.find(facts.tax_point, "CA", province)
    if found is None:
        return TaxUnknown(why=f"no sales tax rate of {province} is known for {facts.tax_point}")
    return found, registered.number


def _charged(province: str, charged: list[tuple[TaxRate, str]]) -> TaxDecision:
    names = " and ".join(f"{rate.tax} {rate.rate.normalize():f} %" for rate, _ in charged)
    article = "; ".join(dict.fromkeys(rate.source for rate, _ in charged))
    return TaxDecision(
        category=TaxCategory.STANDARD,
        rate=charged[0][0].rate,
        why=f"S: service to a recipient in {province}, {names}, {article}",
        components=tuple(
            TaxComponent(name=rate.tax, category=TaxCategory.STANDARD, rate=rate.rate, number=number)
            for rate, number in charged
        ),
        article=article,
        jurisdiction=f"CA-{province}",
        sources=tuple(rate.source for rate, _ in charged),
    )


def _small(registered: Registration) -> TaxDecision:
    article = registered.article or "s. 148 Excise Tax Act"
    return TaxDecision(
        category=TaxCategory.EXEMPT,
        rate=Decimal(0),
        note=f"No GST/HST is charged: small supplier ({article})",
        why=f"E: small supplier, {article}",
        article=article,
        jurisdiction="CA",
        sources=(article,),
    )


def _export(facts: TaxFacts) -> TaxDecision:
    article = "Sched. VI, Part V, s. 7 Excise Tax Act"
    return TaxDecision(
        category=TaxCategory.ZERO_RATED,
        rate=Decimal(0),
        note=f"GST/HST 0 %: service to a non-resident ({article})",
        why=f"Z: service to a non-resident in {facts.client_country}, zero-rated, {article}",
        components=(TaxComponent(name="GST/HST", category=TaxCategory.ZERO_RATED, rate=Decimal(0)),),
        article=article,
        jurisdiction="CA",
        sources=(article,),
    )
