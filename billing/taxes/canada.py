"""Services to clients in Canada: GST, HST, QST and provincial sales taxes, by the recipient's province."""

from __future__ import annotations

from billing.taxes import taxability
from billing.taxes.categories import TaxCategory
from billing.taxes.facts import ELECTRONIC, ONLINE, Registration, Scheme, ServiceKind, TaxFacts
from billing.taxes.notes import NoteCode
from billing.taxes.outcome import Outcome, TaxComponent, TaxDecision, TaxUnknown, charged, per_cent, untaxed
from billing.taxes.rates import RateTable, TaxRate

TAX = "GST/HST"

GST_PROVINCES = frozenset({"AB", "BC", "MB", "NT", "NU", "QC", "SK", "YT"})
HST_PROVINCES = frozenset({"NB", "NL", "NS", "ON", "PE"})
PST_PROVINCES = frozenset({"BC", "MB", "SK"})

NOT_BY_ADDRESS = frozenset({ServiceKind.EVENT, ServiceKind.HARDWARE})
"""Placed where the event or the good is, not where the recipient is (Part 5, New HVAT System Regulations)."""


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """Taxes of the recipient's province (s. 13 New Harmonized Value-added Tax System Regulations)."""
    registered = facts.liable("CA")
    if registered and registered.scheme is not Scheme.STANDARD:
        return _small(registered)
    if facts.client_country != "CA":
        return _export(facts)
    if stop := _not_by_rule(facts):
        return stop
    province = facts.client_region.upper()
    number = registered.number if registered else ""
    number = number or (facts.issuer_vat_id if facts.issuer_country == "CA" else "")
    if not number:
        return TaxUnknown(
            reason="the issuer has no GST/HST number (123456789 RT0001)",
            next_step="add it to its registrations, or say there that it is a small supplier",
            field="registrations",
        )
    harmonised = province in HST_PROVINCES
    federal = rates.find(
        facts.tax_point, "CA", province if harmonised else "", "HST" if harmonised else "GST"
    )
    if federal is None:
        return TaxUnknown(
            reason=f"no GST/HST rate of {province} is known for {facts.tax_point}",
            next_step="add it under tax/",
        )
    provincial = _provincial(facts, rates, province)
    if isinstance(provincial, TaxUnknown):
        return provincial
    return _charged(province, [(federal, number), *([provincial] if provincial else [])])


def _not_by_rule(facts: TaxFacts) -> TaxUnknown | None:
    """What no rule here decides for a recipient in Canada."""
    province = facts.client_region.upper()
    if province not in GST_PROVINCES | HST_PROVINCES:
        return TaxUnknown(
            reason=f"the client's province is {province or 'missing'}",
            next_step="write it as `region` of the address, such as ON",
            field="region",
        )
    if facts.exemption_certificate:
        return TaxUnknown(
            reason="relief for First Nations depends on where the service is used (GST/HST bulletin B-039)",
            next_step="add a rule under tax/ for this client",
        )
    if facts.client_is_public_body:
        return TaxUnknown(
            reason="provinces and their bodies pay no GST/HST in part (reciprocal taxation agreements)",
            next_step="add a rule under tax/ for this client",
        )
    if facts.service in NOT_BY_ADDRESS:
        return TaxUnknown(
            reason=f"{facts.service} is taxed where the event or the good is, not by the client's address",
            next_step="add a rule under tax/",
        )
    if facts.service is ServiceKind.TRAINING and facts.performed_in != ONLINE:
        return TaxUnknown(
            reason="training in the presence of those who are trained may be taxed in the province where it is given "
            "(personal services and events, bulletin B-103)",
            next_step="say that it is online (`performed_in`), or add a rule under tax/",
            field="performed_in",
        )
    if facts.reduced_rate:
        return TaxUnknown(
            reason=f"GST/HST has no rate {facts.reduced_rate!r}",
            next_step="leave the reduced rate out, or add a rule under tax/",
        )
    return None


def _provincial(facts: TaxFacts, rates: RateTable, province: str) -> tuple[TaxRate, str] | TaxUnknown | None:
    """QST or PST, where the issuer is registered for it; None where none is to be charged."""
    registered = facts.liable("CA", province)
    if registered is None or province not in {"QC", *PST_PROVINCES}:
        return None  # not registered there: the recipient accounts for it, the invoice names no tax
    if registered.scheme is not Scheme.STANDARD:
        return None
    if province in PST_PROVINCES:
        rule = taxability.find(facts.tax_point, "CA", province, facts.service)
        if rule is None:
            return TaxUnknown(
                reason=f"whether {province} taxes {facts.service} on {facts.tax_point} depends on the contract",
                next_step="add a rule under tax/",
            )
        if not rule.taxed:
            return None
    found = rates.find(facts.tax_point, "CA", province)
    if found is None:
        return TaxUnknown(
            reason=f"no sales tax rate of {province} is known for {facts.tax_point}",
            next_step="add it under tax/",
        )
    return found, registered.number


def _charged(province: str, taxes: list[tuple[TaxRate, str]]) -> TaxDecision:
    names = " and ".join(f"{rate.tax} {per_cent(rate.rate)}" for rate, _ in taxes)
    sources = tuple(rate.source for rate, _ in taxes)
    article = "; ".join(dict.fromkeys(sources))
    return charged(
        f"service to a recipient in {province}, {names}, {article}",
        tuple(
            TaxComponent(name=rate.tax, category=TaxCategory.STANDARD, rate=rate.rate, number=number)
            for rate, number in taxes
        ),
        article=article,
        jurisdiction=f"CA-{province}",
        sources=sources,
    )


def _small(registered: Registration) -> Outcome:
    small = registered.scheme is Scheme.SMALL_BUSINESS
    article = registered.article or ("s. 148, 166 Excise Tax Act" if small else "")
    if not article:
        return TaxUnknown(
            reason=f"the issuer's registration in CA says {registered.scheme}, but not by which law",
            next_step="write the `article` into it",
            field="registrations",
        )
    return untaxed(
        TaxCategory.EXEMPT,
        NoteCode.SMALL_BUSINESS if small else NoteCode.EXEMPT,
        f"{registered.scheme} in CA",
        article=article,
        home="CA",
        tax=TAX,
        jurisdiction="CA",
    )


def _export(facts: TaxFacts) -> Outcome:
    """Zero-rated to a non-resident, unless it is done on goods or to persons in Canada."""
    away = facts.performed_in not in ("", "CA")
    if facts.service in NOT_BY_ADDRESS or (facts.service is ServiceKind.TRAINING and not away):
        return TaxUnknown(
            reason=f"{facts.service} to a non-resident is taxed if it is carried out in Canada "
            "(Sched. VI, Part V, s. 7(a.1), (e) Excise Tax Act)",
            next_step="say where it is performed (`performed_in`), or add a rule under tax/",
            field="performed_in",
        )
    if "RT" in facts.client_vat_id.upper() and facts.client_vat_id[:9].isdigit():
        return TaxUnknown(
            reason=f"the client is in {facts.client_country}, but shows the GST/HST number {facts.client_vat_id}",
            next_step="ask whether it is registered as a non-resident, and add a rule under tax/",
            field="vat_id",
        )
    section = "s. 10.1" if facts.service in ELECTRONIC else "s. 7"
    return untaxed(
        TaxCategory.ZERO_RATED,
        NoteCode.EXPORT,
        f"service to a non-resident in {facts.client_country}, zero-rated",
        article=f"Sched. VI, Part V, {section} Excise Tax Act",
        home="CA",
        tax=TAX,
        jurisdiction="CA",
    )
