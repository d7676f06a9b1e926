"""Revenue leakage on a real ledger: everything that is forgotten is found, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities.invoicing.reconciliation import FoundLeak
from tests.leakage.omissions import OMISSIONS, Omission
from tests.leakage.world import NOW, World


def _said(found: FoundLeak) -> tuple[str, str, str | None, str | None, str]:
    leak = found.leak
    at_stake = str(leak.at_stake.amount) if leak.at_stake else None
    return leak.code, leak.subject, leak.client, at_stake, leak.since.isoformat()


def _planned(each: Omission) -> tuple[str, str, str | None, str | None, str]:
    return each.code, each.subject, each.client, each.at_stake, each.since


def test_nothing_is_missing(world: World) -> None:
    """A company that has billed everything has no leak: not what runs still, is drafted, waived or covered."""
    found = world.reconcile()
    assert [each.leak.message for each in found.leaks] == []
    assert found.unreadable == {}


@pytest.mark.parametrize("omission", OMISSIONS, ids=str)
def test_each_omission(world: World, omission: Omission) -> None:
    """Each omission is found as one leak with its kind, client, money and day, waits for its owner, and is closed
    once it is repaired."""
    omission.plant(world)
    world.apply()
    (found,) = world.reconcile().leaks
    assert _said(found) == _planned(omission)
    assert (found.owner, found.deadline, found.new) == ("pia", NOW + timedelta(hours=48), True)
    omission.repair(world)
    world.apply()
    after = world.reconcile(NOW + timedelta(hours=1))
    assert [each.leak.message for each in after.leaks] == []
    assert after.repaired == 1


def test_twelve_omissions(world: World) -> None:
    """Twelve omissions at once are twelve leaks and nothing else, however often one looks, until all are repaired."""
    for each in OMISSIONS:
        each.plant(world)
    world.apply()
    first, again = world.reconcile(), world.reconcile(NOW + timedelta(hours=1))
    assert len(OMISSIONS) == 12
    assert sorted(map(_said, first.leaks)) == sorted(map(_planned, OMISSIONS))
    assert sorted(map(_said, again.leaks)) == sorted(map(_planned, OMISSIONS))
    assert (first.new, again.new, again.repaired) == (12, 0, 0)
    assert [each.exception for each in first.leaks] == [each.exception for each in again.leaks]
    for left, each in enumerate(reversed(OMISSIONS)):
        each.repair(world)
        world.apply()
        now = world.reconcile(NOW + timedelta(hours=2, minutes=left))
        assert each.subject not in [found.leak.subject for found in now.leaks]
        assert now.repaired == 1
    assert now.leaks == []
