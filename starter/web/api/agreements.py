"""Agreements with what is billed next, and billing runs with what they did."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from activities.ledger import agreement_views, billing_run_records, company_records
from activities.ledger.agreement_models import AgreementSummary, AgreementView
from activities.ledger.billing_run_records import Outcome, RunItem, RunView
from activities.ledger.read_models import ReadModel
from starter.web.api.routes import Called, operations
from starter.web.api.shapes import Cursor, Limit, Name, after, answers, cursor_of, paged

router = operations("Agreements and runs")


class Agreements(ReadModel):
    """Agreements that run, ran or are to come, by client and id."""

    items: tuple[AgreementSummary, ...]
    next: str | None


class Runs(ReadModel):
    """Billing runs, the newest first."""

    items: tuple[RunView, ...]
    next: str | None


class RunItems(ReadModel):
    """What a run did: held first, then what is caught up."""

    items: tuple[RunItem, ...]
    next: str | None


@router.get("/agreements", operation_id="listAgreements", responses=answers(400))
def agreements(
    caller: Called, client: Name | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Agreements:
    """Agreements with state, next and last billing, and meters."""
    last = after(cursor, str, str)
    with caller.ledger.transaction() as tx:
        known = company_records.current(tx).company.agreements
        keys = sorted(
            (each.client, each.id)
            for each in known
            if client in (None, each.client) and (last is None or (each.client, each.id) > last)
        )
        page = keys[: limit + 1]
        found = agreement_views.agreements(tx, caller.at, client, {key for _, key in page[:limit]})
    return Agreements(items=tuple(found), next=cursor_of(*page[limit - 1]) if len(page) > limit else None)


@router.get("/agreements/{agreement}", operation_id="readAgreement", responses=answers(404))
def agreement(caller: Called, agreement: Name) -> AgreementView:
    """One agreement: terms, change orders, calendar, meters, what waits for a person."""
    with caller.ledger.transaction() as tx:
        return agreement_views.agreement(tx, agreement, caller.at)


@router.get("/runs", operation_id="listRuns", responses=answers(400))
def runs(
    caller: Called,
    with_work: Annotated[bool, Query(description="only those that found something to do")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Runs:
    """Billing runs: what each looked at, asked for and held."""
    last = after(cursor, str)
    with caller.ledger.transaction() as tx:
        found = billing_run_records.runs(tx, limit + 1, with_work=with_work, after=last[0] if last else None)
    return Runs(**paged(found, limit, lambda each: (each.run,)))


@router.get("/runs/{run}", operation_id="readRun", responses=answers(404))
def run(caller: Called, run: Name) -> RunView:
    """One billing run."""
    with caller.ledger.transaction() as tx:
        return billing_run_records.run_of(tx, run)


@router.get("/runs/{run}/items", operation_id="listRunItems", responses=answers(400, 404))
def items(
    caller: Called,
    run: Name,
    outcome: Outcome | None = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> RunItems:
    """What a run asked for, and what it held and why."""
    with caller.ledger.transaction() as tx:
        billing_run_records.run_of(tx, run)
        last = after(cursor, str)
        found = billing_run_records.items(tx, run, outcome, limit + 1, after=last[0] if last else None)
    return RunItems(**paged(found, limit, lambda each: (each.billing_key,)))
