"""Revenue leakage on a real ledger: everything that is forgotten is found, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from activities.invoicing.reconciliation import FoundLeak, preview
from activities.ledger import company_exceptions, outbox
from activities.ledger.tables import InvoiceRow, OutboxRow
from tests.activities.ledger.conftest import everything
from tests.leakage.omissions import OMISSIONS, Omission
from tests.leakage.world import NOW, World, agreement, spent, worked


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
    for left, each in enumerate(reversed(OMISSIONS), start=1):
        each.repair(world)
        world.apply()
        now = world.reconcile(NOW + timedelta(hours=2, minutes=left))
        assert each.subject not in [found.leak.subject for found in now.leaks]
        assert (now.repaired, len(now.leaks)) == (1, 12 - left)


def test_before_the_days_of_grace_are_over(world: World) -> None:
    """What is due for no longer than the days of grace is no leak; a day later it is."""
    world.project("P-3").update(completed="2026-03-31")
    world.apply()
    assert world.reconcile().leaks == []
    (found,) = world.reconcile(NOW + timedelta(days=1)).leaks
    assert found.leak.subject == "leak/invoice/move/price"


def test_a_look_writes_nothing(world: World) -> None:
    """A preview finds the same and changes no row; so does a reconciliation where nothing has changed."""
    OMISSIONS[0].plant(world)
    world.apply()
    before = everything(world.effects.ledger)
    seen = preview(world.effects.ledger, NOW)
    assert everything(world.effects.ledger) == before
    assert [each.leak for each in seen.leaks] == [each.leak for each in world.reconcile().leaks]
    after = everything(world.effects.ledger)
    world.reconcile()
    assert everything(world.effects.ledger) == after


def test_a_psa_that_cannot_be_read(world: World) -> None:
    """While a source cannot be read nothing is closed; a person is told, once, until it can be read again."""
    OMISSIONS[0].plant(world)
    OMISSIONS[7].plant(world)
    world.apply()
    world.reconcile()
    (world.company.folder / "data/psa/time.csv").write_text("id,project")
    blind = world.reconcile()
    assert [each.leak.subject for each in blind.leaks] == ["leak/deal/D-9"]
    assert (blind.repaired, list(blind.unreadable)) == (0, ["psa"])
    with world.effects.ledger.transaction() as tx:
        assert company_exceptions.open_subjects(tx, "") == {
            "leak/unbilled/hours/time/2026-02-01",
            "leak/deal/D-9",
            "reconciliation/psa",
        }
    world.apply()
    assert world.reconcile().unreadable == {}
    with world.effects.ledger.transaction() as tx:
        assert company_exceptions.open_subjects(tx, "reconciliation/") == frozenset()


def test_agreements_that_wait_for_a_person_already(world: World) -> None:
    """What a billing run holds and tells a person is not told a second time."""
    world.company.agreements.append(
        agreement("hosting", "retainer", "bolt", every="month", amount="350.00", start="2026-03-01")
    )
    world.company.crm[1]["active"] = False
    world.apply()
    world.run("late", NOW)
    with world.effects.ledger.transaction() as tx:
        assert "agreement/hosting" in company_exceptions.open_subjects(tx, "")
    assert world.reconcile().leaks == []


def test_hours_on_a_project_nobody_knows(world: World) -> None:
    """Hours on a project the PSA itself does not list are found, too."""
    world.time.append(worked("x-1", "P-99", "2026-03-10", "4"))
    world.expenses.append(spent("x-2", "P-98", "2026-03-10", "40.00"))
    world.apply()
    expenses, hours = sorted(world.reconcile().leaks, key=lambda each: each.leak.subject)
    assert (hours.leak.subject, hours.leak.client) == ("leak/project/P-99/2026-03", None)
    assert "project P-99, which the PSA does not list," in hours.leak.message
    assert expenses.leak.subject == "leak/expenses/P-98/2026-03/EUR"


def test_a_price_that_is_retired(world: World) -> None:
    """Hours a price has covered are no leak because the agreement is taken out of the folder once it is done."""
    world.company.agreements = [each for each in world.company.agreements if each["id"] != "shop"]
    world.apply()
    assert world.reconcile().leaks == []


@pytest.mark.parametrize(
    ("assembled", "leaks"),
    [
        (False, []),  # waived as it was, whatever is in it
        (True, ["leak/unbilled/extra/time/2026-03-01"]),  # there was nothing in it then
    ],
)
def test_a_period_that_was_waived(world: World, assembled: bool, leaks: list[str]) -> None:
    """What a person waives before anybody looked is waived whole; what is waived because it is empty was empty then."""
    world.company.agreements.append(
        agreement(
            "extra",
            "time and materials",
            "bolt",
            project="P-9",
            rates={"senior": "100"},
            start="2026-03-01",
            end="2026-03-31",
        )
    )
    world.company.projects.append({"id": "P-9", "name": "Extra", "client": "C-2"})
    world.apply()
    asked = datetime(2026, 4, 1, 9, tzinfo=UTC)
    world.trigger("extra", "time", asked)
    if assembled:
        world.work(asked)
    world.void("extra/time/2026-03-01", "not worth it", asked, rebill=False)
    world.time.append(worked("x-1", "P-9", "2026-03-10", "4"))
    world.apply()
    found = world.reconcile(NOW + timedelta(days=2)).leaks
    assert [each.leak.subject for each in found] == leaks


def test_invoices_that_stand_still(world: World) -> None:
    """An invoice whose next look is a day late is looked at again, once, as long as that is on its way."""
    ledger = world.effects.ledger
    with ledger.transaction() as tx:
        tx.execute(update(OutboxRow).values(done_at=NOW))
        standing = tx.scalar(select(func.count()).where(InvoiceRow.closed_at.is_(None)))
    assert world.reconcile().woken == standing
    assert world.reconcile().woken == 0
    with ledger.transaction() as tx:
        assert outbox.waiting(tx) == standing
