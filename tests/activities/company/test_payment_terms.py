"""Payment terms in a company folder: the page about them holds, and what is wrong is said in plain words."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from activities.company.folder import read_folder
from activities.company.sample import write_starter
from billing.payment_terms import BusinessDay, PaymentTerms
from billing.statutory_terms import BY_COUNTRY, IN_THE_EU

PAGE = (Path(__file__).parents[3] / "docs" / "payment-terms.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
DATES = re.findall(r"^\| `(\{.*?\})` \| (\S+) \| (\S+) \|", PAGE, re.MULTILINE)


def problems(tmp_path: Path, terms: str) -> list[str]:
    """What `billow check` says of a company whose client has these terms, without file and line."""
    write_starter(tmp_path, date(2026, 1, 1))
    clients = tmp_path / "clients.yaml"
    clients.write_text(re.sub(r"(?m)^  terms:.*$", lambda _: terms, clients.read_text()))
    return [str(each).split(": ", 1)[1] for each in read_folder(tmp_path).problems]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_accepted(tmp_path: Path, example: str) -> None:
    """Each example of the page can stand in clients.yaml as it is, without a problem but for terms that are long."""
    terms = PaymentTerms.model_validate(yaml.safe_load(example)["terms"])
    assert terms.ways or terms.instalments
    found = problems(tmp_path, re.sub("(?m)^", "  ", example.strip()))
    assert [each for each in found if "businesses have at most 60 days" not in each] == []


def test_every_field_is_shown() -> None:
    """The page has an example of each field and names each rule for business days and each statute."""
    shown = {field for each in EXAMPLES for field in yaml.safe_load(each)["terms"]}
    assert shown == set(PaymentTerms.model_fields)
    assert all(f"`{rule.value}`" in PAGE for rule in BusinessDay)
    assert all(f"| {most.source} |" in PAGE for most in (IN_THE_EU, *BY_COUNTRY.values()))


@pytest.mark.parametrize(("terms", "issued", "due"), DATES)
def test_the_table_is_right(terms: str, issued: str, due: str) -> None:
    """Each row of the page's table is what the rule gives."""
    record = PaymentTerms.model_validate(yaml.safe_load(terms))
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert record.due(date.fromisoformat(issued), noon, "UTC")[0] == date.fromisoformat(due)


def test_there_is_a_table() -> None:
    """The rows are found."""
    assert len(DATES) == 6


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ("14", "first-client.terms: '14' stands where keys and values belongs; write {net_days: 14}"),
        ("{net: 14}", "unknown key 'net'; remove it, or write one of: net_days, "),
        ("{}", "first-client.terms: write exactly one of net_days, "),
        ("{net_days: 14, end_of_month_plus: 0}", "or instalments; here are net_days and end_of_month_plus"),
        ("{net_days: -1}", "first-client.terms.net_days: -1 is out of range; write 0 or more"),
        ("{net_days: 14.5}", "'14.5' does not fit; write a whole number such as 14"),
        ("{day_of_month: 32}", "32 is out of range; write at most 31"),
        ("{net_days: 14, months_later: 1}", "months_later goes with day_of_month; write that too, or leave"),
        ("{net_days: 14, business_day: nxt}", "'nxt' is not known here; did you mean 'next'?"),
        ("{net_days: 30, early_payment: 2}", "write {percent: 2, days: 10}"),
        ("{net_days: 30, early_payment: {percent: 2, days: 30}}", "write fewer days in early_payment"),
        ("{instalments: 2}", "'2' stands where a list belongs; write [{percent: 50, net_days: 0}, "),
        (
            "{instalments: [{percent: 50, net_days: 0}, {percent: 40, net_days: 9}]}",
            "come to 90 per cent; they must",
        ),
        (
            "{instalments: [{percent: 50, net_days: 0}, {percent: 50}]}",
            "first-client.terms.instalments[2]: write exactly one of net_days, ",
        ),
        (
            "{end_of_month_plus: 90}",
            "warning: first-client.terms: end of month + 90 days can be up to 120 days; in DE",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, terms: str, says: str) -> None:
    """One problem, at its place, that says what to write instead."""
    (found,) = problems(tmp_path, f"  terms: {terms}")
    assert says in found
