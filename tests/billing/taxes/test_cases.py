"""The worked cases of docs/tax-cases.md, each a test."""

import pytest

from billing.taxes.categories import NO_TAX
from billing.taxes.decision import TaxDecision, TaxUnknown, covered, decide_tax
from billing.taxes.notes import NoteCode
from billing.taxes.outcome import TaxComponent
from tests.billing.taxes.worked_cases import COLUMNS, Case, cases, configured, tables

CASES = cases()
RATES = configured()


def written(component: TaxComponent) -> str:
    """A tax as the document writes it: `VAT 19`, `Sales tax 8.25 of 80`."""
    share = "" if component.share == 100 else f" of {component.share.normalize():f}"
    return f"{component.name} {component.rate.normalize():f}{share}"


@pytest.mark.parametrize("case", CASES, ids=[each.name for each in CASES])
def test_worked_case(case: Case) -> None:
    """The rules answer as the law does: category, taxes, article and words; or stop over the fact that is missing."""
    outcome = decide_tax(case.facts, RATES)
    if case.tax == "stop":
        assert isinstance(outcome, TaxUnknown), outcome
        assert case.article in outcome.why
        assert outcome.field == case.note
        return
    assert isinstance(outcome, TaxDecision), outcome.why
    category, _, taxes = case.tax.partition(" ")
    assert outcome.category == category
    assert taxes == (" + ".join(written(each) for each in outcome.taxes) if category == "S" else "")
    assert outcome.article == case.article
    assert outcome.note_code == case.note
    assert outcome.why.startswith(f"{category}: ")
    assert (outcome.note == "") == (case.note == "")
    if category in NO_TAX:
        assert [each.rate for each in outcome.taxes] == [0]


def test_document_is_whole() -> None:
    """Every table is read, every case has a name of its own and a source, and there are at least 170 of them."""
    others = [table[0] for table in tables() if tuple(table[0]) != COLUMNS]
    assert others == [["issuer's country", "its number"]]
    assert len({each.name for each in CASES}) == len(CASES) >= 170
    assert [each.name for each in CASES if not each.source] == []


def test_cases_reach_every_rule() -> None:
    """The document has cases for every country with rules, every category, and every note that exists."""
    assert covered() - {each.facts.issuer_country for each in CASES} == set()
    assert {each.tax.split(" ")[0] for each in CASES} == {"S", "AE", "O", "Z", "E", "stop"}
    assert {each.note for each in CASES if each.tax != "stop"} == set(NoteCode)
