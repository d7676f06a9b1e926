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


PEPPOL, EMAIL, AUTHORITY = "9930:DE129273398", "EM:ap@client.example", "04011000-1234512345-06"


@pytest.mark.parametrize(
    ("of_issuer", "of_client", "reference", "told"),
    [
        ("", PEPPOL, "", True),
        (EMAIL, PEPPOL, "", True),  # Peppol knows no e-mail addresses
        (PEPPOL, PEPPOL, "", False),
        ("", "", "", False),
        ("", EMAIL, "", False),
        ("", PEPPOL, AUTHORITY, False),  # an XRechnung, which takes the issuer's e-mail address
    ],
)
def test_peppol_on_one_side_is_a_warning(of_issuer: str, of_client: str, reference: str, told: bool) -> None:
    """A client in Peppol whose issuer has no address there gets a file Peppol refuses; that is said beforehand."""
    seller = issuer(electronic_address=of_issuer)
    buyer = client(electronic_address=of_client, buyer_reference=reference, issuer=seller.id)
    found = list(check_einvoices(CompanyRecords(issuers=records(seller), clients=records(buyer))))
    assert [(each.path, each.warning) for each in found] == (
        [(("clients", 0, "electronic_address"), True)] if told else []
    )


def test_the_whole_check_asks_too() -> None:
    """`billow check` says it."""
    found = check_company(CompanyRecords(issuers=records(issuer(electronic_address="ZZ:1"))))
    assert [each.path for each in found] == [("issuers", 0, "electronic_address")]
