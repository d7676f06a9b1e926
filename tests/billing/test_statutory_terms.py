"""The longest terms between businesses that a statute lets stand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.agreements import Retainer
from billing.company import Client
from billing.company_checks import check_company
from billing.complaints import CompanyRecords, Records
from billing.payment_terms import PaymentTerms
from billing.statutory_terms import check_terms, statutory_maximum

HALVES = [{"percent": 50, "net_days": 0}, {"percent": 50, "net_days": 90}]


@pytest.mark.parametrize(
    ("country", "terms", "too_long"),
    [
        # Art. 3(5) Directive 2011/7/EU: 60 days unless expressly agreed
        ("AT", {"net_days": 60}, False),
        ("AT", {"net_days": 61}, True),
        ("AT", {"end_of_month_plus": 30}, False),  # from the 1st of a month of 31 days: 30 + 30
        ("AT", {"end_of_month_plus": 31}, True),
        ("AT", {"day_of_month": 15}, False),
        (
            "AT",
            {"day_of_month": 15, "months_later": 1},
            True,
        ),  # issued on the 15th: 62 days over July and August
        ("AT", {"before_supply_days": 180}, False),
        ("AT", {"net_minutes": 5}, False),
        ("AT", {"instalments": HALVES}, False),  # Art. 5: schedules are left to what was agreed
        # Art. L441-10 Code de commerce: 60 days, or 45 and the end of the month
        ("FR", {"net_days": 60}, False),
        ("FR", {"net_days": 61}, True),
        ("FR", {"end_of_month_plus": 45}, False),
        ("FR", {"end_of_month_plus": 46}, True),
        ("DE", {"end_of_month_plus": 45}, True),  # § 271a BGB knows no end of month
        ("BE", {"net_days": 61}, True),  # Act of 2 August 2002, as changed on 14 August 2021
        ("ES", {"net_days": 90}, True),  # Ley 3/2004, Art. 4(3)
        ("GB", {"net_days": 61}, True),  # Act of 1998, s. 4(2E)
        # no statute known
        ("CH", {"net_days": 365}, False),
        ("US", {"net_days": 365}, False),
    ],
)
def test_what_stands(country: str, terms: dict[str, Any], too_long: bool) -> None:
    """Terms that can be longer than the statute lets stand are found, all others pass."""
    most = statutory_maximum(country)
    found = most is not None and most.exceeded_by(PaymentTerms.model_validate(terms))
    assert found is too_long


def client(calendar: str, **terms: int) -> Client:
    return Client.model_validate(
        {
            "id": "acme",
            "crm": "C-1",
            "issuer": "berlin",
            "currency": "EUR",
            "zone": "Europe/Paris",
            "calendar": calendar,
            "terms": terms,
            "dunning": "standard",
            "account_manager": "pia",
        }
    )


def records(the_client: Client, **terms: int) -> CompanyRecords:
    agreement = Retainer(
        id="care",
        client="acme",
        title="Care",
        currency="EUR",
        start=date(2026, 1, 1),
        every="month",
        model="retainer",
        amount=Decimal(1),
        terms=PaymentTerms.model_validate(terms) if terms else None,
    )
    return CompanyRecords(
        clients=Records({0: the_client}, [the_client.model_dump()]),
        agreements=Records({0: agreement}, [agreement.model_dump()]),
    )


def test_clients_and_agreements_are_warned_of() -> None:
    """Each place with terms too long is a warning that names the article, the longest wait and what to write."""
    found = [*check_terms(records(client("FR", net_days=90), end_of_month_plus=60))]
    assert [each.path for each in found] == [("clients", 0, "terms"), ("agreements", 0, "terms")]
    assert all(each.warning for each in found)
    assert found[1].message == (
        "end of month + 60 days can be up to 90 days; in FR businesses have at most 60 days or end of month + 45 "
        "to pay (Art. L441-10(I) Code de commerce): write at most 60 days or end of month + 45"
    )
    assert all(
        each in check_company(records(client("FR", net_days=90), end_of_month_plus=60)) for each in found
    )


def test_where_the_contract_may_say_more() -> None:
    """Where the law lets a contract say more, the warning says under which conditions."""
    (found,) = check_terms(records(client("DE-BE", net_days=90)))
    assert "§ 271a(1) BGB" in found.message and "not grossly unfair" in found.message


def test_terms_that_stand_are_not_spoken_of() -> None:
    """Nothing is said of terms within the statute, nor where none is known."""
    assert not [*check_terms(records(client("DE", net_days=30), net_days=60))]
    assert not [*check_terms(records(client("US", net_days=90)))]
