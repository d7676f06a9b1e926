"""Rules and rates of a company: which sales they decide, what they must say, how they combine with Billow's."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from billing.agreements import Occasion
from billing.assembly import assemble
from billing.registrations import Registration
from billing.taxes.company_rules import TaxRule, TaxRules
from billing.taxes.decision import decide_tax
from billing.taxes.facts import ServiceKind, TaxFacts
from billing.taxes.outcome import TaxDecision
from billing.taxes.rates import TaxRate
from tests.billing.assembling import JANUARY, TODAY, care, draft_of, found, requested
from tests.billing.records import company, crm_client, retainer

RULE: dict[str, Any] = {
    "id": "T-1",
    "when": {"client_country": "CH", "service": ["training"]},
    "category": "S",
    "rate": "19",
    "reason": "trained in Berlin, as our adviser wrote",
    "since": "2026-01-01",
}
OWN = {"country": "US", "tax": "Sales tax", "source": "Comptroller", "since": "2020-01-01"}
OWN |= {"reviewed": "2026-01-01", "review_by": "2027-01-01"}


def facts(**changes: Any) -> TaxFacts:
    record = {
        "issuer_country": "DE",
        "issuer_vat_id": "DE136695976",
        "client_country": "CH",
        "client_vat_id": "",
        "client_is_business": True,
        "service": ServiceKind.TRAINING,
        "tax_point": date(2026, 6, 30),
    }
    return TaxFacts.model_validate({**record, **changes})


def rule(**changes: Any) -> TaxRule:
    return TaxRule.model_validate({**RULE, **changes})


@pytest.mark.parametrize(
    ("when", "sale", "fits"),
    [
        ({"client_country": "CH"}, {}, True),
        ({"client_country": "CH"}, {"client_country": "FR"}, False),
        ({"client_country": "CH", "service": ["training", "support"]}, {}, True),
        ({"client_country": "CH", "service": ["support"]}, {}, False),
        ({"issuer_country": "AT"}, {}, False),
        ({"issuer": "berlin"}, {}, True),
        ({"issuer": "vienna"}, {}, False),
        ({"client": "acme"}, {}, True),
        ({"client": "other"}, {}, False),
        (
            {"client_country": "US", "client_region": "wa"},
            {"client_country": "US", "client_region": "WA"},
            True,
        ),
        (
            {"client_country": "US", "client_region": "WA"},
            {"client_country": "US", "client_region": "NY"},
            False,
        ),
        # WA is Washington, and Western Australia
        (
            {"client_country": "US", "client_region": "WA"},
            {"client_country": "AU", "client_region": "WA"},
            False,
        ),
        ({"business": True}, {}, True),
        ({"business": False}, {}, False),
        # a public body counts as a taxable person only with a number (Art. 43(2) of the Directive)
        ({"business": False}, {"client_is_public_body": True}, True),
    ],
)
def test_a_rule_fits_where_all_it_says_fits(when: dict[str, Any], sale: dict[str, Any], fits: bool) -> None:
    """Every condition that is written must fit; what is left out fits any sale."""
    assert rule(when=when).when.fits(facts(**sale), "berlin", "acme") is fits


@pytest.mark.parametrize(
    ("day", "holds"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-12-31", True), ("2027-01-01", False)],
)
def test_the_tax_point_decides_whether_it_holds(day: str, holds: bool) -> None:
    """From `since` to `until`, both included, by the tax point of the sale."""
    rules = TaxRules(rules=(rule(until="2026-12-31"),))
    assert (rules.matching(facts(tax_point=day)) is not None) is holds


def test_the_first_rule_that_fits_decides() -> None:
    """Rules are tried in the order of the file."""
    first, second = rule(id="A", when={"client": "acme"}), rule(id="B")
    assert TaxRules(rules=(first, second)).matching(facts(), client="acme") == first
    assert TaxRules(rules=(first, second)).matching(facts(), client="else") == second


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"when": {}}, "at least one condition"),
        ({"when": {"issuer": ""}}, "at least one condition"),
        ({"when": {"client": "", "service": [], "business": None}}, "at least one condition"),
        ({"when": {"client_region": "WA"}}, "write client_country too"),
        ({"rate": "0"}, "category S charges tax"),
        ({"category": "E"}, "category E charges nothing"),
        ({"category": "E", "rate": "0"}, "must be explained on the document"),
        ({"until": "2025-12-31"}, "ends 2025-12-31, before it begins"),
        ({"reason": ""}, "at least 1 character"),
        ({"id": "T 1"}, "pattern"),
        ({"category": "E", "rate": "0", "note": "Exempt", "exemption_code": "EU-132"}, "pattern"),
        ({"exemption_code": "VATEX-EU-132-1I"}, "exempts from nothing"),
    ],
)
def test_a_rule_that_is_not_whole_is_refused(changes: dict[str, Any], says: str) -> None:
    """No rule without a condition, a reason, a rate where it charges, and words where it does not."""
    with pytest.raises(ValidationError, match=says):
        rule(**changes)


def test_a_rule_names_itself_in_its_reason() -> None:
    """The decision says which rule of the company it is, for which sales, why, and where to look it up."""
    decided = rule(source="Letter of 3 May 2026").decision(facts())
    assert decided.why == (
        "S: company rule T-1 (client in CH, training): trained in Berlin, as our adviser wrote"
    )
    assert (decided.sources, decided.article) == (("Letter of 3 May 2026",), "company rule T-1")
    assert [(each.name, each.rate) for each in decided.taxes] == [("VAT", Decimal(19))]


def test_a_rule_may_name_its_exemption_for_programs() -> None:
    """The code of a rule stands in the tax breakdown of the draft it decides, and so in the e-invoice (BT-121)."""
    exempt = {"category": "E", "rate": "0", "note": "Exempt by § 4 Nr. 21 UStG", "when": {"client": "acme"}}
    written = rule(**exempt, exemption_code="VATEX-EU-132-1I")
    assert written.decision(facts()).exemption_code == "VATEX-EU-132-1I"
    occasion = Occasion(agreement="care", item="fee", period=JANUARY)
    ruled = company(retainer(), tax={"rules": [written]})
    drafted = draft_of(assemble(requested(occasion), ruled, found(), TODAY))
    assert [each.exemption_code for each in drafted.taxes] == ["VATEX-EU-132-1I"]


def test_a_rule_comes_before_those_of_billow() -> None:
    """Without the rule the French client is billed under reverse charge; with it, 20 % as it says, to the cent."""
    there = crm_client(
        address={"street": "1 rue X", "postcode": "75001", "city": "Paris", "country": "FR"},
        vat_id="FR40303265045",
    )
    assert draft_of(care(client=there)).taxes[0].category == "AE"

    ruled = company(
        retainer(), tax={"rules": [rule(when={"client": "acme"}, rate="20", category="S", note="")]}
    )
    occasion = Occasion(agreement="care", item="fee", period=JANUARY)
    draft = draft_of(assemble(requested(occasion), ruled, found(client=there), TODAY))
    (tax,) = draft.taxes
    assert (str(tax.category), tax.rate) == ("S", Decimal(20))
    assert (tax.tax, draft.gross) == (Decimal("200.00"), Decimal("1200.00"))
    assert "company rule T-1" in tax.why


def test_rates_of_a_company_join_those_of_billow() -> None:
    """Texas taxes software as a service on 80 % (Tax Code § 151.351); the rate of Dallas is the company's, 8.25 %."""

    rules = TaxRules(rates=(TaxRate.model_validate({**OWN, "region": "TX/75201", "rate": "8.25"}),))
    sold = facts(
        client_country="US",
        client_region="TX",
        client_postcode="75201",
        service=ServiceKind.SAAS,
        registrations=(Registration(country="US", region="TX", number="1"),),
        issuer_country="US",
        issuer_region="TX",
        issuer_vat_id="",
    )
    outcome = decide_tax(sold, rules.table)
    assert isinstance(outcome, TaxDecision)
    assert [(each.rate, each.share) for each in outcome.taxes] == [(Decimal("8.25"), Decimal(80))]
    assert not isinstance(decide_tax(sold, TaxRules().table), TaxDecision)
