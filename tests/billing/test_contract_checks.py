"""Contracts, amendments and deals against the agreement: signed, of one client, over one value, for these days."""

from __future__ import annotations

from typing import Any

import pytest

from billing.agreements import Occasion
from billing.assembly import Assembly, assemble
from tests.billing.assembling import JANUARY, TODAY, care, codes, draft_of, found, made, only, requested
from tests.billing.records import (
    CLIENT,
    company,
    contract,
    deal,
    project,
    retainer,
    time_and_materials,
    worked,
)
from tests.billing.test_work_checks import order

AMENDMENT = {"id": "CT-2", "client": "C-1", "value": "1200.00", "currency": "EUR", "signed_on": "2026-01-10"}


@pytest.mark.parametrize(
    ("says", "tolerance", "held"),
    [
        ("1000.00", {}, False),
        ("1000.01", {}, True),
        ("1000.50", {"EUR": "0.50"}, False),
        ("999.50", {"EUR": "0.50"}, False),
        ("1000.51", {"EUR": "0.50"}, True),
        ("1000.50", {"CHF": "0.50"}, True),  # what is let pass in francs says nothing about euros
    ],
)
def test_values_within_the_tolerance(says: str, tolerance: dict[str, str], held: bool) -> None:
    """A deal may differ from the agreement of 1,000.00 by what the company lets pass in that currency."""
    here = company(retainer(deal="D-1"), source_checks={"tolerance": tolerance})
    request = requested(Occasion(agreement="care", item="fee", period=JANUARY))
    assembly = assemble(request, here, found(deal=deal(says)), TODAY)
    assert codes(assembly) == (["sources-differ"] if held else [])


def test_two_currencies_are_never_near_enough() -> None:
    """1,000.00 CHF are not 1,000.10 EUR, however much is let pass."""
    here = company(retainer(deal="D-1"), source_checks={"tolerance": {"EUR": "5", "CHF": "5"}})
    request = requested(Occasion(agreement="care", item="fee", period=JANUARY))
    assembly = assemble(request, here, found(deal=deal("1000.10", currency="CHF")), TODAY)
    assert [each.field for each in assembly.findings] == ["currency", "value"]


def test_a_deal_that_is_not_won() -> None:
    """An open deal is no order."""
    finding = only(care(retainer(deal="D-1"), deal=deal("1000.00", won=False)))
    assert "deal 'D-1' is not won in the CRM" in finding.message


@pytest.mark.parametrize(
    ("dates", "held"),
    [
        ({}, ""),
        ({"start": "2026-01-01", "end": "2026-01-31"}, ""),
        (
            {"signed_on": "2026-01-20", "start": "2026-01-01"},
            "",
        ),  # signed late, and it says from when it runs
        ({"start": "2026-01-02"}, "which runs from 2026-01-02;"),
        ({"end": "2026-01-30"}, "which runs to 2026-01-30;"),
        ({"start": "2025-01-01", "end": "2025-12-31"}, "which runs from 2025-01-01 to 2025-12-31;"),
    ],
)
def test_a_period_outside_the_signed_contract(dates: dict[str, str], held: str) -> None:
    """Where the renewal is missing, a person says whether it is billed all the same."""
    assembly = care(retainer(contract="CT-1"), contract=contract("1000.00", **dates))
    if not held:
        assert assembly.findings == ()
        return
    finding = only(assembly)
    assert finding.code.value == "sources-differ"
    assert held in finding.message
    assert "have the renewal signed and filed" in finding.message
    assert draft_of(assembly).net == 1000


@pytest.mark.parametrize(
    ("amendment", "code", "says"),
    [
        (None, "not-signed", "its document 'CT-2' is not among the signed contracts"),
        ({"client": "C-9"}, "sources-differ",
         "change order co-1: client differs: contract CT-2 C-9 against agreement C-1"),
        ({"currency": "CHF"}, "sources-differ", "change order co-1: currency differs: contract CT-2 CHF"),
        ({"value": "1250"}, "sources-differ",
         "value differs: contract CT-2 1,250.00 EUR against change order co-1 1,200.00 EUR, a difference of 50.00 EUR"),
        ({"value": "0"}, "", ""),  # it states none
        ({}, "", ""),
    ],
)  # fmt: skip
def test_the_document_of_a_change_order(amendment: dict[str, str] | None, code: str, says: str) -> None:
    """It must be signed, of this client and currency, and over the value the order names, where it states one."""
    signed = {} if amendment is None else {"CT-2": {**AMENDMENT, **amendment}}
    assembly = care(retainer(change_orders=[order(amount="1200.00")]), amendments=signed)
    assert codes(assembly) == ([code] if code else [])
    assert all(says in each.message for each in assembly.findings)


@pytest.mark.parametrize(
    "changes",
    [{"effective": "2026-02-04"}, {"approved_by": None, "approved_on": None}],
    ids=["later", "not approved"],
)
def test_a_change_order_that_changes_nothing_yet_need_not_be_signed(changes: dict[str, Any]) -> None:
    """What is not in force is nobody's business yet."""
    assembly = care(retainer(change_orders=[order(amount="1200.00", **changes)]))
    assert assembly.findings == ()
    assert draft_of(assembly).net == 1000


def ended(**changes: Any) -> Assembly:
    """January of a retainer that was changed after January was asked for."""
    return care(retainer(**changes), amendments={"CT-2": AMENDMENT})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"end": "2026-01-15"}, "which begins on 2026-01-01 and ends on 2026-01-15;"),
        ({"start": "2026-01-10"}, "which begins on 2026-01-10;"),
        ({"start": "2026-03-01", "end": "2026-02-28"}, "and ends on 2026-02-28;"),
        ({"change_orders": [order(end="2026-01-20")]}, "and ends on 2026-01-20;"),
    ],
)
def test_a_period_the_agreement_does_not_reach_any_more(changes: dict[str, Any], says: str) -> None:
    """An agreement that ends before its billed period does is held: voided, the part that is left is billed."""
    finding = only(ended(**changes))
    assert finding.code.value == "rules-changed"
    assert says in finding.message
    assert "void this draft to be billed again" in finding.message


@pytest.mark.parametrize("changes", [{"end": "2025-12-31"}, {"start": "2026-02-01"}, {"end": "2026-01-11"}])
def test_hours_of_a_period_the_agreement_does_not_reach_any_more(changes: dict[str, str]) -> None:
    """The same holds for hours, also where the agreement includes some: held, with the entries it would bill."""
    agreement = time_and_materials(**{"start": "2025-01-01", "included_hours": "2", **changes})
    assembly = made(agreement, "time", JANUARY, time_entries=[worked("T-1", "8")])
    assert codes(assembly) == ["rules-changed"]


def test_a_fee_that_changes_within_the_period() -> None:
    """14 days of January at 1,000 are 451.61, 17 at 1,200 are 658.06: two lines, each with its days."""
    assembly = ended(change_orders=[order(amount="1200.00")])
    assert assembly.findings == ()
    assert [(each.detail, str(each.net)) for each in draft_of(assembly).lines] == [
        ("2026-01-01 – 2026-01-14", "451.61"),
        ("2026-01-15 – 2026-01-31", "658.06"),
    ]


@pytest.mark.parametrize(
    ("since", "orders", "language", "details"),
    [
        ("2025-11-01", [], "en", ["indexed by 2.5 % since 2025-11-01 (CPI)"]),
        ("2025-11-01", [], "de", ["indexiert um 2,5 % seit 01.11.2025 (CPI)"]),
        ("2026-01-15", [], "en", [
            "2026-01-01 – 2026-01-14",
            "2026-01-15 – 2026-01-31 · indexed by 2.5 % since 2026-01-15 (CPI)",
        ]),
        ("2026-02-01", [], "en", [""]),
        ("2025-11-01", [order(amount="1200.00", effective="2025-12-01")], "en", [""]),  # the order has replaced it
        ("2025-12-20", [order(amount="1200.00", effective="2025-12-01")], "en", [
            "indexed by 2.5 % since 2025-12-20 (CPI)"
        ]),
    ],
)  # fmt: skip
def test_an_indexed_fee_says_so(since: str, orders: list[Any], language: str, details: list[str]) -> None:
    """The client reads by how much the fee was adjusted, since when and why, as long as that is what it is."""
    agreement = retainer(
        start="2025-01-01",
        indexation=[{"since": since, "percent": "2.5", "source": "CPI"}],
        change_orders=orders,
    )
    here = company(agreement, clients=[{**CLIENT, "language": language}])
    request = requested(Occasion(agreement="care", item="fee", period=JANUARY))
    assembly = assemble(request, here, found(amendments={"CT-2": AMENDMENT}), TODAY)
    assert [each.detail for each in draft_of(assembly).lines] == details


@pytest.mark.parametrize("model", ["fee", "hours"])
def test_a_project_that_ended_before_the_period(model: str) -> None:
    """Fee or hours of January for a project completed in December are held; completed in January they are not."""

    def january(completed: str) -> Assembly:
        done = project(completed=completed)
        if model == "fee":
            return care(retainer(project="P-1"), project=done)
        return made(time_and_materials(), "time", JANUARY, project=done, time_entries=[worked("T-1", "8")])

    finding = only(january("2025-12-20"))
    assert "project 'P-1' was completed on 2025-12-20, before 2026-01-01 to 2026-01-31" in finding.message
    assert january("2026-01-02").findings == ()
