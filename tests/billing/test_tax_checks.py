"""What must fit in the tax records of a company, told at its place."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.company_checks import check_company
from billing.complaints import CompanyRecords, Complaint, Records
from billing.tax_checks import check_tax, review
from billing.taxes.rates import TaxRate
from tests.billing.records import client, issuer
from tests.billing.taxes.test_company_rules import OWN, RULE


def records(*found: Any) -> Records[Any]:
    return Records(dict(enumerate(found)), [each.model_dump(exclude_unset=True) for each in found])


def registered(*registrations: dict[str, Any]) -> list[Complaint]:
    return list(check_tax(CompanyRecords(issuers=records(issuer(registrations=registrations)))))


def rate(**changes: Any) -> TaxRate:
    return TaxRate.model_validate({**OWN, "region": "TX", "rate": "6.25", **changes})


@pytest.mark.parametrize(
    ("first", "second", "contradict"),
    [
        ({"country": "FR"}, {"country": "FR"}, True),
        ({"country": "FR"}, {"country": "FR", "scheme": "small business"}, True),
        ({"country": "FR", "until": "2025-12-31"}, {"country": "FR", "since": "2026-01-01"}, False),
        ({"country": "FR", "until": "2026-01-01"}, {"country": "FR", "since": "2026-01-01"}, True),
        ({"country": "FR"}, {"country": "IT"}, False),
        ({"country": "FR"}, {"country": "FR", "scheme": "one-stop shop"}, False),
        ({"country": "US", "region": "TX"}, {"country": "US", "region": "NY"}, False),
        ({"country": "CA", "tax": "GST"}, {"country": "CA", "tax": "PST"}, False),
    ],
)
def test_registrations_that_contradict(
    first: dict[str, Any], second: dict[str, Any], contradict: bool
) -> None:
    """One place and tax has one way of being taxed at a time; the one-stop shop stands beside it."""
    found = registered(first, second)
    assert [each.path for each in found] == [("issuers", 0, "registrations", 1)] * contradict
    assert all("last day" in each.message for each in found)


@pytest.mark.parametrize(
    ("registration", "wrong"),
    [
        ({"country": "FR", "number": "FR40303265045"}, False),
        ({"country": "FR", "number": "FR40303265046"}, True),
        ({"country": "IN", "region": "27", "number": "27AAPFU0939F1ZV"}, False),
        ({"country": "IN", "region": "27", "number": "27AAPFU0939F1ZX"}, True),
        ({"country": "US", "region": "TX", "number": "anything"}, False),
        ({"country": "CA", "region": "QC", "tax": "QST", "number": "1234567890 TQ0001"}, False),
    ],
)
def test_numbers_of_registrations(registration: dict[str, Any], wrong: bool) -> None:
    """A number whose check digits do not fit is a warning; what has no known form is left alone."""
    found = registered(registration)
    assert [(each.path[-1], each.warning) for each in found] == [("number", True)] * wrong


def test_a_registration_that_ends_before_it_begins() -> None:
    """Its last day comes after its first."""
    (found,) = registered({"country": "FR", "since": "2026-02-01", "until": "2026-01-01"})
    assert found.path == ("issuers", 0, "registrations", 0, "until")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([rate()], ""),
        ([rate(until="2024-12-31"), rate(since="2025-01-01", rate="6.5")], ""),
        ([rate(), rate(since="2025-01-01", rate="6.5")], "both hold on 2025-01-01"),
        ([rate(until="2024-11-30"), rate(since="2025-01-01")], "nothing holds from 2024-12-01 to 2024-12-31"),
        # Germany is packaged: 19 % since 2007 but for half of 2020
        ([rate(country="DE", region="", tax="VAT", since="2026-01-01")], "both hold on 2026-01-01"),
    ],
)
def test_own_rates_fit_with_each_other_and_with_those_of_billow(rows: list[TaxRate], says: str) -> None:
    """Two rates of a place on one day, and days without any between two, are told at the place's last row."""
    found = list(check_tax(CompanyRecords(tax_rates=records(*rows))))
    assert [each.path for each in found] == ([("tax/rates", len(rows) - 1)] if says else [])
    assert all(says in each.message for each in found)


def test_rules_name_what_is_there() -> None:
    """An issuer or client a rule names must be there, and a name of a rule stands once."""
    rules = [RULE, {**RULE, "when": {"client": "akme", "issuer": "berlim"}}]
    found = check_company(
        CompanyRecords(
            issuers=records(issuer()),
            clients=records(client()),
            tax_rules=Records({}, rules),
        )
    )
    told = {each.path: each.message for each in found if each.path[0] == "tax/rules"}
    assert list(told) == [
        ("tax/rules", 1, "id"),
        ("tax/rules", 1, "when", "issuer"),
        ("tax/rules", 1, "when", "client"),
    ]
    assert "did you mean 'acme'" in told["tax/rules", 1, "when", "client"]


def test_review_is_one_warning_for_all() -> None:
    """Years later: one warning with the count for packaged rates, one for the company's; today none."""
    later = list(review(date(2035, 1, 1), [rate(), rate(region="NY")]))
    assert [(each.path, each.warning) for each in later] == [(("tax",), True), (("tax/rates", 0), True)]
    packaged, own = (each.message for each in later)
    assert int(packaged.split()[0]) > 50 and own.startswith("2 tax rates of your own")
    assert list(review(date(2026, 11, 22), [rate()])) == []
