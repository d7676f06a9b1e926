"""The examples of docs/agreements.md: each is accepted as it stands there."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from activities.company.folder import read_folder
from activities.company.sample import write_starter
from billing.agreements import Retainer, Trigger
from billing.billability import CAN_BILL
from billing.company import Company
from billing.fees import fee
from billing.periods import Period
from tests.activities.company.test_folder import edit

PAGE = Path(__file__).parents[3] / "docs" / "agreements.md"
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A company that has all examples at once, and sources that have what they name."""
    folder = tmp_path_factory.mktemp("company")
    write_starter(folder, date(2026, 1, 1))
    edit(folder, "clients.yaml", "- id: first-client", "- id: acme")
    edit(folder, "people.yaml", "- id: anna", "- id: amira")
    people = folder / "people.yaml"
    people.write_text(people.read_text() + "\n- {id: jonas, name: Jonas, email: jonas@my-company.example}\n")
    edit(folder, "approvals.yaml", "[anna, me]", "[amira, me]")
    (folder / "agreements.yaml").write_text("\n".join(each for each in EXAMPLES if each.startswith("- id:")))
    for each in EXAMPLES:
        if not each.startswith("- id:"):
            (folder / "company.yaml").write_text((folder / "company.yaml").read_text() + "\n" + each)
    write_sources(folder / "data", list(agreements()))
    reading = read_folder(folder)
    assert not reading.problems, "\n".join(map(str, reading.problems))
    assert reading.company is not None
    return reading.company


def agreements() -> Iterator[dict[str, Any]]:
    for each in EXAMPLES:
        if each.startswith("- id:"):
            yield from yaml.safe_load(each)


def write_sources(data: Path, written: list[dict[str, Any]]) -> None:
    projects = [
        {"id": each["project"], "name": "P", "client": "C-1", "milestones": each.get("milestones", [])}
        for each in written
        if "project" in each
    ]
    of_client = {"client": "C-1", "value": 1, "currency": "EUR"}
    papers = [each["contract"] for each in written if "contract" in each]
    papers += [order["document"] for each in written for order in each.get("change_orders", ())]
    contracts = [{"id": each, **of_client, "signed_on": date(2026, 1, 1)} for each in papers]
    deals = [{"id": each["deal"], **of_client} for each in written if "deal" in each]
    for name, content in {
        "psa/projects": projects,
        "contracts/contracts": contracts,
        "crm/deals": deals,
    }.items():
        (data / f"{name}.yaml").write_text(yaml.safe_dump(content))


def test_every_example_is_accepted(company: Company) -> None:
    """All examples together are one company without a problem, not even a warning."""
    assert [each.id for each in company.agreements] == [each["id"] for each in agreements()]


def test_every_model_and_trigger_is_shown(company: Company) -> None:
    """The page has an example of each billing model, and names every trigger each of them can have."""
    assert {type(each) for each in company.agreements} == set(CAN_BILL)
    rows = {
        line.split("`")[1]: line for line in reversed(PAGE.read_text().splitlines()) if line.startswith("| `")
    }
    for cls, triggers in CAN_BILL.items():
        (model,) = cls.model_fields["model"].annotation.__args__  # type: ignore[union-attr]
        assert set(re.findall(r"`([^`]+)`", rows[model])) - {model} == {each.value for each in triggers}
    assert set(re.findall(r"`([^`]+)`", PAGE.read_text())) >= {
        each.value for each in Trigger if each is not Trigger.BLOCK_USED_UP
    }


def test_the_reckoned_example(company: Company) -> None:
    """Fifty of the ninety days of a quarter at EUR 900.00 cost EUR 500.00, as the page says."""
    agreement = company.agreement("acme-maintenance")
    assert isinstance(agreement, Retainer)
    period = Period(start=date(2026, 2, 10), end=date(2026, 3, 31))
    assert [part.amount for part in fee(agreement, period)] == [Decimal("500.00")]
