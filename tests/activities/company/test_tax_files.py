"""The folder tax/ of a company: optional, read whole, every problem named by file and line."""

from __future__ import annotations

import re
import textwrap
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from activities.company.folder import read_folder
from activities.company.problems import Problem, errors
from activities.company.sample import write_sample, write_starter
from billing.company import Company
from billing.taxes.company_rules import AskVies, WhenDown

RATES = """\
- country: US
  region: TX/75201
  tax: Sales tax
  rate: 8.25
  since: 2020-01-01
  source: Comptroller of Texas
  reviewed: 2026-01-01
  review_by: 2027-01-01
"""
RULES = """\
- id: T-1
  when: {client: first-client, service: [training]}
  category: S
  rate: 19
  reason: trained in Berlin
  since: 2026-01-01
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_starter(tmp_path, date(2026, 11, 22))
    text = (tmp_path / "approvals.yaml").read_text("utf-8")
    (tmp_path / "approvals.yaml").write_text(text.replace("[anna, me]", "[me]"), "utf-8")
    (tmp_path / "tax").mkdir()
    return tmp_path


def written(folder: Path, file: str, text: str, today: date | None = None) -> list[Problem]:
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text(text, "utf-8")
    return read_folder(folder, today).problems


def company(folder: Path) -> Company:
    found = read_folder(folder).company
    assert found is not None
    return found


def test_without_the_folder_nothing_is_asked_outside(folder: Path) -> None:
    """A company without tax/ has no rules or rates of its own, and VIES is off."""
    tax = company(folder).tax
    assert (tax.rules, tax.rates, tax.vies) == ((), (), AskVies.OFF)


def test_rates_rules_and_settings_become_part_of_the_company(folder: Path) -> None:
    """What stands in tax/ and under `tax` in company.yaml is in the company, so it is applied and pinned with it."""
    with (folder / "company.yaml").open("a") as file:
        file.write("\ntax: {vies: ask, fresh_days: 7, when_down: go on}\n")
    assert not errors(written(folder, "tax/rates.yaml", RATES))
    assert not errors(written(folder, "tax/rules.yaml", RULES))
    found = company(folder)
    assert (found.tax.vies, found.tax.fresh_days, found.tax.when_down) == (AskVies.ASK, 7, WhenDown.GO_ON)
    assert [(each.region, each.rate) for each in found.tax.rates] == [("TX/75201", Decimal("8.25"))]
    assert [(each.id, each.when.client) for each in found.tax.rules] == [("T-1", "first-client")]
    assert Company.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("file", "text", "line", "says"),
    [
        ("tax/rules.yaml", RULES.replace("  reason: trained in Berlin\n", ""), 1, "'reason' is missing"),
        (
            "tax/rules.yaml",
            RULES.replace("first-client", "first"),
            2,
            "there is no client 'first'; write one of: first-client",
        ),
        ("tax/rules.yaml", RULES.replace("training", "trainin"), 2, "did you mean 'training'?"),
        ("tax/rules.yaml", RULES.replace("since", "from"), 6, "unknown key 'from'"),
        ("tax/rules.yaml", RULES.replace("  rate: 19\n", ""), 1, "category S charges tax"),
        ("tax/rules.yaml", RULES + RULES, 7, "the id 'T-1' is taken already"),
        (
            "tax/rules.yaml",
            RULES.replace("{client: first-client, service: [training]}", "{}"),
            2,
            "at least one",
        ),
        ("tax/rates.yaml", RATES.replace("8.25", "825"), 4, "825 is out of range"),
        ("tax/rates.yaml", RATES + RATES, 9, "both hold on 2020-01-01"),
        ("tax/rates.yaml", RATES.replace("review_by: 2027", "review_by: 2025"), 1, "is not after reviewed"),
        ("tax/rate.yaml", RATES, 1, "this file is not read; did you mean 'tax/rates.yaml'?"),
        ("company.yaml", "tax: {vies: asks}", 1, "did you mean 'ask'?"),
    ],
)
def test_every_problem_by_file_and_line(folder: Path, file: str, text: str, line: int, says: str) -> None:
    """What is wrong in tax/ is named with its file, its line, and what to write instead."""
    found = written(folder, file, text)
    assert any((each.file, each.line) == (file, line) and says in each.message for each in found), found


def test_rates_to_be_looked_up_again_are_one_warning(folder: Path) -> None:
    """With a day, rates past their review are told once for the company's; the folder can be applied all the same."""
    found = written(folder, "tax/rates.yaml", RATES, today=date(2027, 1, 1))
    own = [each for each in found if each.file == "tax/rates.yaml"]
    assert [(each.warning, "1 tax rate of your own" in each.message) for each in own] == [(True, True)]
    assert not errors(found)


PAGE = (Path(__file__).parents[3] / "docs" / "tax.md").read_text("utf-8")


def test_examples_of_the_page_can_be_read(folder: Path) -> None:
    """The rule, the rate and the settings on the page about tax can be copied into a folder as they stand."""
    blocks = [textwrap.dedent(each) for each in re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.MULTILINE)]
    by_key = {next(iter(yaml.safe_load(each)[0])): each for each in blocks if each.lstrip().startswith("- ")}
    settings = next(each for each in blocks if each.lstrip().startswith("tax:"))
    rule = by_key["id"].replace("issuer: berlin, ", "")
    with (folder / "company.yaml").open("a") as file:
        file.write(settings)
    assert not errors(written(folder, "tax/rates.yaml", by_key["country"].lstrip()))
    assert not errors(written(folder, "tax/rules.yaml", rule.lstrip()))
    tax = company(folder).tax
    assert (len(tax.rules), len(tax.rates), tax.vies) == (1, 1, AskVies.ASK)


def test_the_sample_has_a_rule(tmp_path: Path) -> None:
    """The sample company shows a rule, and its issuers and clients are the ones it names."""
    write_sample(tmp_path, date(2026, 11, 22))
    found = read_folder(tmp_path)
    assert not errors(found.problems) and found.company is not None
    assert [(each.id, each.when.issuer, str(each.category)) for each in found.company.tax.rules] == [
        ("T-1", "berlin", "E")
    ]


def test_exchange_rates_are_read_and_checked(folder: Path) -> None:
    """Optional; each rate with its source, one a day between two currencies, either way round."""
    rate = "- base: EUR\n  quote: USD\n  rate: 1.0842\n  since: 2026-11-20\n  source: ECB\n"
    (folder / "tax").mkdir(exist_ok=True)
    (folder / "tax" / "exchange_rates.yaml").write_text(rate)
    company = read_folder(folder).company
    assert company is not None
    assert [(each.base, str(each.rate), each.source) for each in company.exchange_rates.rates] == [
        ("EUR", "1.0842", "ECB")
    ]
    turned = rate.replace("EUR", "GBP").replace("USD", "EUR").replace("GBP", "USD").replace("1.0842", "0.92")
    (folder / "tax" / "exchange_rates.yaml").write_text(rate + turned)
    (problem,) = errors(read_folder(folder).problems)
    assert problem.line == 6 and "between USD and EUR from 2026-11-20 already" in problem.message
