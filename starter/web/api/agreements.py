"""Agreements with what is billed next, and billing runs with what they did."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from activities.ledger import agreement_views, billing_run_records
from activities.ledger.agreement_models import AgreementSummary, AgreementView
from activities.ledger.billing_run_records import Outcome, RunItem, RunView
from activities.ledger.read_models import ReadModel
from starter.web.api.routes import Called, operations
from starter.web.api.shapes import Limit, Name, answers

router = operations("Agreements and runs")


class Agreements(ReadModel):
    """Every agreement that runs, ran or is to come."""

    items: tuple[AgreementSummary, ...]


class Runs(ReadModel):
    """Billing runs, the newest first."""

    items: tuple[RunView, ...]


class RunItems(ReadModel):
    """What a run did: held first, then what is caught up; `more` if there is more."""

    items: tuple[RunItem, ...]
    more: bool


@router.get("/agreements", operation_id="listAgreements")
def agreements(caller: Called, client: Name | None = None) -> Agreements:
    """Agreements with state, next and last billing, and meters."""
    with caller.ledger.transaction() as tx:
        return Agreements(items=tuple(agreement_views.agreements(tx, caller.at, client)))


@router.get("/agreements/{agreement}", operation_id="readAgreement", responses=answers(404))
def agreement(caller: Called, agreement: Name) -> AgreementView:
    """One agreement: terms, change orders, calendar, meters, what waits for a person."""
    with caller.ledger.transaction() as tx:
        return agreement_views.agreement(tx, agreement, caller.at)


@router.get("/runs", operation_id="listRuns")
def runs(
    caller: Called,
    with_work: Annotated[bool, Query(description="only those that found something to do")] = False,
    limit: Limit = 50,
) -> Runs:
    """Billing runs: what each looked at, asked for and held."""
    with caller.ledger.transaction() as tx:
        return Runs(items=tuple(billing_run_records.runs(tx, limit, with_work=with_work)))


@router.get("/runs/{run}", operation_id="readRun", responses=answers(404))
def run(caller: Called, run: Name) -> RunView:
    """One billing run."""
    with caller.ledger.transaction() as tx:
        return billing_run_records.run_of(tx, run)


@router.get("/runs/{run}/items", operation_id="listRunItems", responses=answers(404))
def items(
    caller: Called,
    run: Name,
    outcome: Outcome | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> RunItems:
    """What a run asked for, and what it held and why."""
    with caller.ledger.transaction() as tx:
        billing_run_records.run_of(tx, run)
        found = billing_run_records.items(tx, run, outcome, limit + 1)
    return RunItems(items=tuple(found[:limit]), more=len(found) > limit)
