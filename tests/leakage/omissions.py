"""Twelve ways to lose money, each with what is at stake, worked by hand; and how each is put right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.leakage.world import NOW, World, agreement, spent, worked


@dataclass(frozen=True)
class Omission:
    """Something nobody billed: how it comes about, what reconciliation calls it, and how it is repaired."""

    name: str
    plant: Callable[[World], Any]
    code: str
    subject: str
    client: str | None
    at_stake: str | None
    since: str
    repair: Callable[[World], Any]

    def __str__(self) -> str:
        return self.name


def _unwork(*entries: str) -> Callable[[World], None]:
    def repair(world: World) -> None:
        for each in [*world.time, *world.expenses]:
            if each["id"] in entries:
                each["billable"] = "no"

    return repair


def _milestone(signed_off: str) -> Callable[[World], None]:
    return lambda world: world.project("P-2")["milestones"][1].update(signed_off=signed_off)


def _deal(world: World) -> None:
    sold = {"id": "D-9", "client": "C-2", "value": "8500.00", "currency": "EUR", "won_on": "2026-03-12"}
    world.company.deals.append(sold)


def _contract(world: World) -> None:
    signed = {"id": "CT-9", "client": "C-1", "value": "4400.00", "currency": "EUR", "signed_on": "2026-03-11"}
    world.company.contracts.append(signed)


def _agreement_for(**names: str) -> Callable[[World], None]:
    return lambda world: world.company.agreements.append(
        agreement("late", "retainer", "acme", every="year", amount="1.00", start="2026-04-02", **names)
    )


def _void_watch(world: World) -> None:
    at = datetime(2026, 3, 10, 9, tzinfo=UTC)
    world.void("watch/fee/2026-01-01", "wrong address", at, rebill=True)


OMISSIONS = [
    Omission(
        "hours that came after the invoice of their month",
        lambda world: world.time.append(worked("x-1", "P-1", "2026-02-10", "4")),
        "work-unbilled",
        "leak/unbilled/hours/time/2026-02-01",
        "bolt",
        "480.00",  # 4 h at 120
        "2026-03-01",
        _unwork("x-1"),
    ),
    Omission(
        "hours on a project no agreement bills",
        lambda world: world.time.append(worked("x-2", "P-0", "2026-03-16", "6", "junior")),
        "work-without-agreement",
        "leak/project/P-0/2026-03",
        "bolt",
        "570.00",  # 6 h at 95, the rate of the client's other agreement
        "2026-03-16",
        _unwork("x-2"),
    ),
    Omission(
        "hours nobody approved",
        lambda world: world.time.append(worked("x-3", "P-1", "2026-01-21", "3", "junior", approved="no")),
        "work-unapproved",
        "leak/unapproved/hours/time/2026-01-01",
        "bolt",
        "285.00",  # 3 h at 95
        "2026-02-01",
        _unwork("x-3"),
    ),
    Omission(
        "an agreement no billing run has seen",
        lambda world: world.company.agreements.append(
            agreement(
                "hosting",
                "retainer",
                "bolt",
                every="month",
                amount="350.00",
                start="2026-03-01",
                discount="10",
            )
        ),
        "period-unbilled",
        "leak/invoice/hosting/fee/2026-03-01",
        "bolt",
        "315.00",  # March, less 10 %; April is within its days of grace
        "2026-03-01",
        lambda world: world.trigger("hosting", "fee", NOW),
    ),
    Omission(
        "a draft that was voided to be billed again",
        _void_watch,
        "voided-unbilled",
        "leak/invoice/watch/fee/2026-01-01",
        "acme",
        "6000.00",
        "2026-03-10",
        lambda world: world.trigger("watch", "fee", NOW),
    ),
    Omission(
        "a milestone signed off",
        _milestone("2026-03-20"),
        "milestone-unbilled",
        "leak/invoice/shop/launch",
        "acme",
        "6000.00",
        "2026-03-20",
        lambda world: world.trigger("shop", "launch", NOW),
    ),
    Omission(
        "a project completed",
        lambda world: world.project("P-3").update(completed="2026-03-15"),
        "project-unbilled",
        "leak/invoice/move/price",
        "bolt",
        "9200.00",
        "2026-03-15",
        lambda world: world.trigger("move", "price", NOW),
    ),
    Omission(
        "a deal without agreement",
        _deal,
        "deal-without-agreement",
        "leak/deal/D-9",
        "bolt",
        "8500.00",
        "2026-03-12",
        _agreement_for(deal="D-9"),
    ),
    Omission(
        "a contract without agreement",
        _contract,
        "contract-without-agreement",
        "leak/contract/CT-9",
        "acme",
        "4400.00",
        "2026-03-11",
        _agreement_for(contract="CT-9"),
    ),
    Omission(
        "an expense that came after the invoice of its month",
        lambda world: world.expenses.append(spent("x-10", "P-1", "2026-02-12", "80.00")),
        "expenses-unbilled",
        "leak/expenses/spent/expenses/2026-02-01",
        "bolt",
        "84.00",  # 80.00 and 5 %
        "2026-03-01",
        _unwork("x-10"),
    ),
    Omission(
        "a prepaid block used up",
        lambda world: world.time.append(worked("x-11", "P-4", "2026-03-17", "10")),
        "line-unbilled",
        "leak/invoice/block/block-2",
        "acme",
        "2000.00",  # 8 + 7 + 10 of 20 h
        "2026-03-17",
        lambda world: world.trigger("block", "block-2", NOW),
    ),
    Omission(
        "hours in a role without a rate",
        lambda world: world.time.append(worked("x-12", "P-1", "2026-02-17", "5", "architect")),
        "work-without-rate",
        "leak/rate/hours/time/2026-02-01/architect",
        "bolt",
        None,  # nobody agreed on a price
        "2026-03-01",
        _unwork("x-12"),
    ),
]
