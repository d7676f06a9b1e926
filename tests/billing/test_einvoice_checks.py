"""What must fit in a company's records so that e-invoices find their way, told at its place."""

from typing import Any

import pytest

from billing.company_checks import check_company
from billing.complaints import CompanyRecords, Complaint, Records
from billing.einvoice_checks import check_einvoices
from tests.billing.records import client, issuer


def records(*found: Any) -> Records[Any]:
    return Records(dict(enumerate(found)), [each.model_dump(exclude_unset=True) for each in found])


def checked(**fields: str) -> list[Complaint]:
    return list(check_einvoices(CompanyRecords(clients=records(client(**fields)))))


def test_nothing_written_is_nothing_wrong() -> None:
    """Neither has to be there, and what is right is let pass."""
    assert checked() == []
    assert checked(electronic_address="9930:DE129273398", buyer_reference="04011000-1234512345-06") == []
    assert checked(buyer_reference="cost centre 17") == []


def test_a_scheme_nobody_knows() -> None:
    """Of issuers and of clients alike; the message says which there are."""
    (complaint,) = checked(electronic_address="1234:DE129273398")
    assert complaint.path == ("clients", 0, "electronic_address")
    assert complaint.message.startswith("1234 is no scheme of electronic addresses (EAS); write one")
    assert not complaint.warning
    (of_issuer,) = check_einvoices(CompanyRecords(issuers=records(issuer(electronic_address="ZZ:1"))))
    assert of_issuer.path == ("issuers", 0, "electronic_address")


@pytest.mark.parametrize("reference", ["04011000-1234512345-07", "04011000-2134512345-06 "])
def test_wrong_check_digits_are_a_warning(reference: str) -> None:
    """It may be a reference of another kind, so it may stay."""
    (complaint,) = checked(buyer_reference=reference)
    assert (complaint.path, complaint.warning) == (("clients", 0, "buyer_reference"), True)
    assert "whose check digits would be" in complaint.message


def test_the_whole_check_asks_too() -> None:
    """`billow check` says it."""
    found = check_company(CompanyRecords(issuers=records(issuer(electronic_address="ZZ:1"))))
    assert [each.path for each in found] == [("issuers", 0, "electronic_address")]
