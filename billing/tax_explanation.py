"""The tax of a sale explained: what, why, by which article and sources, from which facts of which records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pydantic import BaseModel, ConfigDict

from billing.money import Figure
from billing.registrations import Registration
from billing.sales import Sale, Taxed
from billing.taxes.company_rules import TaxRule, TaxRules
from billing.taxes.outcome import TaxComponent, TaxDecision


class Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Fact(Told):
    """What the decision was taken from, and the record that says so; an empty value was asked for and is not there."""

    name: str
    value: str
    origin: str


class Charge(Told):
    """One tax: rate in per cent of `share` per cent of the net."""

    name: str
    category: str
    rate: Figure
    share: Figure
    number: str = ""


class RuleUsed(Told):
    """The rule of the company that decided."""

    id: str
    reason: str
    since: date
    until: date | None = None
    source: str = ""


class Explanation(Told):
    """`known` false: no rule covers the sale; then `why` is the reason, and `next_step` what a person does."""

    known: bool
    taxes: tuple[Charge, ...] = ()
    why: str
    article: str = ""
    note: str = ""
    jurisdiction: str = ""
    sources: tuple[str, ...] = ()
    rule: RuleUsed | None = None
    next_step: str = ""
    missing: str = ""
    tax_point: date
    tax_point_article: str
    facts: tuple[Fact, ...]


def explain(sale: Sale, rules: TaxRules, sold_by: str) -> Explanation:
    """The tax of a sale under the rules of its company; `sold_by` names the record that says what is sold."""
    found = sale.tax(rules)
    outcome, facts = found.outcome, tuple(_facts(sale, found, sold_by))
    if not isinstance(outcome, TaxDecision):
        return Explanation(
            known=False,
            why=outcome.reason,
            next_step=outcome.next_step,
            missing=outcome.field,
            tax_point=found.point.day,
            tax_point_article=found.point.article,
            facts=facts,
        )
    return Explanation(
        known=True,
        taxes=tuple(_charge(each) for each in outcome.taxes),
        why="; ".join([outcome.why, *_apart(found)]),
        article=outcome.article,
        note=outcome.note,
        jurisdiction=outcome.jurisdiction,
        sources=outcome.sources,
        rule=_rule(found.rule) if found.rule else None,
        tax_point=found.point.day,
        tax_point_article=found.point.article,
        facts=facts,
    )


def _apart(found: Taxed) -> Iterator[str]:
    """Which rate which days bear, where a law taxes them apart."""
    for part, decision in found.apart:
        rates = " and ".join(f"{each.rate.normalize():f} %" for each in decision.taxes)
        yield f"{part} {rates} ({found.article_apart})"


def _charge(tax: TaxComponent) -> Charge:
    return Charge(name=tax.name, category=tax.category, rate=tax.rate, share=tax.share, number=tax.number)


def _rule(rule: TaxRule) -> RuleUsed:
    return RuleUsed(id=rule.id, reason=rule.reason, since=rule.since, until=rule.until, source=rule.source)


def _facts(sale: Sale, found: Taxed, sold_by: str) -> Iterator[Fact]:
    facts = found.facts
    issuer, crm = f"issuer {sale.issuer.id}", f"CRM {sale.client.id}"
    yield Fact(name="tax point", value=facts.tax_point.isoformat(), origin=f"supply {sale.supply}")
    home = _place(facts.issuer_country, facts.issuer_region, facts.issuer_postcode)
    yield Fact(name="seller in", value=home, origin=f"{issuer}, address")
    yield Fact(name="seller's VAT id", value=facts.issuer_vat_id, origin=f"{issuer}, vat_id")
    for each in facts.registrations:
        held = "" if each.holds(facts.tax_point) else " (not on that day)"
        yield Fact(name="registered", value=_registered(each) + held, origin=f"{issuer}, registrations")
    there = _place(facts.client_country, facts.client_region, facts.client_postcode)
    yield Fact(name="client in", value=there, origin=f"{crm}, address")
    kind = (
        "public body"
        if facts.client_is_public_body
        else "business"
        if facts.client_is_business
        else "consumer"
    )
    yield Fact(
        name="client is a",
        value=kind,
        origin=f"{crm}, {'public_body' if facts.client_is_public_body else 'business'}",
    )
    number = "vat_id" if sale.client.vat_id or not facts.client_vat_id else "tax_number"
    yield Fact(name="client's tax id", value=facts.client_vat_id, origin=f"{crm}, {number}")
    if evidence := facts.client_evidence:
        said = f"{evidence.number} {'valid' if evidence.valid else 'not valid'} on {evidence.checked_on}"
        yield Fact(
            name="checked", value=said, origin=" ".join(filter(None, (evidence.source, evidence.receipt)))
        )
    if facts.exemption_certificate:
        yield Fact(
            name="certificate", value=facts.exemption_certificate, origin=f"{crm}, exemption_certificate"
        )
    if facts.client_in_special_zone:
        yield Fact(name="special zone", value="yes", origin=f"{crm}, special_zone")
    yield Fact(name="service", value=facts.service, origin=f"{sold_by}, service")
    for name in ("performed_in", "supplied_from", "reduced_rate"):
        if value := getattr(facts, name):
            yield Fact(name=name.replace("_", " "), value=value, origin=f"{sold_by}, {name}")


def _place(country: str, region: str, postcode: str) -> str:
    return " ".join(filter(None, ("-".join(filter(None, (country, region))), postcode)))


def _registered(each: Registration) -> str:
    days = " ".join(
        [*([f"from {each.since}"] if each.since else []), *([f"to {each.until}"] if each.until else [])]
    )
    place = "-".join(filter(None, (each.country, each.region)))
    return ", ".join(filter(None, (f"{place} {each.tax}".strip(), each.scheme, each.number, days)))
