"""Checks between the records of a company: pure, over whatever could be read."""

from datetime import date
from decimal import Decimal

from billing.agreements import Retainer
from billing.approval_policy import ApprovalPolicy, ApprovalTier
from billing.company_checks import check_company
from billing.complaints import CompanyRecords, Complaint, Records
from billing.parties import Person


def person(name: str, reports_to: str | None = None) -> Person:
    return Person(id=name, name=name.title(), email=f"{name}@firm.example", reports_to=reports_to)


def people(*everybody: Person) -> Records[Person]:
    return Records(dict(enumerate(everybody)), [each.model_dump() for each in everybody])


def paths(complaints: list[Complaint]) -> list[tuple[str | int, ...]]:
    return [each.path for each in complaints]


def test_nothing_read_is_nothing_wrong() -> None:
    """Where no record could be read there is nothing to compare; what files lack is told elsewhere."""
    assert check_company(CompanyRecords()) == []


def test_references_are_checked_in_records_that_are_wrong_elsewhere() -> None:
    """The account manager of a client that could not be read is looked up, and the client still counts."""
    broken: dict[str, object] = {"id": "acme", "account_manager": "eve", "currency": "EUX"}
    agreement = Retainer(
        id="care",
        client="acme",
        title="Care",
        currency="EUR",
        start=date(2026, 1, 1),
        every="month",
        model="retainer",
        amount=Decimal(1),
    )
    records = CompanyRecords(
        people=people(person("eva")),
        clients=Records({}, [broken]),
        agreements=Records({0: agreement}, [agreement.model_dump()]),
    )
    (complaint,) = check_company(records)
    assert complaint.path == ("clients", 0, "account_manager")
    assert complaint.message == "there is no person 'eve'; did you mean 'eva'?"


def test_a_circle_of_reports_is_told_once() -> None:
    """However many are in the circle or report into it, it is one complaint, with the whole line."""
    everybody = people(person("d", "a"), person("c", "a"), person("b", "c"), person("a", "b"))
    (complaint,) = check_company(CompanyRecords(people=everybody))
    assert complaint.path == ("people", 3, "reports_to")
    assert "a → b → c → a" in complaint.message


def test_many_possible_ids_are_not_all_listed() -> None:
    """With a few ids the complaint lists them; with many it stays one sentence."""
    many = people(*(person(f"p{n}") for n in range(20)))
    tier = ApprovalTier(id="large", approvers=("somebody",))
    (complaint,) = check_company(CompanyRecords(people=many, approvals=ApprovalPolicy(tiers=(tier,))))
    assert (
        complaint.message
        == "there is no person 'somebody'; add it, or write the id of a person that is there"
    )


def test_a_company_without_a_tier_is_warned() -> None:
    """Sending every invoice unseen may be meant; it is said, and does not stop."""
    (complaint,) = check_company(CompanyRecords(approvals=ApprovalPolicy()))
    assert complaint.warning


def test_two_needed_of_two_named_once_and_twice() -> None:
    """Somebody named twice counts once: two needed of one person is a tier in which nobody can approve."""
    twice = ApprovalTier(id="large", approvers=("eva", "eva"), needed=2)
    found = check_company(
        CompanyRecords(
            people=people(person("eva").model_copy(update={"roles": ("approver",)})),
            approvals=ApprovalPolicy(tiers=(twice,)),
        )
    )
    assert paths(found) == [("approvals", "tiers", 0, "approvers", 1), ("approvals", "tiers", 0, "needed")]
