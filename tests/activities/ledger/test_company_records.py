"""The company as it runs: versions, applied one after the other."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from activities.ledger import company_records
from activities.ledger.company_records import Change, apply_company, plan_changes
from activities.ledger.database import Ledger
from activities.ledger.tables import CompanyVersionRow
from billing.company import Company
from billing.errors import NotFound
from tests.activities.ledger.conftest import at_once, rows
from tests.starter.web.story import COMPANY, NOW

OTHER = COMPANY.model_copy(update={"name": "Elbwerk"})


def applied(ledger: Ledger, company: Company = COMPANY, folder: str = "company") -> int:
    return apply_company(ledger, company, folder, "lena", NOW)


def test_nothing_applied(ledger: Ledger) -> None:
    """Before the first company everything is to be added, and whoever needs one is told what to do."""
    with pytest.raises(NotFound, match="billow apply DIR"), ledger.transaction() as tx:
        company_records.current(tx)
    assert {change.action for change in plan_changes(ledger, COMPANY)} == {"add"}


def test_same_again(ledger: Ledger) -> None:
    """The same company again is no new version; another folder or content is, and so is going back."""
    assert [applied(ledger), applied(ledger)] == [1, 1]
    versions = [applied(ledger, folder="elsewhere"), applied(ledger, OTHER), applied(ledger)]
    assert versions == sorted({*versions}) and versions[0] > 1
    with ledger.transaction() as tx:
        current = company_records.current(tx)
        assert (current.version, current.company, current.folder) == (versions[-1], COMPANY, "company")
        assert company_records.at_version(tx, versions[1]).company == OTHER


def test_a_field_that_came_later_is_no_change(ledger: Ledger) -> None:
    """A company that was applied before Billow knew of tax rules and registrations has not changed since."""
    applied(ledger)
    with ledger.transaction() as tx:
        row = tx.scalars(select(CompanyVersionRow)).one()
        before = {key: value for key, value in row.company.items() if key != "tax"}
        before["issuers"] = [
            {key: value for key, value in each.items() if key != "registrations"}
            for each in before["issuers"]
        ]
        row.company = before
    assert plan_changes(ledger, COMPANY) == []


def test_at_once_from_nothing(ledger: Ledger) -> None:
    """The same company applied by many at once is one version, though there was none before."""
    versions = at_once(8, lambda _: applied(ledger))
    assert len(set(map(str, versions))) == 1
    assert rows(ledger, "select count(*) from company_versions") == [(1,)]


def test_at_once_over_another(ledger: Ledger) -> None:
    """The same company applied by many at once over another is one version more."""
    applied(ledger)
    versions = at_once(8, lambda _: applied(ledger, OTHER))
    assert len(set(map(str, versions))) == 1
    assert rows(ledger, "select count(*) from company_versions") == [(2,)]


def test_different_at_once(ledger: Ledger) -> None:
    """Different companies applied at once are one version each."""
    companies = [COMPANY.model_copy(update={"name": f"Elbwerk {n}"}) for n in range(6)]
    versions = at_once(6, lambda n: applied(ledger, companies[n]))
    assert len(set(map(str, versions))) == 6
    for number, version in enumerate(versions):
        assert isinstance(version, int)
        with ledger.transaction() as tx:
            assert company_records.at_version(tx, version).company.name == f"Elbwerk {number}"


def test_plan(ledger: Ledger) -> None:
    """A plan names each record that is added, changed or retired, and is empty for what runs."""
    applied(ledger)
    assert plan_changes(ledger, COMPANY) == []
    kawa, *others = reversed(COMPANY.clients)
    changed = COMPANY.model_copy(
        update={
            "name": "Elbwerk",
            "clients": (
                kawa.model_copy(update={"id": "kawa-2"}),
                others[0].model_copy(update={"calendar": "FR"}),
                *others[1:],
            ),
        }
    )
    assert plan_changes(ledger, changed) == [
        Change("clients", kawa.id, "retire"),
        Change("clients", others[0].id, "change"),
        Change("clients", "kawa-2", "add"),
        Change("company", "name", "change"),
    ]


def test_plan_of_reordered(ledger: Ledger) -> None:
    """Records in another order are no change."""
    applied(ledger)
    reordered = COMPANY.model_copy(update={"clients": tuple(reversed(COMPANY.clients))})
    assert plan_changes(ledger, reordered) == []


@pytest.mark.parametrize(
    ("channels", "kept_before", "understood"),
    [
        (["web", "cli", "signal"], True, ["web", "cli", "signal", "api"]),
        (["web", "cli"], True, ["web", "cli"]),
        (["web", "cli", "signal"], False, ["web", "cli", "signal"]),
    ],
)
def test_every_channel_of_then(
    ledger: Ledger, channels: list[str], kept_before: bool, understood: list[str]
) -> None:
    """A tier kept before there was the API takes approvals by it if it took all there were; else as it says."""
    applied(ledger)
    with ledger.transaction() as tx:
        row = tx.scalars(select(CompanyVersionRow)).one()
        [tier] = row.company["approvals"]["tiers"]
        kept = {name: said for name, said in tier.items() if name != "together" or not kept_before}
        policy = row.company["approvals"] | {"tiers": [kept | {"channels": channels}]}
        row.company = row.company | {"approvals": policy}
    with ledger.transaction() as tx:
        [found] = company_records.current(tx).company.approvals.tiers
        assert list(found.channels) == understood
    assert (plan_changes(ledger, COMPANY) == []) == (understood[-1] == "api")
