"""What is billed must be done, all there, and within what was agreed; else a person decides."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.agreements import Agreement
from billing.assembly import Assembly, assemble
from billing.periods import Period
from tests.billing.assembling import JANUARY, TODAY, codes, draft_of, found, hours, made, only, requested
from tests.billing.records import (
    company,
    fixed_price,
    milestone,
    milestones,
    prepaid_block,
    project,
    retainer,
    time_and_materials,
    worked,
)

SIGNED = {"id": "CT-2", "client": "C-1", "value": "0", "currency": "EUR", "signed_on": "2026-01-10"}


def order(**figures: Any) -> dict[str, Any]:
    """An approved change order from 15 January on."""
    return {
        "id": "co-1",
        "effective": "2026-01-15",
        "reason": "more work",
        "document": "CT-2",
        "proposed_by": "pia",
        "approved_by": "noor",
        "approved_on": "2026-01-10",
        **figures,
    }


# --- done -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "sources", "found"),
    [
        ("project completed", {}, ["not-done"]),
        ("project completed", {"project": project(completed="2026-01-30")}, []),
        ("contract signed", {"project": project()}, []),
        ("deal won", {}, []),
        ("manual", {}, []),
    ],
)
def test_a_fixed_price_is_billed_by_its_trigger(
    trigger: str, sources: dict[str, Any], found: list[str]
) -> None:
    """Only what is billed at completion must be complete."""
    assembly = made(fixed_price(trigger=trigger), "price", **sources)
    assert codes(assembly) == found
    assert draft_of(assembly).lines[0].sources[0].id == "P-1"


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ({"milestone": milestone(progress=79)}, ["not-done"]),
        ({"milestone": milestone(progress=80)}, []),
        ({"project": project(progress=80)}, []),
        ({"milestone": milestone(signed_off="2026-01-20")}, []),
        ({"milestone": milestone(progress=70), "line_reached": True}, []),  # the meter has moved back since
        ({}, ["not-done"]),
    ],
)
def test_a_milestone_billed_by_progress(sources: dict[str, Any], found: list[str]) -> None:
    """It is due once 80 % are done, by its own progress or the project's, or once its line was reached."""
    instalments = [{"id": "design", "title": "Design", "amount": "3200", "progress": 80}]
    assert codes(made(milestones(milestones=instalments), "design", **sources)) == found


def test_completion_bills_all_work_so_far() -> None:
    """Hours of any month are billed once the project is done; the supply is from the first day to the last."""
    agreement = time_and_materials(trigger="project completed", start="2025-06-01")
    work = [worked("T-1", "2", day="2026-01-30"), worked("T-0", "6", day="2025-11-03")]
    early = made(agreement, "completion", time_entries=work, project=project())
    assert codes(early) == ["not-done"]
    assembly = made(agreement, "completion", time_entries=work, project=project(completed="2026-02-01"))
    assert assembly.findings == ()
    draft = draft_of(assembly)
    assert (str(draft.net), draft.supply) == (
        "960.00",
        Period(start=date(2025, 11, 3), end=date(2026, 1, 30)),
    )


def test_hours_not_approved_hold_completion_but_not_spend() -> None:
    """At completion somebody must look; by spend they wait for the next line that is reached."""
    work = [worked("T-1", "8"), worked("T-2", "3", approved=False)]
    done: dict[str, Any] = {"time_entries": work, "project": project(completed="2026-02-01")}
    finding = only(made(time_and_materials(), "completion", **done))
    assert "3 hours of project 'P-1' are not approved" in finding.message
    assembly = made(time_and_materials(), "spend-3", **done)
    assert (assembly.findings, str(draft_of(assembly).net)) == ((), "960.00")


@pytest.mark.parametrize(
    ("agreement", "item"),
    [
        (retainer(), "overage"),
        (retainer(), "time"),
        (time_and_materials(), "fee"),
        (time_and_materials(), "spend-0"),
        (milestones(), "gone"),
        (prepaid_block(), "block-x"),
        (fixed_price(), "design"),
    ],
)
def test_an_item_the_agreement_does_not_have_any_more(agreement: Agreement, item: str) -> None:
    """Where the billing model was changed under a request, nothing is guessed."""
    assembly = made(agreement, item, JANUARY if item in ("overage", "time", "fee") else None)
    assert codes(assembly)[0] == "rules-changed"
    assert f"has no item {item!r} any more" in assembly.findings[0].message
    assert assembly.draft is None


# --- all there --------------------------------------------------------------------------------------------------------


def test_a_project_nobody_knows_is_not_an_empty_month() -> None:
    """A wrong project id is told, even where empty months need nobody's look."""
    assembly = made(time_and_materials(skip_empty=True), "time", JANUARY)
    assert codes(assembly) == ["sources-differ", "empty"]
    assert (
        "the PSA has no project 'P-1'; correct `project` of agreement 'hours'" in assembly.findings[0].message
    )


@pytest.mark.parametrize(
    ("trigger", "changes", "skipped"),
    [
        ("time", {"skip_empty": True}, True),
        ("time", {"skip_empty": False}, False),
        ("manual", {"skip_empty": True}, False),  # somebody asked: they hear that there is nothing
    ],
)
def test_an_empty_period_may_be_skipped(trigger: str, changes: dict[str, Any], skipped: bool) -> None:
    """Only if the calendar asked, and the agreement says that empty periods need nobody."""
    from billing.agreements import Occasion

    request = requested(Occasion(agreement="hours", item="time", period=JANUARY))
    assembly = assemble(
        request.model_copy(update={"trigger": trigger}),
        company(time_and_materials(**changes)),
        found(project=project()),
        TODAY,
    )
    assert codes(assembly) == ["empty"]
    assert bool(assembly.skip) == skipped


def test_a_fee_is_never_skipped() -> None:
    """`skip_empty` is about work: a fee of nothing would be a mistake."""
    assert made(retainer(skip_empty=True), "fee", JANUARY).skip == ""


def test_entries_are_named_five_at_most() -> None:
    """Who looks into unapproved hours finds the first five by name and day, and how many there are."""
    work = [worked(f"T-{n}", "1", approved=False, day=f"2026-01-0{n}") for n in range(1, 8)]
    finding = next(each for each in hours(worked("T-0", "1"), *work).findings)
    assert "(7 entries: T-1 of 2026-01-01, T-2 of 2026-01-02, " in finding.message
    assert "T-5 of 2026-01-05 …)" in finding.message
    assert "T-6" not in finding.message


def test_hours_planned_ahead_hold_nothing() -> None:
    """What nobody has approved for a day to come is a plan; approved, it is a wrong date, named and left out."""
    planned = worked("T-2", "8", day="2026-03-04", approved=False)
    assert hours(worked("T-1", "8"), planned).findings == ()
    assembly = hours(worked("T-1", "8"), planned.model_copy(update={"approved": True}))
    assert "time entry T-2 is of 2026-03-04, which is still to come" in only(assembly).message
    assert str(draft_of(assembly).net) == "960.00"


# --- within what was agreed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours_so_far", "changes", "held"),
    [
        ("80", {}, False),
        ("80.25", {}, True),
        ("95", {"change_orders": [order(hours="100")]}, False),
        ("100.5", {"change_orders": [order(hours="100")]}, True),
        ("95", {"change_orders": [order(hours="100", effective="2026-03-01")]}, True),
        ("95", {"change_orders": [order(hours="100", approved_by=None, approved_on=None)]}, True),
        ("500", {"scope_hours": None}, False),
    ],
)
def test_work_beyond_the_agreed_scope(hours_so_far: str, changes: dict[str, Any], held: bool) -> None:
    """Of 80 agreed hours more is held, until a change order approved and in force allows it."""
    agreement = fixed_price(**{"scope_hours": "80", **changes})
    done = project(completed="2026-01-30")
    assembly = made(agreement, "price", project=done, hours_so_far=hours_so_far, amendments={"CT-2": SIGNED})
    assert codes(assembly) == (["scope-exceeded"] if held else [])
    if held:
        assert (
            f"{hours_so_far} hours of project 'P-1' exceed the agreed scope of"
            in assembly.findings[0].message
        )


@pytest.mark.parametrize(
    ("changes", "billed", "says"),
    [
        ({"cap": "1320"}, {}, ""),
        ({"cap": "1319.99"}, {}, "1,320.00 EUR exceed the cap of 1,319.99 a period"),
        ({"cap": "2000"}, {"billed_in_period": "680"}, ""),
        ({"cap": "2000"}, {"billed_in_period": "680.01"},
         "1,320.00 EUR, with 680.01 billed before, exceed the cap of 2,000.00 a period"),
        ({"cap": "1000", "change_orders": [order(cap="1500")]}, {}, ""),
        ({"budget": "5000"}, {"billed_net": "3680"}, ""),
        ({"budget": "5000"}, {"billed_net": "3680.01"},
         "1,320.00 EUR, with 3,680.01 billed before, exceed the budget of 5,000.00 in all"),
        ({"budget": "4000", "change_orders": [order(budget="6000")]}, {"billed_net": "3680.01"}, ""),
        ({"cap": "1300", "discount": "10"}, {}, ""),  # 1,188.00 is what the client pays
    ],
)  # fmt: skip
def test_caps_and_budgets(changes: dict[str, Any], billed: dict[str, Any], says: str) -> None:
    """Eleven hours at 120 are 1,320.00; a cap counts what is billed of the period, a budget what is billed in all."""
    sources = {"time_entries": [worked("T-1", "11")], "amendments": {"CT-2": SIGNED}, **billed}
    assembly: Assembly = made(time_and_materials(**changes), "time", JANUARY, **sources)
    assert [each.message.split(";")[0] for each in assembly.findings] == ([says] if says else [])


def test_milestones_never_come_to_more_than_the_whole() -> None:
    """Design was billed at 3,200 and then cut to 2,200 in the agreement: 6,000 more are 9,200 of 8,200 agreed."""
    shop = milestones(
        milestones=[
            {"id": "design", "title": "Design", "amount": "2200"},
            {"id": "launch", "title": "Launch", "amount": "6000"},
        ]
    )
    signed = milestone(id="launch", signed_off="2026-01-20")
    assert made(shop, "launch", milestone=signed, billed_net="2200").findings == ()
    finding = only(made(shop, "launch", milestone=signed, billed_net="3200"))
    assert finding.message.startswith(
        "6,000.00 EUR, with 3,200.00 billed before, are more than the 8,200.00 agreed"
    )
