"""The facts of a sale: from which records they come, and on which day tax becomes chargeable."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.draft import digest_of
from billing.one_off import OneOff
from billing.parties import Issuer
from billing.periods import Period
from billing.registrations import Registration
from billing.sales import Sale
from billing.taxes.company_rules import TaxRules
from billing.taxes.facts import IdEvidence, ServiceKind
from billing.taxes.outcome import TaxDecision
from tests.billing.assembling import JANUARY, TODAY, care, codes, draft_of, only
from tests.billing.records import crm_client, issuer, retainer


def sale(home: dict[str, Any], abroad: dict[str, Any], supply: Period = JANUARY, **agreed: Any) -> Sale:
    return Sale(issuer(**home), crm_client(**abroad), retainer(**agreed), supply, issued=TODAY)


def address(country: str, **more: str) -> dict[str, str]:
    return {"street": "1 Main Street", "city": "Town", "country": country, **more}


def decided(found: Sale) -> TaxDecision:
    outcome = found.tax(TaxRules()).outcome
    assert isinstance(outcome, TaxDecision), outcome
    return outcome


TEXAS = Registration(country="US", region="TX", number="1-23456")
SWISS = {"address": address("CH", postcode="8001"), "vat_id": "CHE-107.787.577 MWST"}


def test_every_record_tells_its_facts() -> None:
    """Registrations of the issuer, address and status of the client, service of the agreement: all reach the rules."""
    there = address("US", region="TX", postcode="75201")
    evidence = IdEvidence(number="X", valid=True, checked_on=TODAY)
    client = {"address": there, "exemption_certificate": "C-9", "public_body": True, "special_zone": True}
    found = sale(
        {"registrations": [TEXAS]}, client, service=ServiceKind.SAAS, performed_in="US", reduced_rate="low"
    )
    facts = Sale(found.issuer, found.client, found.sold, JANUARY, TODAY, evidence).facts(TODAY)
    assert facts.registrations == (TEXAS,)
    assert (facts.issuer_postcode, facts.client_region, facts.client_postcode) == ("10827", "TX", "75201")
    assert (facts.client_is_public_body, facts.client_in_special_zone) == (True, True)
    assert (facts.exemption_certificate, facts.client_evidence) == ("C-9", evidence)
    assert (facts.service, facts.performed_in, facts.reduced_rate) == (ServiceKind.SAAS, "US", "low")
    assert facts.tax_point == TODAY


@pytest.mark.parametrize(
    ("country", "number"), [("IN", "27AAPFU0939F1ZV"), ("FR", ""), ("CH", "CHE-107.787.577")]
)
def test_a_tax_number_is_no_vat_id_in_the_union(country: str, number: str) -> None:
    """Outside the EU the tax number stands where no VAT id is; in it only a VAT id counts (Art. 214, 226(4))."""
    found = sale({}, {"address": address(country), "vat_id": "", "tax_number": number or "12345"})
    assert found.facts(TODAY).client_vat_id == number


@pytest.mark.parametrize(
    ("home", "supply", "day", "rate"),
    [
        # Germany, 16 % from July to December 2020 (section 28 UStG): the end of the billed period decides.
        ({}, Period(start=date(2020, 6, 15), end=date(2020, 7, 14)), date(2020, 7, 14), "16"),
        ({}, Period(start=date(2020, 12, 15), end=date(2021, 1, 14)), date(2021, 1, 14), "19"),
    ],
)
def test_the_end_of_the_period_decides_in_the_union(
    home: dict[str, Any], supply: Period, day: date, rate: str
) -> None:
    """A period over a change of rate has one rate, that of its last day (Art. 64(1), 93 Directive 2006/112/EC)."""
    found = sale(home, {}, supply)
    assert found.tax(TaxRules()).point.day == day
    assert decided(found).rate == Decimal(rate)


def test_a_swiss_period_over_a_change_of_rate_is_taxed_apart() -> None:
    """7.7 % until 2023, 8.1 % from 2024: what lies on either side has its own decision (Art. 115 MWSTG)."""
    over = Period(start=date(2023, 12, 15), end=date(2024, 1, 14))
    taxed = sale(SWISS, SWISS, over).tax(TaxRules())
    assert [(str(part), decision.rate) for part, decision in taxed.apart] == [
        ("2023-12-15 to 2023-12-31", Decimal("7.7")),
        ("2024-01-01 to 2024-01-14", Decimal("8.1")),
    ]
    assert not sale(SWISS, SWISS, Period(start=date(2024, 1, 1), end=date(2024, 1, 31))).tax(TaxRules()).apart


def test_what_cannot_be_told_apart_stops() -> None:
    """Lines nobody can divide between two rates are for a person, with both parts named."""
    found = sale(SWISS, SWISS, Period(start=date(2023, 12, 15), end=date(2024, 1, 14)))
    stop = found.cannot_be_told_apart(found.tax(TaxRules()))
    assert "Art. 115" in stop.reason and "2024-01-01" in stop.next_step


def test_the_tax_point_is_that_of_the_country_that_taxes() -> None:
    """Australia: a continuous supply is taxed with the invoice (s. 29-5 GST Act), not at the end of its period."""
    home = {"address": address("AU", region="NSW"), "vat_id": "51 824 753 556"}
    taxed = sale(home, {"address": address("AU", region="NSW"), "vat_id": ""}).tax(TaxRules())
    assert taxed.point.day == TODAY and "29-5" in taxed.point.article


def test_stays_the_same_digest_without_registrations() -> None:
    """A draft approved before issuers had registrations keeps its digest; one with registrations has another."""
    stored = draft_of(care()).model_dump(mode="json")
    before = {**stored, "issuer": {k: v for k, v in stored["issuer"].items() if k != "registrations"}}
    assert digest_of(before) == digest_of(stored)
    registered = Issuer.model_validate({**stored["issuer"], "registrations": [TEXAS]})
    assert digest_of({**stored, "issuer": registered.model_dump(mode="json")}) != digest_of(stored)


def test_the_service_of_the_agreement_decides() -> None:
    """An event stops for a person where consulting would not: assembly asks with what the agreement says is sold."""
    there = crm_client(address=address("FR", postcode="75001"), vat_id="FR40303265045")
    assert codes(care(client=there)) == []
    stopped = only(care(retainer(service=ServiceKind.EVENT), client=there))
    assert stopped.code == "tax-unknown"


def test_one_offs_say_what_is_sold() -> None:
    """A one-off has the same words about its service as an agreement, and the same defaults."""
    record = {"client": "acme", "currency": "EUR", "title": "T", "reason": "r"}
    lines = [{"description": "x", "quantity": "1", "unit_price": "1"}]
    plain = OneOff.model_validate({**record, "lines": lines})
    assert (plain.service, plain.performed_in) == (ServiceKind.CONSULTING, "")
    abroad = OneOff.model_validate({**record, "lines": lines, "service": "training", "performed_in": "FR"})
    assert (abroad.service, abroad.performed_in) == (ServiceKind.TRAINING, "FR")
