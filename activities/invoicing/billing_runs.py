"""Billing runs: every period that is due and unbilled becomes an invoice, each by its key."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from temporalio import activity

from activities.ledger import company_records, outbox, taken, triggers, unmatched_payments
from activities.ledger.database import Ledger
from activities.ledger.tables import BillingRunRow
from billing.due import due
from billing.errors import BillowError
from workflows.activity_interfaces import BillingRuns
from workflows.messages import BillingRunOrder, BillingRunResult

OUTBOX_KEPT = timedelta(days=14)
"""How long what was carried stays in the outbox, for whoever looks for a lost message."""


class LedgerBillingRuns(BillingRuns):
    """Billing runs over the agreements that are applied now."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name="bill-due-periods")
    def bill_due_periods(self, order: BillingRunOrder) -> BillingRunResult:
        triggered, refused, looked_at = run(
            self._ledger, order.run, order.as_of, heartbeat=activity.heartbeat
        )
        return BillingRunResult(looked_at=looked_at, triggered=len(triggered), refused=len(refused))


def run(
    ledger: Ledger, name: str, as_of: datetime, heartbeat: object = None
) -> tuple[list[str], list[dict[str, str]], int]:
    """Asks for every due and unbilled period, one small transaction each; returns keys, refusals, agreements seen.

    Also reminds the owners of payments nobody has matched.
    """
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
    triggered: list[str] = []
    refused: list[dict[str, str]] = []
    for agreement in company.agreements:
        if callable(heartbeat):
            heartbeat(agreement.id)
        today = triggers.company_today(company, agreement, as_of)
        with ledger.transaction() as tx:
            billed = taken.of_agreement(tx, agreement.id)
        calendar = triggers.calendar_of_agreement(company, agreement, today)
        for occasion in [each.occasion for each in due(agreement, today, calendar, billed)]:
            try:
                with ledger.transaction() as tx:
                    requested = triggers.by_occasion(
                        tx,
                        occasion,
                        "time",
                        by=company.billing_runs.requested_by,
                        channel="billing run",
                        at=as_of,
                    )
                    if requested.new:
                        triggered.append(occasion.billing_key)
            except BillowError as error:
                refused.append({"billing_key": occasion.billing_key, "because": str(error)})
    with ledger.transaction() as tx:  # a payment without invoice has no workflow that would look after it
        unmatched_payments.attend(tx, company, at=as_of)
        outbox.prune(tx, as_of - OUTBOX_KEPT)
    _record(ledger, name, as_of, len(company.agreements), triggered, refused)
    return triggered, refused, len(company.agreements)


def _record(
    ledger: Ledger,
    name: str,
    as_of: datetime,
    looked_at: int,
    triggered: list[str],
    refused: list[dict[str, str]],
) -> None:
    if not triggered and not refused:
        return
    with ledger.transaction() as tx:
        tx.execute(
            insert(BillingRunRow)
            .values(
                run=name,
                as_of=as_of,
                finished_at=as_of,
                looked_at=looked_at,
                agreements=looked_at,
                triggered=len(triggered),
                held=len(refused),
            )
            .on_conflict_do_nothing()
        )
