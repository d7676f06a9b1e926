"""A sale as tax law sees it: which records its facts are taken from, when tax becomes chargeable, what it is then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from billing.agreements import Recurring
from billing.parties import EU_MEMBERS, Issuer
from billing.periods import Period
from billing.sources import CrmClient
from billing.taxes.company_rules import TaxRule, TaxRules
from billing.taxes.decision import decide_tax
from billing.taxes.facts import IdEvidence, ServiceKind, TaxFacts
from billing.taxes.outcome import Outcome, TaxDecision, TaxUnknown
from billing.taxes.tax_point import Supply, TaxPoint, tax_point, taxed_apart
from billing.taxes.territories import settled


class Sold(Protocol):
    """What is sold: an agreement, a one-off, or a question."""

    @property
    def client(self) -> str: ...
    @property
    def service(self) -> ServiceKind: ...
    @property
    def performed_in(self) -> str: ...
    @property
    def supplied_from(self) -> str: ...
    @property
    def reduced_rate(self) -> str: ...


@dataclass(frozen=True)
class Question:
    """A sale to a client that nobody has agreed on yet."""

    client: str
    service: ServiceKind = ServiceKind.CONSULTING
    performed_in: str = ""
    supplied_from: str = ""
    reduced_rate: str = ""


@dataclass(frozen=True)
class Sale:
    """Who sells to whom under what, the days of service, and the day of the invoice as far as it is known."""

    issuer: Issuer
    client: CrmClient
    sold: Sold
    supply: Period
    issued: date
    evidence: IdEvidence | None = None

    def facts(self, day: date) -> TaxFacts:
        """All facts of a decision whose tax point is a day."""
        home, there = self.issuer.address, self.client.address
        return TaxFacts(
            issuer_country=home.country,
            issuer_region=home.region,
            issuer_postcode=home.postcode,
            issuer_vat_id=self.issuer.vat_id,
            registrations=self.issuer.registrations,
            client_country=there.country,
            client_region=there.region,
            client_postcode=there.postcode,
            client_vat_id=self._client_number(),
            client_is_business=self.client.business,
            client_is_public_body=self.client.public_body,
            client_in_special_zone=self.client.special_zone,
            client_evidence=self.evidence,
            exemption_certificate=self.client.exemption_certificate,
            service=self.sold.service,
            performed_in=self.sold.performed_in,
            supplied_from=self.sold.supplied_from,
            reduced_rate=self.sold.reduced_rate,
            tax_point=day,
        )

    def _client_number(self) -> str:
        """Inside the EU only a VAT id is one: the tax number of a member state says nothing to another."""
        number = "" if self.client.address.country in EU_MEMBERS else self.client.tax_number
        return self.client.vat_id or number

    def tax_point(self, country: str) -> TaxPoint:
        """When tax becomes chargeable in a country, before anything is paid."""
        continuous = isinstance(self.sold, Recurring)
        law, _, _ = settled(country)
        return tax_point(law, Supply(completed=self.supply.end, issued=self.issued, continuous=continuous))

    def tax(self, rules: TaxRules) -> Taxed:
        """The tax on its tax point: that of the country that taxes it, which the issuer's own need not be."""
        home = self.sold.supplied_from or self.issuer.address.country
        found = self._at(self.tax_point(home), rules)
        place = found.outcome.jurisdiction.partition("-")[0] if isinstance(found.outcome, TaxDecision) else ""
        if place and place != home and (there := self.tax_point(place)).day != found.point.day:
            found = self._at(there, rules)
        return self._apart(found, rules) if isinstance(found.outcome, TaxDecision) else found

    def _at(self, point: TaxPoint, rules: TaxRules) -> Taxed:
        """The company's rules come first."""
        facts = self.facts(point.day)
        rule = rules.matching(facts, self.issuer.id, self.sold.client)
        outcome = decide_tax(facts, rules.table) if rule is None else rule.decision(facts)
        return Taxed(outcome, facts, point, rule)

    def _apart(self, found: Taxed, rules: TaxRules) -> Taxed:
        """Where a law taxes the days before and after a change of rate apart, the decision for each part."""
        place = found.outcome.jurisdiction if isinstance(found.outcome, TaxDecision) else ""
        country, _, region = place.partition("-")
        parts, article = taxed_apart(self.supply, country, region, self.sold.reduced_rate, rules.table)
        decided = [(part, self._at(TaxPoint(part.end, article), rules).outcome) for part in parts]
        for _, each in decided:
            if isinstance(each, TaxUnknown):
                return replace(found, outcome=each)
        apart = tuple((part, each) for part, each in decided if isinstance(each, TaxDecision))
        if len({each.taxes for _, each in apart}) < 2:
            return found
        return replace(found, apart=apart, article_apart=article)

    def cannot_be_told_apart(self, taxed: Taxed) -> TaxUnknown:
        """What stops an invoice of two rates whose lines nobody can divide between them."""
        told = " and ".join(str(part) for part, _ in taxed.apart)
        return TaxUnknown(
            reason=f"the rate changes within {self.supply}, and both parts are taxed at their own "
            f"({taxed.article_apart})",
            next_step=f"void this draft, waive it, and bill {told} apart, each by a one-off with its `supplied_on`",
            field="supply",
        )


def needs_evidence(issuer: Issuer, client: CrmClient) -> bool:
    """Whether tax is left to the client by its VAT id: between two member states (Art. 44, 196 of the Directive)."""
    home, _, _ = settled(issuer.address.country)
    there, _, _ = settled(client.address.country)
    return home != there and {home, there} <= EU_MEMBERS and bool(client.vat_id.strip())


@dataclass(frozen=True)
class Taxed:
    """The tax of a sale, the facts it was decided from, its tax point, and the company's rule if one decided."""

    outcome: Outcome
    facts: TaxFacts
    point: TaxPoint
    rule: TaxRule | None = None
    apart: tuple[tuple[Period, TaxDecision], ...] = ()
    article_apart: str = ""
