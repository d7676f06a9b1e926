"""What `billow check` says of a dunning policy that prints interest."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from billing.complaints import CompanyRecords, Complaint, Records
from billing.dunning_policy import DunningPolicy
from billing.policy_checks import check_dunning, review_reference_rates
from tests.billing.records import client, issuer

ANNOUNCED = {
    "reference": "DE",
    "since": "2026-07-01",
    "until": "2026-12-31",
    "rate": "1.27",
    "source": "Bundesanzeiger",
}
FEE = {"clause": "clause 9", "fixed": "25"}
NOVEMBER = date(2026, 11, 22)


def records(country: str = "DE", **changes: Any) -> CompanyRecords:
    """One client whose issuer is in a country, and the policy by which it is reminded."""
    policy = DunningPolicy.model_validate({"id": "standard", **changes})
    seller = issuer(address={"street": "Weg 1", "city": "Stadt", "country": country})
    return CompanyRecords(
        issuers=Records({0: seller}, [{"id": "berlin"}]),
        clients=Records({0: client()}, [{"id": "acme"}]),
        dunning=Records({0: policy}, [{"id": "standard"}]),
    )


def told(complaints: list[Complaint]) -> list[tuple[str, bool]]:
    return [(f"{'.'.join(map(str, each.path))}: {each.message}", each.warning) for each in complaints]


@pytest.mark.parametrize(
    ("country", "changes", "words"),
    [
        ("DE", {}, None),
        ("DE", {"interest": "print"}, None),
        ("US", {"interest": "none"}, None),
        ("US", {"interest": "print"}, "dunning.0.interest: no law on late payment is known for US"),
        ("US", {"interest": "print", "interest_law": "GB"}, None),
        ("US", {"interest": "print", "late_fee": FEE}, None),
        ("DE", {"interest": "print", "interest_law": "US"}, "dunning.0.interest: no law on late payment"),
        ("DE", {"late_fee": FEE}, "dunning.0.late_fee: no reminder tells it"),
    ],
)
def test_interest_that_cannot_be_printed(country: str, changes: dict[str, Any], words: str | None) -> None:
    """A policy that prints interest under a law nobody knows, or a fee that is never printed, is a warning."""
    found = told(list(check_dunning(records(country, **changes))))
    assert len(found) == (words is not None)
    assert all(warning and message.startswith(words or "") for message, warning in found)


def test_announced_rate_of_nothing() -> None:
    """A rate announced for a reference that does not exist is an error, for it would never be used."""
    found = told(list(check_dunning(records(reference_rates=[{**ANNOUNCED, "reference": "XX"}]))))
    assert [warning for _, warning in found] == [False]
    assert found[0][0].startswith(
        "dunning.0.reference_rates.0.reference: there is no reference rate 'XX'; write"
    )


@pytest.mark.parametrize(
    ("changes", "references"),
    [
        ({}, []),
        ({"interest": "print"}, ["German base rate"]),
        ({"interest": "print", "interest_law": "FR"}, ["ECB main refinancing rate"]),
        ({"interest": "print", "interest_law": "CH"}, []),
        ({"interest": "print", "late_fee": FEE}, []),
        ({"interest": "print", "reference_rates": [ANNOUNCED]}, []),
    ],
)
def test_rates_to_look_up(changes: dict[str, Any], references: list[str]) -> None:
    """Only rates that a policy needs are asked for, until they are announced in it."""
    found = told(list(review_reference_rates(records(**changes), NOVEMBER)))
    assert len(found) == len(references)
    for (message, warning), name in zip(found, references, strict=True):
        assert warning and message.startswith(f"dunning.0.interest: {name} is known until 2026-")


def test_rates_for_one_day_twice() -> None:
    """A policy that announces two rates for one day is refused."""
    with pytest.raises(ValidationError, match="two announced rates of DE hold on 2026-07-01"):
        DunningPolicy.model_validate({"id": "standard", "reference_rates": [ANNOUNCED, ANNOUNCED]})
