"""What every PSA promises."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from billing.connections import Port
from billing.periods import Period
from tests.contract.systems import System

PORT = Port.PSA
NOVEMBER = Period(start=date(2026, 11, 1), end=date(2026, 11, 30))
DECEMBER = Period(start=date(2026, 12, 1), end=date(2026, 12, 31))


def test_listed_by_id(system: System) -> None:
    """Projects are listed by id, each once, and each is what it is when asked for alone."""
    projects = system.adapter.projects()
    ids = [each.id for each in projects]
    assert isinstance(projects, tuple) and len(ids) == 2 and ids == sorted(set(ids))
    assert [system.adapter.project(each) for each in ids] == list(projects)
    assert system.ids["project"] in system.adapter.projects_with_work()


def test_unknown(system: System) -> None:
    """What there is not is None, or nothing, whatever the id looks like."""
    psa = system.adapter
    for id_ in ("no-such", "../x", "a b"):
        assert psa.project(id_) is None
        assert psa.milestones(id_) == () and psa.milestone(id_, "x") is None
        assert psa.time_entries(id_, NOVEMBER) == () and psa.expenses(id_, NOVEMBER) == ()
    assert psa.milestone(system.ids["project"], "no-such") is None


def test_exact(system: System) -> None:
    """Hours are decimals, to the digit, by day and id, and only those of the period."""
    entries = system.adapter.time_entries(system.ids["project"], NOVEMBER)
    assert isinstance(entries, tuple)
    assert [(type(each.hours), each.hours) for each in entries] == [
        (Decimal, Decimal("1.5")),
        (Decimal, Decimal("0.1")),
    ]
    assert [(each.day, each.id) for each in entries] == sorted((each.day, each.id) for each in entries)
    assert {each.day for each in entries} == {date(2026, 11, 3)}
    assert not any(isinstance(each.day, datetime) for each in entries)
    assert system.adapter.time_entries(system.ids["project"], DECEMBER) == ()


def test_milestones(system: System) -> None:
    """A milestone that is signed off says when; it is the same listed and alone."""
    if "milestone" not in system.ids:
        pytest.skip("it has no milestones")
    (milestone,) = system.adapter.milestones(system.ids["project"])
    assert milestone == system.adapter.milestone(system.ids["project"], system.ids["milestone"])
    assert (milestone.project, milestone.signed_off) == (system.ids["project"], date(2026, 11, 2))
